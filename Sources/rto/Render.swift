import ArgumentParser
import Configuration
import Datasets
import Foundation
import JSONText
import Tokenizers

/// `rto render`: conversations to the text that a model's chat template makes of them.
struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Render conversations by a chat template, one JSON object per line.",
        discussion: """
            Reads {"messages", "add_generation_prompt"} and further variables of the template from standard input and \
            answers {"text"}, or {"error"} where the template itself refuses. Templates of the ChatML and Llama 3 \
            families are understood.
            """
    )

    @Option(help: "The model whose chat template is used.", completion: .directory) var model: String?
    @Option(help: "A file with a template, instead of the model's.", completion: .file()) var chatTemplate: String?

    func run() throws {
        let tokenizer = try model.map { try Tokenizer(directory: URL(filePath: $0)) }
        let template = try ChatTemplate(source(tokenizer))
        var variables: [String: JSON] = [:]
        if let token = tokenizer?.beginningOfSequence.flatMap({ tokenizer?.token($0) }) {
            variables["bos_token"] = .string(token)
        }
        if let token = tokenizer?.endOfSequence.flatMap({ tokenizer?.token($0) }) {
            variables["eos_token"] = .string(token)
        }
        try JSONLines.answer { try answer($0, template, variables) }
    }

    private func source(_ tokenizer: Tokenizer?) throws -> String {
        if let chatTemplate { return try textFile(chatTemplate) }
        guard let tokenizer else {
            throw ConfigurationError.combination("rto render needs --model DIRECTORY or --chat-template FILE")
        }
        guard let template = tokenizer.chatTemplate else {
            throw RowError("\(tokenizer.directory.path) has no chat template; name one with --chat-template FILE")
        }
        return template
    }

    private func answer(_ row: JSONObject, _ template: ChatTemplate, _ variables: [String: JSON]) throws -> JSON {
        guard let messages = row["messages"]?.array else { throw RowError("a row needs 'messages', a list") }
        var variables = variables
        for (key, value) in row.members where key != "messages" && key != "add_generation_prompt" {
            variables[key] = value
        }
        let addsPrompt = try row.bool("add_generation_prompt", default: false)
        do throws(ChatTemplateError) {
            return [
                "text": .string(
                    try template.render(messages: messages, addsGenerationPrompt: addsPrompt, variables: variables)
                )
            ]
        } catch {
            guard case .raised(let message) = error.problem else { throw error }
            return ["error": .string(message)]
        }
    }
}
