import JSONText
import Tokenizers

/// What chat and completion requests say alike about how tokens are drawn and how they are answered.
struct SamplingFields {
    /// The most choices of one request, those of all its prompts together.
    static let choiceLimit = 128
    /// The most alternatives beside a token.
    static let alternativeLimit = 20

    var temperature = 1.0
    var topP = 1.0
    var topK = 0
    var minTokens = 0
    var maxTokens: Int?
    var choiceCount = 1
    var stops: [String] = []
    var seed: UInt64
    var streams = false
    var includesUsage = false

    init(_ fields: inout RequestFields) throws(APIError) {
        temperature = try fields.number("temperature", in: 0...2) ?? 1
        if temperature > 0, temperature < 0.001 {
            throw .invalid("'temperature' must be 0, for the likeliest token, or at least 0.001", "temperature")
        }
        topP = try fields.number("top_p", in: 0...1) ?? 1
        guard topP > 0 else { throw .invalid("'top_p' must be more than 0", "top_p") }
        topK = max(0, try fields.integer("top_k", in: -1...(1 << 30)) ?? 0)
        minTokens = try fields.integer("min_tokens", in: 0...(1 << 30)) ?? 0
        let old = try fields.integer("max_tokens", in: 0...(1 << 30))
        let new = try fields.integer("max_completion_tokens", in: 0...(1 << 30))
        if let old, let new, old != new {
            throw .invalid("'max_tokens' is \(old) and 'max_completion_tokens' \(new); give one", "max_tokens")
        }
        maxTokens = new ?? old
        choiceCount = try fields.integer("n", in: 1...Self.choiceLimit) ?? 1
        if let best = try fields.integer("best_of", in: 1...Self.choiceLimit), best != choiceCount {
            throw .invalid("'best_of' other than 'n' is not supported", "best_of", code: "unsupported_parameter")
        }
        stops = try Self.stops(&fields)
        seed =
            try fields.integer("seed", in: Int.min...Int.max).map { UInt64(bitPattern: Int64($0)) }
            ?? UInt64.random(in: 0...UInt64.max)
        streams = try fields.bool("stream") ?? false
        if let options = fields.value("stream_options") {
            guard let object = options.object, streams else {
                throw .invalid("'stream_options' is an object that goes with 'stream'", "stream_options")
            }
            for (key, value) in object.members where !value.isNull {
                switch (key, value.bool) {
                case ("include_usage", let value?): includesUsage = value
                // It asks for padding against eavesdroppers, which changes no text.
                case ("include_obfuscation", .some): break
                case ("continuous_usage_stats", false?): break
                default:
                    throw .invalid("'stream_options' has only 'include_usage', true or false", "stream_options")
                }
            }
        }
    }

    private static func stops(_ fields: inout RequestFields) throws(APIError) -> [String] {
        guard let value = fields.value("stop") else { return [] }
        let list = value.array ?? [value]
        let texts = list.compactMap(\.string)
        guard texts.count == list.count, texts.count <= 4, texts.allSatisfy({ (1...1000).contains($0.utf8.count) })
        else {
            throw .invalid("'stop' must be a text or a list of up to 4 texts, of 1 to 1000 bytes each", "stop")
        }
        return texts
    }

    /// Whose answers are wanted: the sequences of one prompt.
    ///
    /// - Parameters:
    ///   - noun: the member that holds the prompt
    ///   - length: the most tokens of an answer where the request does not say it
    func orders(_ prompt: [Int], for model: ServedModel, noun: String, length: Int?) throws(APIError) -> [SampleOrder] {
        guard !prompt.isEmpty else { throw .invalid("'\(noun)' has no tokens", noun) }
        let room = model.contextLength - prompt.count
        let limit = model.answerLimit
        if let maxTokens, let limit, maxTokens > limit {
            throw .invalid("'max_tokens' is \(maxTokens), and this server gives at most \(limit)", "max_tokens")
        }
        let wanted = maxTokens ?? max(1, min(room, length ?? room, limit ?? room))
        guard wanted <= room else {
            throw .invalid(
                "the prompt has \(prompt.count) tokens and \(wanted) more are asked for; this model takes "
                    + "\(model.contextLength) together",
                noun,
                code: "context_length_exceeded"
            )
        }
        guard minTokens <= wanted else { throw .invalid("'min_tokens' is more than \(wanted), the most", "min_tokens") }
        var order = SampleOrder(prompt: prompt, maxNewTokens: wanted, seed: seed)
        order.minNewTokens = minTokens
        order.temperature = temperature
        order.topP = topP
        order.topK = topK
        order.stopTokens = model.stopTokens.union(stops.compactMap { model.tokenizer.specialToken($0) })
        return (0..<choiceCount).map { number in
            order.number = number
            return order
        }
    }
}

extension Tokenizer {
    /// The id of a text that is a special token, so that it stops an answer although it is never part of its text.
    fileprivate func specialToken(_ text: String) -> Int? {
        id(of: text).flatMap { isSpecial($0) ? $0 : nil }
    }
}
