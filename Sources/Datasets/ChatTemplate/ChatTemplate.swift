import JSONText

/// A model's chat template: the text, in the language of Jinja, that turns messages into a prompt.
///
/// What the templates of the ChatML and Llama 3 families do with messages is understood: text, `if`, `for`, `set`, expressions,
/// `trim` and a few more filters, `raise_exception`, and Jinja's rules of white space as transformers sets them. A template may hold
/// other constructs in branches that are not taken, such as those for tools; where one is reached, rendering refuses and names it.
public struct ChatTemplate: Sendable {
    private let statements: [TemplateStatement]

    /// Parses a template.
    ///
    /// - Throws: `ChatTemplateError` with the line where the text is no template, or has a construct that is not understood.
    public init(_ source: String) throws(ChatTemplateError) {
        var parser = try TemplateParser(source)
        statements = try parser.template()
    }

    /// Renders a conversation.
    ///
    /// - Parameters:
    ///   - messages: Objects with a role and content.
    ///   - addsGenerationPrompt: Whether the text ends where the assistant's answer begins.
    ///   - variables: Further names that the template may read, such as `bos_token`; one that is missing renders as nothing.
    /// - Throws: `ChatTemplateError` for what the template itself refuses, and for what it reads that is not there.
    public func render(
        messages: [JSON],
        addsGenerationPrompt: Bool,
        variables: [String: JSON] = [:]
    ) throws(ChatTemplateError) -> String {
        var names = variables.mapValues(TemplateValue.data)
        names["messages"] = .data(.array(messages))
        names["add_generation_prompt"] = .data(.bool(addsGenerationPrompt))
        for name in ["tools", "documents"] where names[name] == nil { names[name] = .data(.null) }
        var renderer = TemplateRenderer(variables: names)
        try renderer.run(statements)
        return renderer.text
    }
}

/// Why a chat template cannot be read or rendered, and on which of its lines.
public struct ChatTemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line of the template, counted from 1.
    public let line: Int
    /// What is wrong.
    public let problem: Problem

    /// The problems there are.
    public enum Problem: Equatable, Sendable {
        /// The text is no template.
        case syntax(String)
        /// The template uses what is not understood here.
        case unsupported(String)
        /// The template refused the conversation by its own `raise_exception`.
        case raised(String)
        /// An expression has no value, for instance because a message lacks its role.
        case evaluation(String)
    }

    /// One sentence: where, what, and what to do where that is known.
    public var description: String {
        switch problem {
        case .syntax(let reason): "chat template, line \(line): \(reason)"
        case .unsupported(let construct):
            "chat template, line \(line): \(construct) is not supported; templates of the ChatML and Llama 3 families are, and"
                + " --chat-template takes one"
        case .raised(let message): "the chat template refuses the conversation: \(message)"
        case .evaluation(let reason): "chat template, line \(line): \(reason)"
        }
    }
}
