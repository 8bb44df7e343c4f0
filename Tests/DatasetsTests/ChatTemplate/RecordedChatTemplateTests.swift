import Datasets
import Foundation
import JSONText
import TestSupport
import Testing

/// The recorded templates that must render every conversation; the rest may refuse, but never render something else.
private let familiesInFull = [
    "alpaca", "chatml", "chatml-axolotl", "gemma-it", "gemma-trl", "llama-2-chat", "llama-3-instruct", "llama3-trl",
    "llama3-training-generation", "mistral-instruct", "phi-3", "phi3-trl", "vicuna", "zephyr",
]

@Suite(.enabled(if: SharedFixtures.arePresent, "\(SharedFixtures.reason)"))
struct RecordedChatTemplateTests {
    private let directory: URL

    init() throws { directory = try #require(SharedFixtures.directory).appending(path: "fixtures/chat_templates") }

    @Test("Every recorded conversation renders as transformers rendered it, or is refused")
    func recorded() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        for name in names { try checkTemplate(name) }
    }

    @Test("Every recorded construct of the language gives what Jinja gives, or is refused")
    func constructs() throws {
        let golden = try JSON(parsing: Data(contentsOf: directory.appending(path: "engine_micro.json")))
        let messages = try #require(golden["messages"]?.array)
        for json in try #require(golden["cases"]?.array) {
            let source = json["template"]?.string ?? ""
            do {
                let text = try ChatTemplate(source).render(messages: messages, addsGenerationPrompt: false)
                #expect(json["output"] == .string(text), "\(source)")
            } catch {
                guard case .unsupported = error.problem else {
                    #expect(json["error"] != nil, "\(source): \(error)")
                    continue
                }
            }
        }
    }

    private func checkTemplate(_ name: String) throws {
        let folder = directory.appending(path: name)
        guard let source = try? String(contentsOf: folder.appending(path: "template.jinja"), encoding: .utf8) else {
            return
        }
        let golden = try JSON(parsing: Data(contentsOf: folder.appending(path: "golden.json")))
        var refused = 0
        var count = 0
        for json in try #require(golden["cases"]?.array) {
            count += 1
            do {
                let text = try render(source, json, golden["variables"])
                #expect(json["output"] == .string(text), "\(name): \(json["name"]?.string ?? "")")
            } catch let error as ChatTemplateError {
                if case .unsupported = error.problem {
                    refused += 1
                    #expect(!familiesInFull.contains(name), "\(name): \(error)")
                } else {
                    #expect(json["error"] != nil, "\(name), \(json["name"]?.string ?? ""): \(error)")
                }
                if case .raised(let message) = error.problem { #expect(json["error"]?.string == message) }
            }
        }
        if refused > 0 { print("\(name): \(refused) of \(count) conversations need more of Jinja than is understood") }
    }

    private func render(_ source: String, _ json: JSON, _ variables: JSON?) throws -> String {
        var names: [String: JSON] = [:]
        for (key, value) in (variables?.object?.members ?? []) + (json["extra"]?.object?.members ?? []) {
            names[key] = value
        }
        names["tools"] = json["tools"]
        return try ChatTemplate(source).render(
            messages: try #require(json["messages"]?.array),
            addsGenerationPrompt: json["add_generation_prompt"]?.bool ?? false,
            variables: names
        )
    }
}
