import JSONText

/// A model's chat template: the text, in the language of Jinja, that turns messages into a prompt.
///
/// It is run as transformers runs it: in Jinja's immutable sandbox, with `trim_blocks` and `lstrip_blocks`, loop controls, generation blocks
/// and the functions `raise_exception` and `strftime_now`. What a template could only use with other templates (`include`, `import`,
/// `extends`, `block`) is refused by name, and so is an integer beyond 64 bits. A template that does more than any needs to is stopped.
public struct ChatTemplate: Sendable {
    private let source: [Unicode.Scalar]
    private let block: Block
    /// Whether the template says which stretches of its text the assistant has written.
    public let marksGenerations: Bool

    /// Parses a template.
    ///
    /// - Throws: `ChatTemplateError` with the place where the text is no template, or has a construct that is not supported.
    public init(_ text: String) throws(ChatTemplateError) {
        source = Lexer.scalars(of: text)
        do throws(Fault) {
            var lexer = Lexer(source)
            var parser = Parser(try lexer.words())
            block = try ScopeResolver.resolve(try parser.template())
        } catch {
            throw ChatTemplateError(error, in: source)
        }
        marksGenerations = block.body.containGenerations
    }

    /// What a template makes of a conversation.
    public struct Rendering: Sendable, Equatable {
        /// The text.
        public let text: String
        /// The stretches of the text's UTF-8 bytes that stand in generation blocks, in order.
        public let generations: [Range<Int>]
    }

    /// Renders a conversation.
    ///
    /// - Parameters:
    ///   - messages: Objects with a role and content.
    ///   - addsGenerationPrompt: Whether the text ends where the assistant's answer begins.
    ///   - variables: Further names that the template may read, such as `bos_token` and `tools`; one that is missing renders as nothing.
    ///   - now: The date that the template is told, where it asks.
    /// - Throws: `ChatTemplateError` for what the template itself refuses, and for what it reads that is not there.
    public func render(
        messages: [JSON],
        addsGenerationPrompt: Bool,
        variables: [String: JSON] = [:],
        now: TemplateClock = .now
    ) throws(ChatTemplateError) -> String {
        var variables = variables
        variables["messages"] = .array(messages.map(withReasoning))
        variables["add_generation_prompt"] = .bool(addsGenerationPrompt)
        for name in ["tools", "documents"] where variables[name] == nil { variables[name] = .null }
        return try render(variables: variables, now: now, tracksGenerations: false).text
    }

    /// Renders a whole conversation and says which stretches of it the assistant has written.
    ///
    /// - Throws: `ChatTemplateError` as ``render(messages:addsGenerationPrompt:variables:now:)`` does.
    public func renderMarked(
        messages: [JSON],
        variables: [String: JSON] = [:],
        now: TemplateClock = .now
    ) throws(ChatTemplateError) -> Rendering {
        var variables = variables
        variables["messages"] = .array(messages.map(withReasoning))
        variables["add_generation_prompt"] = .bool(false)
        for name in ["tools", "documents"] where variables[name] == nil { variables[name] = .null }
        return try render(variables: variables, now: now, tracksGenerations: true)
    }

    /// Renders with the given names and no others.
    func render(
        variables: [String: JSON],
        now: TemplateClock = .now,
        tracksGenerations: Bool = false
    ) throws(ChatTemplateError) -> Rendering {
        do throws(Fault) {
            var values: [String: Value] = [:]
            for (name, value) in variables { values[name] = try Value(value) }
            let interpreter = Interpreter(variables: values, now: now, tracksGenerations: tracksGenerations)
            try interpreter.run(block)
            return Rendering(text: interpreter.output, generations: interpreter.generations)
        } catch {
            throw ChatTemplateError(error, in: source)
        }
    }

    /// A message whose reasoning stands under each name that templates know it by, as transformers does it.
    private func withReasoning(_ message: JSON) -> JSON {
        guard let object = message.object,
            let reasoning = ["reasoning_content", "thinking", "reasoning"].lazy.compactMap({ object[$0] }).first(
                where: {
                    !$0.isNull
                })
        else { return message }
        var result = JSONObject()
        result["thinking"] = reasoning
        for (key, value) in object.members { result[key] = value }
        result["reasoning_content"] = reasoning
        return .object(result)
    }
}

extension [Statement] {
    /// Whether a generation block stands in any of them.
    fileprivate var containGenerations: Bool { contains(where: \.kind.containsGenerations) }
}

extension Statement.Kind {
    fileprivate var containsGenerations: Bool {
        switch self {
        case .generation: true
        case .condition(let branches, let otherwise):
            branches.contains(where: \.body.containGenerations) || otherwise.containGenerations
        case .loop(let loop): loop.body.body.containGenerations || loop.otherwise.body.containGenerations
        case .blockAssignment(_, _, let block), .with(_, let block), .filterBlock(_, let block):
            block.body.containGenerations
        case .macro(let macro), .callBlock(_, let macro): macro.block.body.containGenerations
        case .text, .output, .assignment, .breakLoop, .continueLoop: false
        }
    }
}
