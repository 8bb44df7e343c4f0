import Foundation
import JSONText
import TestSupport

@testable import Evaluation

/// The public AlpacaEval files of six models, and what was published about them.
struct AlpacaEvalFixture: Sendable {
    static let isPresent = SharedFixtures.contains("evaluation/alpaca_eval/expected.json")
    static let models = [
        "FuseChat-Llama-3.1-8B-Instruct", "NullModel", "alpaca-7b_concise", "claude-2.1", "gpt4_0613_concise",
        "vicuna-7b-v1.5",
    ]

    let annotations: Annotations
    let outputs: ModelOutputs
    let expected: JSON

    init(_ model: String) throws {
        var annotations = try Annotations(
            path: Self.path("results/\(model)/weighted_alpaca_eval_gpt4_turbo/annotations.json")
        )
        try annotations.addBaseline(ModelOutputs(path: Self.path("results/gpt4_1106_preview/model_outputs.json")))
        self.annotations = annotations
        outputs = try ModelOutputs(path: Self.path("results/\(model)/model_outputs.json"))
        let file = try JSON(parsing: Data(contentsOf: URL(filePath: Self.path("expected.json"))))
        expected = file[model] ?? .null
    }

    static func path(_ name: String) -> String { SharedFixtures.url("evaluation/alpaca_eval/" + name).path }

    static func lengthControlData() throws -> LengthControlData {
        try LengthControlData(
            gamedPath: path("df_gamed_reconstructed.csv"),
            difficultyPath: path("instruction_difficulty_recovered.csv")
        )
    }

    /// A number of the expected values, by the keys that lead to it.
    func number(_ keys: String...) throws -> Double {
        guard let number = keys.reduce(expected as JSON?, { $0?[$1] })?.number else {
            throw EvaluationError("expected.json has no \(keys.joined(separator: "/"))")
        }
        return number
    }
}
