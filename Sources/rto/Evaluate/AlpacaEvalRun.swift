import Configuration
import Evaluation
import Foundation
import JSONText
import Training

/// `rto evaluate alpaca-eval`: answers, annotations, numbers, files.
struct AlpacaEvalRun {
    let configuration: AlpacaEvalConfiguration
    private let directory: URL?

    init(_ configuration: AlpacaEvalConfiguration) {
        self.configuration = configuration
        directory = configuration.output.map { URL(filePath: $0) }
    }

    func run() throws {
        var outputs = try configuration.outputs.map { path throws(EvaluationError) in try ModelOutputs(path: path) }
        let reference = try configuration.reference.map { path throws(EvaluationError) in try ModelOutputs(path: path) }
        var annotations: Annotations
        var caveat: String?
        if let path = configuration.annotations {
            annotations = try Annotations(path: path)
        } else {
            guard let reference, let directory else { throw EvaluationError("judging needs --reference and --output") }
            let model = try outputs ?? generated(reference, directory)
            outputs = model
            let judging = PairwiseJudging(
                judge: configuration.judge,
                compute: configuration.compute,
                directory: directory
            )
            caveat = judging.caveat
            let pairs = ModelOutputs.pairs(baseline: reference, model: model)
            if pairs.count != reference.rows.count || pairs.count != model.rows.count {
                note(
                    "\(pairs.count) pairs of \(reference.rows.count) reference and \(model.rows.count) model answers are judged"
                )
            }
            annotations = try judging.annotate(pairs)
        }
        if let reference { try annotations.addBaseline(reference) }
        let score = try score(annotations, outputs)
        if let caveat { note(caveat) }
        if let directory { try write(score, annotations, caveat, to: directory) }
        try writeToStandardOutput((configuration.printsJSON ? score.json.serialized() : Self.table(score)) + "\n")
    }

    /// The model's answers to the evaluation set, made here unless an earlier run has left them.
    private func generated(_ reference: ModelOutputs, _ directory: URL) throws -> ModelOutputs {
        let answering = Answers(configuration: configuration.generation, directory: directory)
        let url = directory.appending(path: "model_outputs.json")
        if FileManager.default.fileExists(atPath: url.path) {
            note("the answers in \(url.path) are used; remove the file to have the model answer again")
            return try ModelOutputs(path: url.path)
        }
        let instructions: [(text: String, dataset: String?)]
        if let path = configuration.evaluationSet {
            instructions = try RowFile.read(path).enumerated().map { index, row in
                guard let text = row["instruction"]?.string else {
                    throw EvaluationError("\(path), row \(index + 1): there is no \"instruction\"")
                }
                return (text, row["dataset"]?.string)
            }
        } else {
            instructions = reference.rows.map { ($0.instruction, $0.dataset) }
        }
        let name = configuration.name ?? answering.name
        let answers = try answering.answers(to: instructions.map(\.text))
        let rows = zip(instructions, answers).map { instruction, answer in
            ModelOutputs.Row(
                instruction: instruction.text,
                output: answer,
                generator: name,
                dataset: instruction.dataset
            )
        }
        try RowFile.writeArray(rows.map(\.json), to: url)
        return try ModelOutputs(path: url.path)
    }

    private func score(_ annotations: Annotations, _ outputs: ModelOutputs?) throws -> AlpacaEvalScore {
        let model = try configuration.name ?? annotations.generator("generator_2") ?? outputs?.generator() ?? "model"
        let baseline = try annotations.generator("generator_1")
        let rate = WinRate(annotations.rows.map(\.preference))
        guard rate.total > 0 else { throw EvaluationError("no annotation has a preference") }
        if outputs == nil { note("without --outputs the average length is that of the annotated answers alone") }
        return AlpacaEvalScore(
            model: model,
            winRate: rate,
            averageLength: outputs?.averageLength ?? annotations.averageLength,
            lengthControl: model == baseline ? .baseline : try lengthControl(annotations).map { .fitted($0) }
        )
    }

    /// The length-controlled fit, or nil, with the reason for the person, where an input is missing.
    private func lengthControl(_ annotations: Annotations) throws -> LengthControl? {
        let cached = LengthControlData.cached(ProcessInfo.processInfo.environment)
        guard let gamed = configuration.gamed ?? cached?.gamed else {
            note(
                "no length-controlled win rate: it needs --gamed and --difficulty (df_gamed.csv and instruction_difficulty.csv)"
            )
            return nil
        }
        let data = try LengthControlData(
            gamedPath: gamed,
            difficultyPath: configuration.difficulty ?? (configuration.gamed == nil ? cached?.difficulty : nil)
        )
        guard let rows = try annotations.lengthControlRows(difficulty: data.difficulty) else {
            note("no length-controlled win rate: the annotations lack the baseline's answers, which --reference adds")
            return nil
        }
        let folds = try configuration.folds.map { path throws(EvaluationError) in
            try FoldTable(path: path, rows: data.gamed, rows)
        }
        let fit = try LengthControl(
            rows,
            gamed: data.gamed,
            regularization: configuration.regularization,
            folds: folds
        )
        note(String(format: "length-controlled fit: C %g, gradient norm %.1e", fit.regularization, fit.gradientNorm))
        return fit
    }

    private func write(_ score: AlpacaEvalScore, _ annotations: Annotations, _ caveat: String?, to directory: URL)
        throws
    {
        let rows = annotations.rows.enumerated().map { index, row in
            var object = row.json
            object["output_1"] = row.baselineOutput.map { .string($0) }
            if let fit = score.fit { object["glm_preference"] = .number(fit.predictions[index]) }
            return object
        }
        try RowFile.writeArray(rows, to: directory.appending(path: "annotations.json"))
        try RowFile.write(score.leaderboard, to: directory.appending(path: "leaderboard.csv"))
        let report = annotations.report(
            title: "AlpacaEval 2: \(score.model)",
            caveats: [caveat].compactMap { $0 },
            table: Self.cells(score)
        )
        try RowFile.write(report.html, to: directory.appending(path: "report.html"))
    }

    private static func cells(_ score: AlpacaEvalScore) -> [[String]] {
        func percent(_ value: Double?) -> String { value.map { String(format: "%.2f", $0) } ?? "–" }
        let rate = score.winRate
        return [
            ["model", "LC win rate", "± se", "win rate", "± se", "wins", "losses", "draws", "length"],
            [
                score.model, percent(score.controlled?.rate), percent(score.controlled?.error), percent(rate.winRate),
                percent(rate.standardError), String(rate.wins), String(rate.baselineWins), String(rate.draws),
                String(score.averageLength),
            ],
        ]
    }

    private static func table(_ score: AlpacaEvalScore) -> String { textTable(cells(score)) }
}
