import ChatTemplates
import JSONText
import Tokenizers

/// Makes ids of prompts that come one by one, as they are made of the rows of a file.
public struct PromptTokenizer: Sendable {
    /// The tokenizer.
    public let tokenizer: Tokenizer
    /// What a prompt of plain text is put into.
    private let inputTemplate: InputTemplate?
    /// The templates for conversations without and with tools.
    private let plain: ChatTemplate?
    private let withTools: ChatTemplate?
    /// The special tokens that stand in front of a text.
    private let beginning: [Int]

    /// Reads the templates: the given one, else the tokenizer's own, where it has any.
    ///
    /// - Throws: `ChatTemplateError` where a template cannot be used.
    public init(
        _ tokenizer: Tokenizer,
        chatTemplate: String? = nil,
        inputTemplate: InputTemplate? = nil
    ) throws(ChatTemplateError) {
        self.tokenizer = tokenizer
        self.inputTemplate = inputTemplate
        plain = try Self.parsed(chatTemplate ?? tokenizer.chatTemplate)
        withTools = try Self.parsed(chatTemplate ?? tokenizer.toolChatTemplate)
        beginning = RowTokenizer.beginning(of: tokenizer)
    }

    /// Whether conversations can be rendered.
    public var hasChatTemplate: Bool { plain != nil }

    private static func parsed(_ text: String?) throws(ChatTemplateError) -> ChatTemplate? {
        guard let text else { return nil }
        return try ChatTemplate(text)
    }

    /// The ids of a text in the input template, with what the tokenizer puts in front of a text; a beginning that the text spells out is
    /// not repeated.
    public func ids(text: String) -> [Int] {
        let ids = tokenizer.encode(inputTemplate?.filled(with: text) ?? text, addSpecialTokens: false)
        return ids.starts(with: beginning) ? ids : beginning + ids
    }

    /// The ids of a conversation up to where the assistant's answer begins; nil where there is no template.
    ///
    /// - Parameters:
    ///   - tools: what the template is told of tools
    ///   - variables: further names that the template may read
    /// - Throws: `ChatTemplateError` for what the template refuses.
    public func ids(
        messages: [JSON],
        tools: JSON? = nil,
        variables: [String: JSON] = [:]
    ) throws(ChatTemplateError) -> [Int]? {
        guard let template = tools == nil ? plain : withTools else { return nil }
        var all = tokenizer.specialTokens.mapValues(JSON.string)
        if let tools { all["tools"] = tools }
        all.merge(variables) { $1 }
        let text = try template.render(messages: messages, addsGenerationPrompt: true, variables: all)
        return tokenizer.encode(text, addSpecialTokens: false)
    }
}
