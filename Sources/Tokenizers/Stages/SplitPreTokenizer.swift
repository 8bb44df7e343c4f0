/// What becomes of the matches that a piece is cut at.
enum DelimiterBehavior: String {
    case isolated = "Isolated"
    case removed = "Removed"
    case contiguous = "Contiguous"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"

    private static let names = "Isolated, Removed, Contiguous, MergedWithPrevious and MergedWithNext"

    init(_ setting: Setting) throws(TokenizerError) {
        guard let behavior = DelimiterBehavior(rawValue: try setting.string()) else {
            throw setting.unsupported("\"\(try setting.string())\"", supported: Self.names)
        }
        self = behavior
    }

    /// Turns stretches that cover a piece, each either a match or what lies between two, into the parts to keep.
    func parts(of stretches: [(range: Range<Int>, isMatch: Bool)], into parts: inout [Range<Int>]) {
        var previousIsMatch = false
        switch self {
        case .isolated: for stretch in stretches { parts.append(stretch.range) }
        case .removed: for stretch in stretches where !stretch.isMatch { parts.append(stretch.range) }
        case .contiguous:
            for (range, isMatch) in stretches {
                if isMatch == previousIsMatch, let last = parts.popLast() {
                    parts.append(last.lowerBound..<range.upperBound)
                } else {
                    parts.append(range)
                }
                previousIsMatch = isMatch
            }
        case .mergedWithPrevious:
            for (range, isMatch) in stretches {
                if isMatch, !previousIsMatch, let last = parts.popLast() {
                    parts.append(last.lowerBound..<range.upperBound)
                } else {
                    parts.append(range)
                }
                previousIsMatch = isMatch
            }
        case .mergedWithNext:
            for (range, isMatch) in stretches.reversed() {
                if isMatch, !previousIsMatch, let last = parts.popLast() {
                    parts.append(range.lowerBound..<last.upperBound)
                } else {
                    parts.append(range)
                }
                previousIsMatch = isMatch
            }
            parts.reverse()
        }
    }
}

/// Cuts pieces at the matches of a pattern.
struct SplitPreTokenizer: PreTokenizer {
    let pattern: TextPattern
    let behavior: DelimiterBehavior
    /// Whether what lies between the matches counts as the matches.
    let isInverted: Bool

    init(_ setting: Setting) throws(TokenizerError) {
        pattern = try TextPattern(setting.required("pattern"))
        isInverted = try setting.bool("invert", default: false)
        behavior = try DelimiterBehavior(setting.required("behavior"))
    }

    func cut(_ text: inout PieceText) {
        text.cutPieces { piece, parts in
            if behavior == .isolated {
                pattern.isolate(in: piece, into: &parts)
            } else {
                behavior.parts(of: stretches(of: piece), into: &parts)
            }
        }
    }

    private func stretches(of piece: UnsafeBufferPointer<UInt8>) -> [(range: Range<Int>, isMatch: Bool)] {
        var stretches: [(range: Range<Int>, isMatch: Bool)] = []
        var end = 0
        pattern.forEachMatch(in: piece) { match in
            if end < match.lowerBound { stretches.append((end..<match.lowerBound, isInverted)) }
            stretches.append((match, !isInverted))
            end = match.upperBound
        }
        if end < piece.count { stretches.append((end..<piece.count, isInverted)) }
        return stretches
    }
}

extension TextPattern {
    /// Appends the matches and what lies between them, in order.
    func isolate(in text: UnsafeBufferPointer<UInt8>, into parts: inout [Range<Int>]) {
        var end = 0
        forEachMatch(in: text) { match in
            if end < match.lowerBound { parts.append(end..<match.lowerBound) }
            parts.append(match)
            end = match.upperBound
        }
        if end < text.count { parts.append(end..<text.count) }
    }
}
