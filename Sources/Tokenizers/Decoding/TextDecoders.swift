/// Puts a space between tokens.
struct SpaceJoinDecoder: DecoderStage {
    private var needsSpace = false

    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        output.append(endsToken: fragment.endsToken) { bytes in
            if needsSpace { bytes.append(UInt8(ascii: " ")) }
            bytes.append(contentsOf: fragment.bytes)
        }
        needsSpace = fragment.endsToken
    }
}

/// Makes one token of all.
struct FuseDecoder: DecoderStage {
    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        output.append(fragment.bytes, endsToken: false)
    }

    mutating func finish(to output: inout FragmentList) {
        output.append([], endsToken: true)
    }
}

/// Replaces a pattern within each token.
struct ReplaceDecoder: DecoderStage {
    private let pattern: TextPattern
    private let replacement: [UInt8]
    /// Whether fragments can be searched one by one, as no match can span two of them.
    private let matchesOneCharacter: Bool
    private var assembler = TokenAssembler()

    init(_ setting: Setting) throws(TokenizerError) {
        pattern = try TextPattern(setting.required("pattern"))
        replacement = Array(try setting.required("content").string().utf8)
        if case .string(let string) = pattern, let first = string.first {
            matchesOneCharacter = UTF8Text.lengthOfCharacter(startingWith: first) == string.count
        } else {
            matchesOneCharacter = false
        }
    }

    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        if matchesOneCharacter {
            output.append(endsToken: fragment.endsToken) { bytes in
                pattern.appendReplacing(in: fragment.bytes, with: replacement, to: &bytes)
            }
        } else if let token = assembler.token(completedBy: fragment) {
            output.append(
                token.withUnsafeBufferPointer { pattern.replacing(in: $0, with: replacement) },
                endsToken: true
            )
        }
    }
}

/// Removes up to so many of one character from the start and from the end of each token.
struct StripDecoder: DecoderStage {
    private let character: [UInt8]
    private let startLimit: Int
    private let endLimit: Int
    /// How many may still be removed from the token's start; 0 once another character came.
    private var remainingAtStart: Int
    /// How many were held back, as the token may end with them.
    private var heldBack = 0

    init(_ setting: Setting) throws(TokenizerError) {
        let content = try setting.required("content")
        guard try content.string().unicodeScalars.count == 1 else { throw content.invalid("must be one character") }
        character = Array(try content.string().utf8)
        startLimit = try setting.required("start").count()
        endLimit = try setting.required("stop").count()
        remainingAtStart = startLimit
    }

    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        var rest = fragment.bytes[...]
        while remainingAtStart > 0, !rest.isEmpty {
            if rest.starts(with: character) {
                rest = rest.dropFirst(character.count)
                remainingAtStart -= 1
            } else {
                remainingAtStart = 0
            }
        }
        output.append(endsToken: fragment.endsToken) { bytes in
            if endLimit == 0 { bytes.append(contentsOf: rest) } else { holdBack(from: rest, &bytes) }
        }
        if fragment.endsToken {
            remainingAtStart = startLimit
            heldBack = 0
        }
    }

    private mutating func holdBack(from text: Slice<UnsafeBufferPointer<UInt8>>, _ bytes: inout [UInt8]) {
        var text = text
        while let first = text.first {
            if text.starts(with: character) {
                text = text.dropFirst(character.count)
                if heldBack < endLimit { heldBack += 1 } else { bytes += character }
            } else {
                for _ in 0..<heldBack { bytes += character }
                heldBack = 0
                let length = UTF8Text.lengthOfCharacter(startingWith: first)
                bytes += text.prefix(length)
                text = text.dropFirst(length)
            }
        }
    }
}

/// Turns marks back into spaces; in the first token they vanish, unless none is ever put before the text.
struct MetaspaceDecoder: DecoderStage {
    private let mark: [UInt8]
    private var dropsMarks: Bool

    init(metaspace: Metaspace) {
        mark = metaspace.mark
        dropsMarks = metaspace.prepending != .never
    }

    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        let replacement = dropsMarks ? [] : [UInt8(ascii: " ")]
        output.append(endsToken: fragment.endsToken) { bytes in
            TextPattern.string(mark).appendReplacing(in: fragment.bytes, with: replacement, to: &bytes)
        }
        if fragment.endsToken { dropsMarks = false }
    }
}
