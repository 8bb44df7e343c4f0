import Foundation
import JSONText
import Testing

@testable import ChatTemplates

/// Random templates with what transformers made of them, recorded by `Fuzz/generate.py`; `$RTO_TEMPLATE_CORPUS` names a longer recording.
@Suite("Recorded random templates") struct FuzzTests {
    @Test("Every template gives the recorded text, refusal or error") func recorded() throws {
        let bundled = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fuzz/corpus.jsonl")
        let longer = ProcessInfo.processInfo.environment["RTO_TEMPLATE_CORPUS"].map { URL(filePath: $0) }
        let clock = try #require(TemplateClock(iso: "2025-03-14T09:26:53"))
        var count = 0
        var differences = 0
        for file in [bundled] + (longer.map { [$0] } ?? []) {
            for line in try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")) {
                let row = try JSON(parsing: line, options: JSONParsingOptions(allowsNonFiniteNumbers: true))
                count += 1
                guard let difference = difference(row, clock) else { continue }
                differences += 1
                if differences <= 10 { Issue.record("\(row["template"]?.string ?? ""): \(difference)") }
            }
        }
        #expect(differences == 0, "of \(count)")
        #expect(count > 1000)
    }

    /// How the rendering differs from the recorded one; nothing where it agrees, or needs integers beyond 64 bits.
    private func difference(_ row: JSON, _ clock: TemplateClock) -> String? {
        var variables: [String: JSON] = [:]
        for (name, value) in row["variables"]?.object?.members ?? [] { variables[name] = value }
        do throws(ChatTemplateError) {
            let text = try ChatTemplate(row["template"]?.string ?? "").render(variables: variables, now: clock).text
            return row["output"] == .string(text) ? nil : "gives \(text.debugDescription)"
        } catch {
            switch error.problem {
            case .raised(let message): return row["raised"] == .string(message) ? nil : "refuses with \(message)"
            case .unsupported: return nil
            default: return row["error"] == nil ? "fails: \(error)" : nil
            }
        }
    }
}
