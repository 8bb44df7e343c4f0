import Foundation
import JSONText
import TestSupport
import Testing

@testable import ChatTemplates

@Suite(.enabled(if: SharedFixtures.contains("fixtures/chat_templates"), "\(SharedFixtures.reason)"))
struct RecordedTemplateTests {
    static let names = [
        "alpaca", "chatml", "chatml-axolotl", "deepseek-v3", "gemma-it", "gemma-trl", "llama-2-chat",
        "llama-3-instruct",
        "llama-3.1-tools", "llama3-training-generation", "llama3-trl", "mistral-instruct", "phi-3", "phi3-trl",
        "qwen2.5-tools", "vicuna", "zephyr",
    ]

    @Test("Every recorded conversation renders, or fails, as it did in transformers", arguments: names)
    func conversations(name: String) throws {
        let folder = SharedFixtures.url("fixtures/chat_templates/\(name)")
        let template = try ChatTemplate(String(contentsOf: folder.appending(path: "template.jinja"), encoding: .utf8))
        let golden = try JSON(parsing: Data(contentsOf: folder.appending(path: "golden.json")))
        for json in try #require(golden["cases"]?.array) {
            var variables: [String: JSON] = [:]
            for (key, value) in (golden["variables"]?.object?.members ?? []) + (json["extra"]?.object?.members ?? []) {
                variables[key] = value
            }
            variables["tools"] = json["tools"]
            try check(json) { () throws(ChatTemplateError) in
                try template.render(
                    messages: json["messages"]?.array ?? [],
                    addsGenerationPrompt: json["add_generation_prompt"]?.bool ?? false,
                    variables: variables,
                    now: clock
                )
            }
        }
    }

    @Test("Every recorded construct of the language gives what Jinja gives")
    func constructs() throws {
        let golden = try JSON(
            parsing: Data(contentsOf: SharedFixtures.url("fixtures/chat_templates/engine_micro.json"))
        )
        let messages = try #require(golden["messages"]?.array)
        for json in try #require(golden["cases"]?.array) {
            try check(json) { () throws(ChatTemplateError) in
                try ChatTemplate(json["template"]?.string ?? "")
                    .render(messages: messages, addsGenerationPrompt: false, now: clock)
            }
        }
    }

    private var clock: TemplateClock { TemplateClock(iso: "2025-03-14T09:26:53") ?? .now }

    private func check(_ json: JSON, _ render: () throws(ChatTemplateError) -> String) throws {
        let name: Comment = "\(json["name"]?.string ?? json["template"]?.string ?? "")"
        do throws(ChatTemplateError) {
            let text = try render()
            #expect(json["output"] == .string(text), name)
        } catch {
            if case .raised(let message) = error.problem {
                #expect(json["error"]?.string == message, name)
            } else {
                #expect(json["error_type"] != nil && json["error_type"] != "TemplateError", "\(name): \(error)")
            }
        }
    }
}
