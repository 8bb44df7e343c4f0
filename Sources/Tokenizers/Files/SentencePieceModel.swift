import Foundation
import JSONText

/// SentencePiece's `tokenizer.model`, told as the `tokenizer.json` that means the same.
///
/// The two kinds that language models use are read, byte-pair encoding and unigram. The merges of the former are not in the file: of two
/// neighbours that make a piece together, the piece with the higher score goes first, which is the same.
struct SentencePieceModel {
    private let path: String
    private let pieces: [(text: String, score: Float, kind: Int)]
    private let trainer: ProtocolBuffer
    private let normalizer: ProtocolBuffer

    init(file: URL) throws(TokenizerError) {
        path = file.path
        let data: Data
        do {
            data = try Data(contentsOf: file)
        } catch {
            throw TokenizerError("cannot read \(file.path): \(error.localizedDescription)")
        }
        guard let model = ProtocolBuffer(Array(data)[...]), let messages = model.messages(1), !messages.isEmpty,
            let trainer = model.bytes(2).flatMap(ProtocolBuffer.init),
            let normalizer = model.bytes(3).flatMap(ProtocolBuffer.init)
        else { throw TokenizerError("\(file.path) is no SentencePiece model, or is damaged") }
        self.trainer = trainer
        self.normalizer = normalizer
        var pieces: [(text: String, score: Float, kind: Int)] = []
        for message in messages {
            guard let text = message.string(1), case let score = message.float(2) ?? 0, score.isFinite else {
                throw TokenizerError("\(file.path): the piece \(pieces.count) has no text or no finite score")
            }
            pieces.append((text, score, message.integer(3) ?? Kind.normal))
        }
        self.pieces = pieces
    }

    private enum Kind {
        static let normal = 1
        static let unknown = 2
        static let control = 3
        static let userDefined = 4
        static let byte = 6
    }

    /// The same as `tokenizer.json` would have it, with the tokens that a configuration adds around every text.
    func tokenizerFile(adding names: SpecialTokenNames) throws(TokenizerError) -> JSON {
        let usesBytes = pieces.contains { $0.kind == Kind.byte }
        let model: JSON
        switch trainer.integer(3) ?? 1 {
        case 1: model = unigram(usesBytes)
        case 2: model = try bytePairEncoding(usesBytes)
        default:
            throw TokenizerError(
                "\(path) is a SentencePiece model of words or characters; supported are unigram and BPE"
            )
        }
        return [
            "added_tokens": .array(addedTokens), "normalizer": try normalizerSetting(),
            "decoder": decoder(usesBytes), "model": model, "post_processor": template(names),
        ]
    }

    /// The beginning of sequence in front, unless the configuration says otherwise, and the end behind where it says so.
    private func template(_ names: SpecialTokenNames) -> JSON {
        func part(_ id: Int?, _ isAdded: Bool) -> [JSON] {
            guard isAdded, let id, pieces.indices.contains(id) else { return [] }
            return [["SpecialToken": ["id": .string(pieces[id].text), "type_id": 0]]]
        }
        let (beginning, end) = (trainer.integer(41) ?? 1, trainer.integer(42) ?? 2)
        let front = part(beginning, names.addsBeginning ?? true)
        let back = part(end, names.addsEnd ?? false)
        func text(_ id: String) -> JSON { ["Sequence": ["id": .string(id), "type_id": 0]] }
        var special = JSONObject()
        for id in [beginning, end] where pieces.indices.contains(id) {
            special[pieces[id].text] = [
                "id": .string(pieces[id].text), "ids": [.integer(id)], "tokens": [.string(pieces[id].text)],
            ]
        }
        return [
            "type": "TemplateProcessing", "single": .array(front + [text("A")] + back),
            "pair": .array(front + [text("A")] + back + front + [text("B")] + back), "special_tokens": .object(special),
        ]
    }

    private var addedTokens: [JSON] {
        pieces.enumerated().compactMap { id, piece in
            guard [Kind.unknown, Kind.control].contains(piece.kind) else { return nil }
            return ["id": .integer(id), "content": .string(piece.text), "special": true, "normalized": false]
        }
    }

    /// The pieces that a user has defined, which nothing changes and nothing is joined with; nil where there are none.
    private var keptTokens: JSON {
        let kept = pieces.filter { $0.kind == Kind.userDefined }.map { JSON.string($0.text) }
        return kept.isEmpty ? .null : .array(kept)
    }

    /// Scores by which unigram takes what a user has defined: 0.1 below what as many bytes of the best piece would have.
    private var scores: [Double] {
        let best = pieces.filter { $0.kind == Kind.normal }.map(\.score).reduce(Float.leastNormalMagnitude, max)
        return pieces.map { piece in
            guard piece.kind == Kind.userDefined else { return Double(piece.score) }
            return Double(Float(piece.text.utf8.count) * best) - 0.1
        }
    }

    private func unigram(_ usesBytes: Bool) -> JSON {
        [
            "type": "Unigram", "byte_fallback": .bool(usesBytes), "follows_sentencepiece": true,
            "unk_id": pieces.firstIndex { $0.kind == Kind.unknown }.map(JSON.integer) ?? .null,
            "vocab": .array(zip(pieces, scores).map { [.string($0.text), .number($1)] }),
        ]
    }

    private func bytePairEncoding(_ usesBytes: Bool) throws(TokenizerError) -> JSON {
        var vocabulary = JSONObject()
        var ids: [[UInt8]: Int] = [:]
        for (id, piece) in pieces.enumerated() {
            guard ids.updateValue(id, forKey: Array(piece.text.utf8)) == nil else {
                throw TokenizerError("\(path) holds the piece \"\(piece.text)\" twice")
            }
            vocabulary[piece.text] = .integer(id)
        }
        return [
            "type": "BPE", "byte_fallback": .bool(usesBytes), "fuse_unk": true,
            "unk_token": pieces.first { $0.kind == Kind.unknown }.map { .string($0.text) } ?? .null,
            "vocab": .object(vocabulary), "merges": .array(merges(ids)), "kept_tokens": keptTokens,
        ]
    }

    /// All pairs of pieces that make a piece, in the order of the latter's score.
    private func merges(_ ids: [[UInt8]: Int]) -> [JSON] {
        // Where no piece is as long as a part, the part needs no look-up: of a very long piece there are very many.
        let lengths = Set(pieces.map(\.text.utf8.count))
        var merges: [(score: Float, left: Int, right: Int, text: JSON)] = []
        for piece in pieces where piece.kind == Kind.normal {
            let bytes = Array(piece.text.utf8)
            for cut in bytes.indices.dropFirst() where bytes[cut] & 0xC0 != 0x80 {
                guard lengths.contains(cut), lengths.contains(bytes.count - cut) else { continue }
                guard let left = ids[Array(bytes[..<cut])], let right = ids[Array(bytes[cut...])] else { continue }
                merges.append((piece.score, left, right, [.string(pieces[left].text), .string(pieces[right].text)]))
            }
        }
        return merges.sorted { ($1.score, $0.left, $0.right) < ($0.score, $1.left, $1.right) }.map(\.text)
    }

    /// SentencePiece's table of characters, then spaces as it treats them: marks, of which one more stands before every text.
    private func normalizerSetting() throws(TokenizerError) -> JSON {
        var stages: [JSON] = []
        if let map = normalizer.bytes(2), !map.isEmpty {
            stages.append(
                [
                    "type": "Precompiled", "precompiled_charsmap": .string(Data(map).base64EncodedString()),
                    "follows_sentencepiece": true, "kept_tokens": keptTokens,
                ]
            )
        }
        if removesSpaces {
            guard !pieces.contains(where: { $0.kind == Kind.userDefined }) else {
                throw TokenizerError(
                    "\(path) removes spaces beside tokens that it is told to keep whole, which is not supported; copy the model's"
                        + " tokenizer.json"
                )
            }
            // Behind the text it takes marks for the spaces they stand for.
            stages.append(["type": "Replace", "pattern": ["Regex": "\\A +|[ ▁]+\\z"], "content": ""])
            stages.append(["type": "Replace", "pattern": ["Regex": " {2,}"], "content": " "])
        }
        guard normalizer.bool(5) ?? true, !(trainer.bool(24) ?? false) else {
            throw TokenizerError("\(path) keeps spaces as they are or behind words, which is not supported")
        }
        if addsPrefix {
            stages.append(["type": "Prepend", "prepend": "▁", "covers_empty": .bool(!removesSpaces)])
        }
        stages.append(["type": "Replace", "pattern": ["String": " "], "content": "▁"])
        return ["type": "Sequence", "normalizers": .array(stages)]
    }

    private var addsPrefix: Bool { normalizer.bool(3) ?? true }
    private var removesSpaces: Bool { normalizer.bool(4) ?? true }

    private func decoder(_ usesBytes: Bool) -> JSON {
        var stages: [JSON] = [["type": "Replace", "pattern": ["String": "▁"], "content": " "]]
        if usesBytes { stages.append(["type": "ByteFallback"]) }
        stages.append(["type": "Fuse"])
        if addsPrefix || removesSpaces {
            let count = removesSpaces ? 1 << 16 : 1
            stages.append(["type": "Strip", "content": " ", "start": .integer(count), "stop": 0])
        }
        return ["type": "Sequence", "decoders": .array(stages)]
    }
}
