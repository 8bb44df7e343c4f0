import ArgumentParser
import ChatTemplates
import Configuration
import Foundation
import JSONText
import Tokenizers
import Training

/// `rto render`: conversations to the text that a model's chat template makes of them.
struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Render conversations by a chat template, one JSON object per line.",
        discussion: """
            Reads {"messages", "tools", "documents", "add_generation_prompt"} and further variables of the template from \
            standard input and answers {"text"}, or {"error"} where the template itself refuses. A row with tools takes \
            the model's template for tools, where it has one.
            """
    )

    @Option(
        help: "The model whose chat template is used: a directory, or a name on the Hugging Face hub.",
        completion: .directory
    ) var model: String?
    @Option(help: "A file with a template, instead of the model's.", completion: .file()) var chatTemplate: String?

    @Option(help: ArgumentHelp("The local date and time that the template is told.", valueName: "iso-time"))
    var now: String?

    func run() throws {
        let tokenizer = try model.map { try modelTokenizer(locatingTokenizer($0)) }
        let template = try ChatTemplate(source(tokenizer, \.chatTemplate))
        let toolTemplate = try ChatTemplate(source(tokenizer, \.toolChatTemplate))
        let variables = tokenizer?.specialTokens.mapValues(JSON.string) ?? [:]
        let clock = try clock()
        try JSONLines.answer { row in
            let hasTools = !(row["tools"]?.isNull ?? true)
            return try answer(row, hasTools ? toolTemplate : template, variables, clock)
        }
    }

    private func clock() throws -> TemplateClock {
        guard let now else { return .now }
        guard let clock = TemplateClock(iso: now) else {
            throw ConfigurationError.combination("--now takes a time such as 2025-03-14T09:26:53, not '\(now)'")
        }
        return clock
    }

    private func source(_ tokenizer: Tokenizer?, _ ofModel: (Tokenizer) -> String?) throws -> String {
        if let chatTemplate { return try textFile(chatTemplate) }
        guard let tokenizer else {
            throw ConfigurationError.combination("rto render needs --model DIRECTORY or --chat-template FILE")
        }
        guard let template = ofModel(tokenizer) else {
            throw RowError("\(tokenizer.directory.path) has no chat template; name one with --chat-template FILE")
        }
        return template
    }

    private func answer(
        _ row: JSONObject,
        _ template: ChatTemplate,
        _ variables: [String: JSON],
        _ clock: TemplateClock
    ) throws -> JSON {
        guard let messages = row["messages"]?.array else { throw RowError("a row needs 'messages', a list") }
        var variables = variables
        for (key, value) in row.members where key != "messages" && key != "add_generation_prompt" {
            variables[key] = value
        }
        let addsPrompt = try row.bool("add_generation_prompt", default: false)
        do throws(ChatTemplateError) {
            return [
                "text": .string(
                    try template.render(
                        messages: messages,
                        addsGenerationPrompt: addsPrompt,
                        variables: variables,
                        now: clock
                    )
                )
            ]
        } catch {
            guard case .raised(let message) = error.problem else { throw error }
            return ["error": .string(message)]
        }
    }
}
