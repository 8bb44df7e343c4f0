import ChatTemplates
import JSONText

/// A request for the next message of a conversation.
struct ChatRequest {
    let sampling: SamplingFields
    /// How many of the likeliest tokens are wanted beside each; nil wants no log-probabilities.
    let alternatives: Int?
    private let messages: [JSON]
    private let tools: JSON?
    private let variables: [String: JSON]

    init(_ fields: inout RequestFields) throws(APIError) {
        sampling = try SamplingFields(&fields)
        guard sampling.maxTokens != 0 else { throw .invalid("'max_tokens' must be at least 1", "max_tokens") }
        let top = try fields.integer("top_logprobs", in: 0...SamplingFields.alternativeLimit)
        let isScored = try fields.bool("logprobs") ?? false
        if top != nil, !isScored { throw .invalid("'top_logprobs' goes with 'logprobs': true", "top_logprobs") }
        alternatives = isScored ? top ?? 0 : nil
        messages = try Self.messages(&fields)
        let tools = try Self.tools(&fields)
        self.tools = tools
        let further = fields.value("chat_template_kwargs")
        guard further == nil || further?.object != nil else {
            throw .invalid("'chat_template_kwargs' must be an object", "chat_template_kwargs")
        }
        variables = Dictionary(uniqueKeysWithValues: (further?.object?.members ?? []).map { ($0.key, $0.value) })
        try fields.finish()
    }

    /// What is sampled.
    func orders(_ model: ServedModel) throws(APIError) -> [SampleOrder] {
        var orders = try sampling.orders(try ids(model), for: model, noun: "messages", length: nil)
        for place in orders.indices { orders[place].alternatives = alternatives }
        return orders
    }

    private func ids(_ model: ServedModel) throws(APIError) -> [Int] {
        do {
            if let ids = try model.prompts.ids(messages: messages, tools: tools, variables: variables) { return ids }
        } catch {
            if case .raised(let reason) = error.problem {
                throw .invalid("the chat template refuses the messages: \(reason)", "messages")
            }
            throw .invalid("the chat template cannot render the messages: \(error)", "messages")
        }
        throw .invalid("the model '\(model.name)' has no chat template; /v1/completions takes plain text", "messages")
    }

    private static func messages(_ fields: inout RequestFields) throws(APIError) -> [JSON] {
        guard let list = fields.value("messages")?.array, !list.isEmpty else {
            throw .invalid("'messages' must be a list of at least one message", "messages")
        }
        var messages: [JSON] = []
        for (number, message) in list.enumerated() {
            let place = "messages[\(number)]"
            guard var members = message.object, members["role"]?.string != nil else {
                throw .invalid("'\(place)' must be an object with a 'role'", place)
            }
            members["content"] = try content(members["content"], place)
            members["tool_calls"] = calls(members["tool_calls"])
            messages.append(.object(members))
        }
        return messages
    }

    /// The text of a message: as it is, or its parts of text in lines of their own.
    private static func content(_ content: JSON?, _ place: String) throws(APIError) -> JSON {
        guard let content, !content.isNull else { return "" }
        if content.string != nil { return content }
        var lines: [String] = []
        for part in content.array ?? [nil] {
            guard part["type"]?.string == "text", let text = part["text"]?.string else {
                throw .invalid("'\(place).content' must be a text or parts of the type 'text'", place + ".content")
            }
            lines.append(text)
        }
        return .string(lines.joined(separator: "\n"))
    }

    /// Calls of tools with their arguments as templates want them: as objects, and not as the texts that OpenAI's clients send.
    private static func calls(_ calls: JSON?) -> JSON? {
        guard let list = calls?.array else { return nil }
        return .array(
            list.map { call in
                guard var members = call.object, var function = call["function"]?.object,
                    let text = function["arguments"]?.string, let arguments = try? JSON(parsing: text)
                else { return call }
                function["arguments"] = arguments
                members["function"] = .object(function)
                return .object(members)
            }
        )
    }

    private static func tools(_ fields: inout RequestFields) throws(APIError) -> JSON? {
        let tools = fields.value("tools")
        guard tools == nil || tools?.array != nil else { throw .invalid("'tools' must be a list", "tools") }
        switch fields.value("tool_choice") {
        case nil, "auto"?: return tools?.array?.isEmpty == true ? nil : tools
        case "none"?: return nil
        default:
            throw .invalid(
                "'tool_choice' other than 'auto' and 'none' is not supported; the model writes what it will",
                "tool_choice",
                code: "unsupported_parameter"
            )
        }
    }
}
