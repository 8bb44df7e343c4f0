import ChatTemplates
import JSONText
import Tokenizers

/// Renders the messages of rows by a chat template.
///
/// Templates are told what transformers tells them: the messages, `tools` and `documents` of the row, the tokenizer's special tokens, and as
/// further variables every column of the row that is no message, text or label, and the members of its `chat_template_kwargs`.
struct RowRenderer: Sendable {
    private let tokenizer: Tokenizer?
    /// The templates for rows without and with tools, or why they cannot be used; only rows with messages ask for them.
    private let plain: Result<ChatTemplate, ChatTemplateError>?
    private let withTools: Result<ChatTemplate, ChatTemplateError>?
    /// One date for all rows, so that they agree.
    private let now = TemplateClock.now

    init(tokenizer: Tokenizer?, chatTemplate: String?) {
        self.tokenizer = tokenizer
        func parsed(_ source: String) -> Result<ChatTemplate, ChatTemplateError> {
            Result { () throws(ChatTemplateError) in try ChatTemplate(source) }
        }
        plain = (chatTemplate ?? tokenizer?.chatTemplate).map(parsed)
        withTools = (chatTemplate ?? tokenizer?.toolChatTemplate).map(parsed)
    }

    /// Whether the template says what of a conversation the assistant has written.
    func marksGenerations(_ row: DatasetRow) throws(DatasetError) -> Bool {
        try rendering(row) { (template) throws(ChatTemplateError) in template.marksGenerations }
    }

    func text(_ messages: [JSON], addsGenerationPrompt: Bool, _ row: DatasetRow) throws(DatasetError) -> String {
        try rendering(row) { (template) throws(ChatTemplateError) in
            try template.render(
                messages: messages,
                addsGenerationPrompt: addsGenerationPrompt,
                variables: variables(of: row),
                now: now
            )
        }
    }

    func marked(_ messages: [JSON], _ row: DatasetRow) throws(DatasetError) -> ChatTemplate.Rendering {
        try rendering(row) { (template) throws(ChatTemplateError) in
            try template.renderMarked(messages: messages, variables: variables(of: row), now: now)
        }
    }

    private func rendering<Result>(
        _ row: DatasetRow,
        _ body: (ChatTemplate) throws(ChatTemplateError) -> Result
    ) throws(DatasetError) -> Result {
        guard tokenizer != nil else {
            throw row.error(.cannotRender("the row holds messages, and there is no tokenizer"))
        }
        guard let template = row.has("tools") ? withTools : plain else {
            throw row.error(
                .cannotRender(
                    "the row holds messages, and the tokenizer has no chat template: give one by --chat-template"
                )
            )
        }
        do {
            return try body(try template.get())
        } catch {
            throw row.error(.cannotRender("\(error)".withoutFinalPeriod))
        }
    }

    /// The columns of what is learned or answered.
    static let contentColumns: Set<String> = [
        "messages", "prompt", "context_messages", "completion", "chosen", "rejected", "label", "margin", "text",
    ]

    /// The variables of templates that transformers knows by name.
    static let knownVariables: Set<String> = ["tools", "documents", "chat_template_kwargs"]

    /// The columns that are no variables of a template.
    private static let otherColumns = contentColumns.union(["chat_template_kwargs", "add_generation_prompt"])

    private func variables(of row: DatasetRow) -> [String: JSON] {
        var variables = tokenizer?.specialTokens.mapValues(JSON.string) ?? [:]
        for (key, value) in row.object.members where !Self.otherColumns.contains(key) { variables[key] = value }
        for (key, value) in row.object["chat_template_kwargs"]?.object?.members ?? [] { variables[key] = value }
        // Tables without nested columns hold tools as JSON.
        if let text = variables["tools"]?.string, let tools = try? JSON(parsing: text) { variables["tools"] = tools }
        return variables
    }
}

extension String {
    /// The sentence without its period, to stand within another.
    var withoutFinalPeriod: String { hasSuffix(".") ? String(dropLast()) : self }

    /// Whether there is nothing but white space.
    var isBlank: Bool { unicodeScalars.allSatisfy(\.properties.isWhitespace) }
}
