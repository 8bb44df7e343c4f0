import Configuration
import Evaluation
import Foundation
import HTTP
import JSONText
import Training

/// Judges pairs of answers by whatever judge the settings name.
struct PairwiseJudging {
    /// AlpacaEval's own judge.
    static let official = (model: "gpt-4-1106-preview", annotator: "weighted_alpaca_eval_gpt4_turbo")

    let judge: JudgeSettings
    let compute: ComputeSettings
    /// The directory of cache and annotations.
    let directory: URL

    /// The name under which annotations are stored.
    var annotator: String {
        if let path = judge.rewardModel { return "reward_model_" + shortName(path) }
        if let path = judge.localModel { return "local_" + shortName(path) }
        guard let model = judge.model, model != Self.official.model else { return Self.official.annotator }
        return "weighted_alpaca_eval_" + model
    }

    /// What a reader must know of any judge but AlpacaEval's own.
    var caveat: String? {
        guard annotator != Self.official.annotator else { return nil }
        let name = (judge.rewardModel ?? judge.localModel).map(reportedName) ?? judge.model ?? ""
        return "Judged by \(name): these are not AlpacaEval's numbers and cannot be compared with its leaderboard."
    }

    /// The annotations of pairs, in their order.
    func annotate(_ pairs: [PairwiseJudge.Pair]) throws -> Annotations {
        guard !pairs.isEmpty else { throw EvaluationError("the two files have no instruction in common") }
        let rows = try judge.url == nil ? locally(pairs) : remotely(pairs)
        let url = directory.appending(path: "annotations.json")
        try RowFile.writeArray(rows, to: url)
        return try Annotations(path: url.path)
    }

    private func remotely(_ pairs: [PairwiseJudge.Pair]) throws -> [JSONObject] {
        let service = try ChatService(
            address: judge.url ?? "",
            model: judge.model ?? Self.official.model,
            judge
        )
        let judge = try PairwiseJudge(
            annotator: annotator,
            service: service,
            prompt: PairwisePrompt(path: self.judge.prompt ?? ""),
            cache: directory.appending(path: "judge_cache.jsonl"),
            pricePerToken: self.judge.pricePerToken
        )
        let earlier = directory.appending(path: "annotations.json").path
        if FileManager.default.fileExists(atPath: earlier) { judge.adopt(try RowFile.read(earlier)) }
        let concurrency = self.judge.concurrency
        let (annotations, failures) = try waiting {
            try await judge.annotate(pairs, concurrency: concurrency, progress: reportJudging)
        }
        reportFailures(failures, "annotations")
        return annotations
    }

    private func locally(_ pairs: [PairwiseJudge.Pair]) throws -> [JSONObject] {
        let different = pairs.indices.filter { pairs[$0].baseline.output != pairs[$0].model.output }
        let preferences = Dictionary(
            uniqueKeysWithValues: zip(different, try localPreferences(different.map { pairs[$0] }))
        )
        return pairs.indices.map { index in
            var row = PairwiseJudge.row(pairs[index], annotator: annotator)
            row["preference"] = .number(preferences[index] ?? 1.5)
            return row
        }
    }

    /// 1 + σ(r(model) − r(baseline)), or the preference that a language model's names for the answers express.
    private func localPreferences(_ pairs: [PairwiseJudge.Pair]) throws -> [Double] {
        guard !pairs.isEmpty else { return [] }
        let prompt = try judge.prompt.map(PairwisePrompt.init)
        let rows = pairs.map { pair -> JSONObject in
            var row = JSONObject()
            guard let prompt, judge.rewardModel == nil else {
                row["prompt"] = .string(pair.baseline.instruction)
                row["chosen"] = .string(pair.model.output)
                row["rejected"] = .string(pair.baseline.output)
                return row
            }
            let isSwitched = OutputOrder.isSwitched(pair.baseline.instruction)
            let (first, second) = isSwitched ? (pair.model, pair.baseline) : (pair.baseline, pair.model)
            let messages = prompt.messages(
                instruction: pair.baseline.instruction,
                first: first.output,
                second: second.output
            )
            row["prompt"] = .array(messages.map(\.json))
            row["chosen"] = isSwitched ? "m" : "M"
            row["rejected"] = isSwitched ? "M" : "m"
            return row
        }
        let file = directory.appending(path: "judged_pairs.jsonl")
        try RowFile.writeLines(rows, to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        var configuration = HeldOutConfiguration()
        configuration.compute = compute
        configuration.rewardModel = judge.rewardModel
        configuration.model.model = judge.localModel ?? ""
        configuration.data.sources = [DataSource(path: file.path)]
        configuration.data.maxLength = nil
        let rewards =
            try judge.rewardModel == nil ? firstTokenLogProbabilities(configuration) : heldOutRewards(configuration)
        return PairAgreement.preferences(chosen: rewards.chosen, rejected: rewards.rejected)
    }
}

extension ChatService {
    /// A service with the key of the environment, as settings name it.
    init(address: String, model: String, _ judge: JudgeSettings) throws(HTTPError) {
        var settings = HTTPSettings()
        settings.attempts = judge.attempts
        settings.timeOut = judge.timeOut
        let key = ProcessInfo.processInfo.environment["OPENAI_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        try self.init(address: address, model: model, key: key, settings)
    }
}

/// Says how far judging is.
func reportJudging(done: Int, failed: Int) {
    if done % 50 == 0 { note("judged \(done)" + (failed > 0 ? ", \(failed) failed" : "")) }
}

/// Says what was not judged, with one of the reasons.
func reportFailures(_ failures: [Int: HTTPError], _ noun: String) {
    guard let first = failures.min(by: { $0.key < $1.key })?.value else { return }
    note("\(failures.count) \(noun) failed and are left empty; the same command tries them again. The first: \(first)")
}
