/// A decoder: a machine that is fed the tokens one by one and hands out what later tokens can no longer change.
protocol DecoderStage: Sendable {
    mutating func push(_ fragment: Fragment, to output: inout FragmentList)

    /// Hands out what was held back, as no token follows.
    mutating func finish(to output: inout FragmentList)
}

extension DecoderStage {
    mutating func finish(to output: inout FragmentList) {}
}

/// A chain of decoders, each fed by the one before.
struct DecoderChain: Sendable {
    private var stages: [any DecoderStage]
    private var input = FragmentList()
    private var output = FragmentList()

    init(_ stages: [any DecoderStage]) {
        self.stages = stages
    }

    /// Feeds one token and appends the bytes that are certain now: whole characters.
    mutating func push(_ token: ArraySlice<UInt8>, to text: inout [UInt8]) {
        output.append(token, endsToken: true)
        pass(from: 0, to: &text)
    }

    /// Appends the bytes that were held back.
    mutating func finish(to text: inout [UInt8]) {
        for position in stages.indices {
            stages[position].finish(to: &output)
            pass(from: position + 1, to: &text)
        }
    }

    /// Passes `output` on through the stages from the given one.
    private mutating func pass(from first: Int, to text: inout [UInt8]) {
        for position in stages.indices.dropFirst(first) where !output.isEmpty {
            swap(&input, &output)
            output.removeAll()
            input.forEach { stages[position].push($0, to: &output) }
        }
        text += output.bytes
        output.removeAll()
    }
}

/// Reads the `decoder` of a `tokenizer.json`; without one, tokens are joined by spaces.
func makeDecoderStages(_ setting: Setting?) throws(TokenizerError) -> [any DecoderStage] {
    guard let setting else { return [SpaceJoinDecoder()] }
    switch try setting.kind() {
    case "Sequence":
        var stages: [any DecoderStage] = []
        for element in try setting.required("decoders").elements() { stages += try makeDecoderStages(element) }
        return stages
    case "WordPiece":
        return [
            WordPieceDecoder(
                prefix: try setting["prefix"]?.string() ?? "##",
                cleans: try setting.bool("cleanup", default: true)
            )
        ]
    case "BPEDecoder": return [SuffixDecoder(suffix: try setting["suffix"]?.string() ?? "</w>")]
    case "CTC": return [try CTCDecoder(setting)]
    case "ByteLevel": return [ByteLevelDecoder()]
    case "ByteFallback": return [ByteFallbackDecoder()]
    case "Fuse": return [FuseDecoder()]
    case "Strip": return [try StripDecoder(setting)]
    case "Replace": return [try ReplaceDecoder(setting)]
    case "Metaspace": return [MetaspaceDecoder(metaspace: try Metaspace(setting))]
    case let kind:
        throw setting.unsupported(
            "of type \"\(kind)\"",
            supported:
                "Sequence, ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace, WordPiece, BPEDecoder and CTC"
        )
    }
}
