import Foundation
import JSONText
import Tokenizers

/// The members that every part of one answer repeats.
struct AnswerHead {
    let id: String
    let object: String
    let created: Int
    let model: ServedModel

    init(_ front: String, object: String, model: ServedModel) {
        id = front + UUID().uuidString.replacing("-", with: "").lowercased()
        self.object = object
        created = Int(Date().timeIntervalSince1970)
        self.model = model
    }

    /// An answer, or one piece of it, with its choices.
    func json(_ choices: [JSON], usage: JSON?) -> JSON {
        var members: JSON = [
            "id": .string(id), "object": .string(object), "created": .integer(created), "model": .string(model.name),
            "system_fingerprint": .string("rto-\(model.created)"), "choices": .array(choices),
        ]
        if let usage { members = members.with("usage", usage) }
        return members
    }
}

extension JSON {
    /// The object with one more member.
    func with(_ key: String, _ value: JSON) -> JSON {
        guard var object else { return self }
        object[key] = value
        return .object(object)
    }

    /// A log-probability; what is no number of JSON is OpenAI's word for a token that cannot come.
    static func logProbability(_ value: Double) -> JSON { .number(value.isFinite ? value : -9999) }
}

/// How chat and completions differ in what they answer.
protocol AnswerForm: Sendable {
    /// Whether the log-probabilities have the stop token as well.
    var scoresStopToken: Bool { get }
    /// A whole choice.
    func choice(_ index: Int, _ piece: ChoiceText.Piece, finish: FinishReason) -> JSON
    /// A piece of a choice in a stream.
    func chunk(_ index: Int, _ piece: ChoiceText.Piece, finish: FinishReason?) -> JSON
    /// What a stream says of a choice before its first token.
    func opening(_ index: Int) -> JSON?
}

/// The answers of `/v1/chat/completions`.
struct ChatForm: AnswerForm {
    let tokenizer: Tokenizer
    let isScored: Bool
    /// The bytes of the tokens are those of the text.
    let scoresStopToken = false

    func choice(_ index: Int, _ piece: ChoiceText.Piece, finish: FinishReason) -> JSON {
        [
            "index": .integer(index),
            "message": ["role": "assistant", "content": .string(piece.text), "refusal": nil],
            "logprobs": scores(piece), "finish_reason": .string(finish.rawValue),
        ]
    }

    func chunk(_ index: Int, _ piece: ChoiceText.Piece, finish: FinishReason?) -> JSON {
        let isEmpty = piece.text.isEmpty && finish != nil
        return [
            "index": .integer(index), "delta": isEmpty ? [:] : ["content": .string(piece.text)],
            "logprobs": scores(piece), "finish_reason": finish.map { .string($0.rawValue) } ?? .null,
        ]
    }

    func opening(_ index: Int) -> JSON? {
        [
            "index": .integer(index), "delta": ["role": "assistant", "content": "", "refusal": nil], "logprobs": nil,
            "finish_reason": nil,
        ]
    }

    private func scores(_ piece: ChoiceText.Piece) -> JSON {
        guard isScored else { return .null }
        let content = piece.tokens.map { token, _ in
            score(token.id, token.logProbability ?? 0).with(
                "top_logprobs",
                .array(token.alternatives.map { score($0.id, $0.logProbability) })
            )
        }
        return ["content": .array(content), "refusal": nil]
    }

    private func score(_ id: Int, _ logProbability: Double) -> JSON {
        let bytes = tokenizer.textBytes(of: id)
        return [
            "token": .string(String(decoding: bytes, as: UTF8.self)), "logprob": .logProbability(logProbability),
            "bytes": .array(bytes.map { .integer(Int($0)) }),
        ]
    }
}

/// The answers of `/v1/completions`.
struct CompletionForm: AnswerForm {
    let tokenizer: Tokenizer
    let isScored: Bool
    /// Clients that score a prompt with one token behind it count on that token.
    let scoresStopToken = true

    func choice(_ index: Int, _ piece: ChoiceText.Piece, finish: FinishReason) -> JSON {
        chunk(index, piece, finish: finish)
    }

    func chunk(_ index: Int, _ piece: ChoiceText.Piece, finish: FinishReason?) -> JSON {
        [
            "index": .integer(index), "text": .string(piece.text), "logprobs": scores(piece),
            "finish_reason": finish.map { .string($0.rawValue) } ?? .null,
        ]
    }

    func opening(_ index: Int) -> JSON? { nil }

    private func scores(_ piece: ChoiceText.Piece) -> JSON {
        guard isScored else { return .null }
        let tokens = piece.tokens.map(\.token)
        return [
            "tokens": .array(tokens.map { .string(text($0.id)) }),
            "token_logprobs": .array(tokens.map { $0.logProbability.map(JSON.logProbability) ?? .null }),
            "top_logprobs": .array(tokens.map(top)), "text_offset": .array(piece.tokens.map { .integer($0.offset) }),
        ]
    }

    /// The likeliest tokens by their texts, and the one that came; of tokens with the same text the likeliest.
    private func top(_ token: SampledToken) -> JSON {
        guard let own = token.logProbability else { return .null }
        var members = JSONObject()
        let all = token.alternatives.map { ($0.id, $0.logProbability) } + [(token.id, own)]
        for (id, logProbability) in all where members[text(id)] == nil {
            members[text(id)] = .logProbability(logProbability)
        }
        return .object(members)
    }

    private func text(_ id: Int) -> String { String(decoding: tokenizer.textBytes(of: id), as: UTF8.self) }
}
