import JSONText
import Tokenizers

/// A request for what follows texts.
struct CompletionRequest {
    /// The tokens of an answer where the request does not say how many, as OpenAI has it.
    static let defaultLength = 16

    /// The most numbers about prompts in one answer: an echo comes at once, however large it is.
    static let echoLimit = 1 << 20

    let sampling: SamplingFields
    /// How many of the likeliest tokens are wanted beside each; nil wants no log-probabilities.
    let alternatives: Int?
    /// Whether the prompt stands in front of the answer.
    let echoes: Bool
    /// The prompts as they came, and how many.
    private let prompts: [Prompt]

    private enum Prompt {
        case text(String)
        case ids([Int])
    }

    init(_ fields: inout RequestFields) throws(APIError) {
        sampling = try SamplingFields(&fields)
        alternatives = try fields.integer("logprobs", in: 0...SamplingFields.alternativeLimit)
        echoes = try fields.bool("echo") ?? false
        guard sampling.maxTokens != 0 || echoes else {
            throw .invalid("'max_tokens' 0 asks about the prompt alone, which goes with 'echo': true", "max_tokens")
        }
        prompts = try Self.prompts(&fields)
        guard prompts.count * sampling.choiceCount <= SamplingFields.choiceLimit else {
            throw .invalid(
                "\(prompts.count) prompts with \(sampling.choiceCount) choices each are more than "
                    + "\(SamplingFields.choiceLimit) together; send fewer at once",
                "prompt"
            )
        }
        try fields.finish()
    }

    /// What is sampled, a prompt's choices after each other, and the text of each order's prompt.
    func orders(_ model: ServedModel) throws(APIError) -> (orders: [SampleOrder], texts: [String]) {
        var orders: [SampleOrder] = []
        var texts: [String] = []
        for prompt in prompts {
            let ids: [Int]
            let text: String
            switch prompt {
            case .text(let written): (ids, text) = (model.prompts.ids(text: written), written)
            case .ids(let given):
                guard given.allSatisfy({ (0..<model.vocabularySize).contains($0) }) else {
                    throw .invalid(
                        "'prompt' has an id that is not one of the model's \(model.vocabularySize)",
                        "prompt"
                    )
                }
                (ids, text) = (given, echoes ? model.tokenizer.decode(given, skipSpecialTokens: true) : "")
            }
            var found = try sampling.orders(ids, for: model, noun: "prompt", length: Self.defaultLength)
            for place in found.indices {
                found[place].alternatives = alternatives
                found[place].scoresPrompt = echoes && alternatives != nil
            }
            orders += found
            texts += found.map { _ in text }
        }
        try checkEcho(of: orders)
        return (orders, texts)
    }

    private func checkEcho(of orders: [SampleOrder]) throws(APIError) {
        guard echoes, let alternatives else { return }
        let count = orders.reduce(0) { $0 + $1.prompt.count } * (1 + alternatives)
        guard count <= Self.echoLimit else {
            throw .invalid(
                "'echo' with 'logprobs' \(alternatives) asks for \(count) log-probabilities of prompts, and at most "
                    + "\(Self.echoLimit) are answered at once; send fewer prompts or choices, or ask for fewer 'logprobs'",
                "echo"
            )
        }
    }

    private static func prompts(_ fields: inout RequestFields) throws(APIError) -> [Prompt] {
        guard let value = fields.value("prompt") else {
            throw .invalid("'prompt' must be a text, a list of ids, or a list of such", "prompt")
        }
        if let text = value.string { return [.text(text)] }
        guard let list = value.array, !list.isEmpty else {
            throw fields.wrong("prompt", value, "a text, a list of ids, or a list of such")
        }
        if let ids = ids(list) { return [.ids(ids)] }
        var prompts: [Prompt] = []
        for element in list {
            if let text = element.string {
                prompts.append(.text(text))
            } else if let ids = element.array.flatMap(ids) {
                prompts.append(.ids(ids))
            } else {
                throw fields.wrong("prompt", value, "a text, a list of ids, or a list of such")
            }
        }
        return prompts
    }

    private static func ids(_ list: [JSON]) -> [Int]? {
        let ids = list.compactMap(\.integer)
        return ids.count == list.count ? ids : nil
    }
}
