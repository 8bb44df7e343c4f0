import JSONText

/// How long an answer is and how much markdown it uses, as Arena-Hard counts.
public struct StyleCounts: Equatable, Sendable {
    /// Tokens.
    public var tokens: Int
    /// Headings of the levels 1 to 6.
    public var headings = [Int](repeating: 0, count: 6)
    /// Items of numbered lists.
    public var numbered = 0
    /// Items of other lists.
    public var bulleted = 0
    /// Bold passages in asterisks.
    public var starred = 0
    /// Bold passages in underscores.
    public var underscored = 0

    /// Tokens, headings, list items and bold passages: the four numbers that style control uses.
    var sums: SIMD4<Double> {
        SIMD4(Double(tokens), Double(headings.reduce(0, +)), Double(numbered + bulleted), Double(starred + underscored))
    }

    /// Counts an answer's markdown with the original's quirks.
    ///
    /// Text between code fences is removed by deleting every occurrence of what stands between a pair of them, wherever it
    /// occurs in the answer; the fences stay. A fenced "a" thus deletes every "a".
    ///
    /// - Parameter tokens: the answer's tokens, counted by the tokenizer of the benchmark's version.
    public init(quirkilyCounting answer: String, tokens: Int) {
        self.tokens = tokens
        let text = MarkdownText(removingFencedTextOf: answer)
        headings = (1...6).map(text.headings)
        numbered = text.items(numbered: true)
        bulleted = text.items(numbered: false)
        starred = text.bold("*")
        underscored = text.bold("_")
    }

    /// Reads the counts of an answer file's `metadata` or `conv_metadata`; nil where one is missing.
    public init?(_ json: JSON?) {
        guard let tokens = json?["token_len"]?.integer, let headings = json?["header_count"],
            let lists = json?["list_count"], let bold = json?["bold_count"]
        else { return nil }
        self.tokens = tokens
        let levels = (1...6).compactMap { headings["h\($0)"]?.integer }
        guard levels.count == 6, let numbered = lists["ordered"]?.integer, let bulleted = lists["unordered"]?.integer,
            let starred = bold["**"]?.integer, let underscored = bold["__"]?.integer
        else { return nil }
        (self.headings, self.numbered, self.bulleted) = (levels, numbered, bulleted)
        (self.starred, self.underscored) = (starred, underscored)
    }

    /// The counts as answer files hold them.
    public var json: JSON {
        [
            "token_len": .integer(tokens),
            "header_count": .object(
                headings.enumerated().reduce(into: JSONObject()) { $0["h\($1.offset + 1)"] = .integer($1.element) }
            ),
            "list_count": ["ordered": .integer(numbered), "unordered": .integer(bulleted)],
            "bold_count": ["**": .integer(starred), "__": .integer(underscored)],
        ]
    }
}

/// A text in which markdown is looked for, scalar by scalar, as Python's regular expressions do.
private struct MarkdownText {
    private var text: [Unicode.Scalar]

    init(removingFencedTextOf answer: String) {
        text = Array(answer.unicodeScalars)
        for inner in fencedTexts() where !inner.isEmpty { remove(inner) }
    }

    /// What "```([^`]*)```" captures.
    private func fencedTexts() -> [[Unicode.Scalar]] {
        var found: [[Unicode.Scalar]] = []
        var start = 0
        while start + 6 <= text.count {
            guard isFence(start), let end = text[(start + 3)...].firstIndex(of: "`"), isFence(end) else {
                start += 1
                continue
            }
            found.append(Array(text[start + 3..<end]))
            start = end + 3
        }
        return found
    }

    private func isFence(_ start: Int) -> Bool {
        start + 3 <= text.count && text[start..<start + 3].allSatisfy { $0 == "`" }
    }

    private mutating func remove(_ part: [Unicode.Scalar]) {
        var kept: [Unicode.Scalar] = []
        var start = 0
        while start < text.count {
            if text[start] == part[0], text[start...].starts(with: part) {
                start += part.count
            } else {
                kept.append(text[start])
                start += 1
            }
        }
        text = kept
    }

    private func isLineStart(_ index: Int) -> Bool { index == 0 || text[index - 1] == "\n" }

    private func isSpace(_ index: Int) -> Bool { index < text.count && text[index].isPythonSpace }

    /// Matches of "^#{level}\s".
    func headings(_ level: Int) -> Int {
        text.indices.count { start in
            isLineStart(start) && start + level < text.count && isSpace(start + level)
                && text[start..<start + level].allSatisfy { $0 == "#" }
        }
    }

    /// Matches of "^\s*\d+\.\s" or "^\s*[-*+]\s".
    func items(numbered: Bool) -> Int {
        var count = 0
        var start = 0
        while start < text.count {
            guard isLineStart(start) else {
                start += 1
                continue
            }
            // Spaces reach over line ends; a line start among them would only find the same mark again.
            let mark = text[start...].firstIndex { !$0.isPythonSpace } ?? text.count
            let end = numbered ? endOfNumber(mark) : endOfBullet(mark)
            if let end, isSpace(end) {
                count += 1
                start = end + 1
            } else {
                start = mark + 1
            }
        }
        return count
    }

    private func endOfNumber(_ mark: Int) -> Int? {
        let end = text[mark...].firstIndex { $0.properties.generalCategory != .decimalNumber } ?? text.count
        return end > mark && end < text.count && text[end] == "." ? end + 1 : nil
    }

    private func endOfBullet(_ mark: Int) -> Int? {
        mark < text.count && ["-", "*", "+"].contains(text[mark]) ? mark + 1 : nil
    }

    /// Matches of "\*\*[^*\n]+\*\*", or of the same with underscores.
    func bold(_ mark: Unicode.Scalar) -> Int {
        var count = 0
        var start = 0
        func isPair(_ index: Int) -> Bool { index + 1 < text.count && text[index] == mark && text[index + 1] == mark }
        while start < text.count {
            let end = isPair(start) ? text[(start + 2)...].firstIndex { $0 == mark || $0 == "\n" } : nil
            if let end, end > start + 2, isPair(end) {
                count += 1
                start = end + 2
            } else {
                start += 1
            }
        }
        return count
    }
}

extension Unicode.Scalar {
    /// What Python's `\s` matches in a text.
    fileprivate var isPythonSpace: Bool {
        (0x1C...0x1F).contains(value) || (0x09...0x0D).contains(value) || properties.isWhitespace
    }
}
