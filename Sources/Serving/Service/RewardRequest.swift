import JSONText
import Tokenizers

/// A request of OpenRLHF's protocol for rewards: `{"query": […]}`, whole texts with their special tokens; `prompts` and `labels` beside them
/// say nothing to a reward model.
struct RewardRequest {
    /// The most texts of one request.
    static let textLimit = 4096

    private let texts: [String]

    init(_ fields: inout RequestFields) throws(APIError) {
        guard let value = fields.value("query") else { throw .invalid("'query' must be a list of texts", "query") }
        let list = value.array ?? [value]
        let texts = list.compactMap(\.string)
        guard texts.count == list.count else { throw .invalid("'query' must be a list of texts", "query") }
        guard texts.count <= Self.textLimit else {
            throw .invalid("'query' has \(texts.count) texts; send at most \(Self.textLimit) at once", "query")
        }
        self.texts = texts
        for key in ["prompts", "labels", "label"] { _ = fields.value(key) }
        try fields.finish()
    }

    /// The ids of each text: fillers and ends of sequence at both its ends are taken away, and one end of sequence is put behind it, as
    /// OpenRLHF's server does.
    func sequences(_ model: ServedRewardModel) throws(APIError) -> [[Int]] {
        let ends = [model.tokenizer.padding, model.tokenizer.endOfSequence].compactMap(\.self)
        var sequences: [[Int]] = []
        for (number, text) in texts.enumerated() {
            var ids = model.tokenizer.encode(text, addSpecialTokens: false)[...]
            while let last = ids.last, ends.contains(last) { ids.removeLast() }
            while let first = ids.first, ends.contains(first), first != model.tokenizer.beginningOfSequence {
                ids.removeFirst()
            }
            let sequence = Array(ids) + [model.tokenizer.endOfSequence].compactMap(\.self)
            guard !sequence.isEmpty, sequence.count <= model.contextLength else {
                throw .invalid(
                    "text \(number + 1) of 'query' has \(sequence.count) tokens; this reward model takes 1 to "
                        + "\(model.contextLength)",
                    "query",
                    code: "context_length_exceeded"
                )
            }
            sequences.append(sequence)
        }
        return sequences
    }

    /// The answer to the scores: by both names that clients look for.
    static func answer(_ rewards: [Double]) -> JSON {
        let list = JSON.array(rewards.map(JSON.number))
        return ["rewards": list, "scores": list]
    }
}
