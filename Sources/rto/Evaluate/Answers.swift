import Configuration
import Evaluation
import Foundation
import JSONText
import Training

/// Has a model here answer prompts, through `rto generate`.
struct Answers {
    let configuration: GenerateConfiguration
    let directory: URL

    /// The model's name: its directory's, or its repository's.
    var name: String { shortName(configuration.model.model) }

    /// The answers to prompts, in their order, without white space at their ends.
    func answers(to prompts: [String]) throws -> [String] {
        let (input, output) = (
            directory.appending(path: "prompts.jsonl"), directory.appending(path: "completions.jsonl")
        )
        let rows = prompts.enumerated().map { number, prompt in
            var row = JSONObject()
            row["number"] = .integer(number)
            row["prompt"] = .string(prompt)
            return row
        }
        try RowFile.writeLines(rows, to: input)
        defer { for file in [input, output] { try? FileManager.default.removeItem(at: file) } }
        var configuration = configuration
        configuration.data.sources = [DataSource(path: input.path)]
        configuration.output = output.path
        try generate(configuration)
        // The record by which a run that was stopped would have gone on.
        try? FileManager.default.removeItem(at: output.appendingPathExtension("recipe.yaml"))
        var answers: [Int: String] = [:]
        for row in try RowFile.read(output.path) {
            guard let number = row["number"]?.integer else { continue }
            guard let text = row["completion"]?.string else {
                throw EvaluationError("\(configuration.model.model) has no tokenizer, so its answers are no text")
            }
            answers[number] = text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let missing = prompts.count - answers.count
        guard missing == 0 else {
            throw EvaluationError(
                "\(missing) prompts are longer than --max-prompt-length \(configuration.maxPromptLength)"
            )
        }
        return prompts.indices.compactMap { answers[$0] }
    }
}
