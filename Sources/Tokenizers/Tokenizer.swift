import Foundation

/// A Hugging Face tokenizer: text in, token ids out, and back.
///
/// It reads `tokenizer.json` and gives exactly the ids of the `tokenizers` library. The settings `truncation` and
/// `padding` in that file are ignored on purpose: what is cut or padded is the caller's decision.
public struct Tokenizer: Sendable {
    /// The folder it was read from.
    public let directory: URL
    /// The templates that render a conversation, in Jinja, by their names; the usual one is `default`.
    public let chatTemplates: [String: String]
    /// The texts of special tokens by the names that templates know them by, such as `bos_token`.
    public let specialTokens: [String: String]
    /// The token that begins a text.
    public let beginningOfSequence: Int?
    /// The token that ends a text.
    public let endOfSequence: Int?
    /// The token that fills up batches.
    public let padding: Int?
    /// The token that stands for what the vocabulary lacks.
    public let unknown: Int?

    private let model: any TokenModel
    private let normalizer: (any Normalizer)?
    private let preTokenizer: (any PreTokenizer)?
    private let postProcessor: PostProcessor
    private let addedTokens: AddedTokens
    let decoderStages: [any DecoderStage]

    /// Reads `tokenizer.json`, or else SentencePiece's `tokenizer.model` or a `.tiktoken` file, and, where they exist, `tokenizer_config.json`, `special_tokens_map.json` and
    /// `chat_template.jinja`.
    ///
    /// - Throws: `TokenizerError` where a file is missing, damaged or asks for something that is not supported.
    public init(directory: URL) throws(TokenizerError) {
        self.directory = directory
        let names = try SpecialTokenNames(directory: directory)
        let file = try TokenizerFiles.setting(in: directory, names)
        let normalizer = try file["normalizer"].map(makeNormalizer)
        model = try makeTokenModel(file.required("model"))
        preTokenizer = try file["pre_tokenizer"].map(makePreTokenizer)
        postProcessor = try PostProcessor(file["post_processor"])
        decoderStages = try makeDecoderStages(file["decoder"])
        addedTokens = try AddedTokens(file["added_tokens"], model: model, normalizer: normalizer)
        self.normalizer = normalizer
        for id in postProcessor.specialIDs where addedTokens.tokens[id] == nil && model.vocabulary.token(id) == nil {
            throw TokenizerError("\(file.place) post_processor adds the id \(id), which no token has")
        }

        chatTemplates = names.chatTemplates
        specialTokens = names.all
        let (model, addedTokens) = (model, addedTokens)
        func id(_ name: String?) -> Int? { name.flatMap { addedTokens.id(of: $0) ?? model.vocabulary.id(of: $0) } }
        beginningOfSequence = id(names.beginningOfSequence)
        endOfSequence = id(names.endOfSequence)
        padding = id(names.padding)
        unknown = id(names.unknown)
    }

    /// Whether a directory holds a file that defines a tokenizer.
    public static func exists(in directory: URL) -> Bool { TokenizerFiles.exist(in: directory) }

    /// The ids of a text; special tokens written out in the text count as such either way.
    ///
    /// - Parameter addSpecialTokens: Whether to add the tokens that the file wants around every text.
    public func encode(_ text: String, addSpecialTokens: Bool = true) -> [Int] {
        postProcessor.ids(ids(text), addSpecialTokens: addSpecialTokens)
    }

    /// The ids of two texts in the form that the file wants for pairs.
    public func encode(_ first: String, _ second: String, addSpecialTokens: Bool = true) -> [Int] {
        postProcessor.ids(ids(first), ids(second), addSpecialTokens: addSpecialTokens)
    }

    /// The text of token ids, with U+FFFD for bytes that are not UTF-8.
    ///
    /// Ids that no token has are left out. Spaces before punctuation stay, whatever `clean_up_tokenization_spaces`
    /// says.
    public func decode(_ ids: [Int], skipSpecialTokens: Bool = false) -> String {
        var decoder = makeStreamingDecoder(skipSpecialTokens: skipSpecialTokens)
        var bytes: [UInt8] = []
        for id in ids { decoder.append(id, to: &bytes) }
        decoder.finish(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A decoder that is fed the tokens one by one.
    public func makeStreamingDecoder(skipSpecialTokens: Bool = false) -> StreamingDecoder {
        StreamingDecoder(tokenizer: self, skipsSpecialTokens: skipSpecialTokens)
    }

    private func ids(_ text: String) -> [Int] {
        var ids: [Int] = []
        var text = text
        text.withUTF8 { bytes in
            addedTokens.cutOriginal(bytes) { stretch in
                switch stretch {
                case .token(let id): ids.append(id)
                case .text(let range):
                    encode(UnsafeBufferPointer(rebasing: bytes[range]), startsText: range.lowerBound == 0, into: &ids)
                }
            }
        }
        return ids
    }

    /// Encodes what lies between added tokens that are looked for in the text as it came.
    private func encode(_ text: UnsafeBufferPointer<UInt8>, startsText: Bool, into ids: inout [Int]) {
        var normalized = Array(text)
        var openingLength = 0
        if startsText, let first = text.first, preTokenizer?.asksWhatOpensText == true {
            openingLength = UTF8Text.lengthOfCharacter(startingWith: first)
            normalizer?.normalize(&normalized, openingLength: &openingLength)
        } else {
            normalizer?.normalize(&normalized)
        }
        normalized.withUnsafeBufferPointer { bytes in
            addedTokens.cutNormalized(bytes) { stretch in
                switch stretch {
                case .token(let id): ids.append(id)
                case .text(let range):
                    var text = PieceText(
                        bytes: Array(bytes[range]),
                        openingLength: min(range.count, max(0, openingLength - range.lowerBound))
                    )
                    preTokenizer?.cut(&text)
                    model.encode(text, into: &ids)
                }
            }
        }
    }
}

extension Tokenizer {
    /// The template that renders a conversation, in Jinja, where the folder holds one.
    public var chatTemplate: String? { chatTemplates["default"] }

    /// The template for conversations with tools, where the folder holds one of its own, else the usual one.
    public var toolChatTemplate: String? { chatTemplates["tool_use"] ?? chatTemplate }

    /// The highest id plus one.
    public var vocabularySize: Int { max(model.vocabulary.size, (addedTokens.tokens.keys.max() ?? -1) + 1) }

    /// The token with that id as the vocabulary spells it, or `nil` where there is none.
    public func token(_ id: Int) -> String? {
        addedTokens.tokens[id]?.content ?? model.vocabulary.token(id).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The id of a token as the vocabulary spells it, or `nil` where there is none.
    public func id(of token: String) -> Int? {
        addedTokens.id(of: token) ?? model.vocabulary.id(of: token)
    }

    /// Whether decoding may skip that token.
    public func isSpecial(_ id: Int) -> Bool {
        addedTokens.tokens[id]?.isSpecial ?? false
    }

    /// The bytes that a token stands for within a text, those of a part of a character too.
    public func textBytes(of id: Int) -> [UInt8] {
        if addedTokens.tokens[id] == nil, let spelling = model.vocabulary.token(id) {
            var bytes: [UInt8] = []
            let isByteLevel = decoderStages.contains { $0 is ByteLevelDecoder }
            if isByteLevel, ByteAlphabet.appendBytes(spelledBy: Array(spelling), to: &bytes) { return bytes }
            let hasBytes = decoderStages.contains { $0 is ByteFallbackDecoder }
            if hasBytes, let byte = ByteFallbackDecoder.byte(Array(spelling)) { return [byte] }
        }
        // What stands first in a text may lose its space.
        let once = Array(decode([id]).utf8)
        let twice = Array(decode([id, id]).utf8)
        return twice.starts(with: once) ? Array(twice.dropFirst(once.count)) : once
    }

    /// What a token puts into the decoders.
    func bytes(of id: Int) -> ArraySlice<UInt8>? {
        addedTokens.tokens[id].map { $0.spelling[...] } ?? model.vocabulary.token(id)
    }
}
