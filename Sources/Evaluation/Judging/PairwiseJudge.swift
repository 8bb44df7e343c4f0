import Foundation
import HTTP
import JSONText

/// Has pairs of answers judged, and makes AlpacaEval's annotations of the verdicts.
public struct PairwiseJudge: Sendable {
    /// The annotator's name in the annotations.
    public let annotator: String
    /// What the service takes for a token, in US dollars; nil where it is not known.
    public let pricePerToken: Double?
    private let service: ChatService
    private let prompt: PairwisePrompt
    private let cache: JudgeCache

    /// What the judge is asked for: one token with the likeliest alternatives.
    ///
    /// The temperature would only matter for sampling.
    private static let parameters: JSONObject = {
        var parameters = JSONObject()
        parameters["max_tokens"] = 1
        parameters["temperature"] = 1
        parameters["logprobs"] = true
        parameters["top_logprobs"] = 5
        return parameters
    }()

    /// A judge with its cache, whose records are annotations keyed as the original's.
    ///
    /// - Parameter pricePerToken: what the service takes for a token, in US dollars; nil is what the original reckons with.
    public init(
        annotator: String,
        service: ChatService,
        prompt: PairwisePrompt,
        cache url: URL,
        pricePerToken: Double? = nil
    ) throws(EvaluationError) {
        self.annotator = annotator
        self.pricePerToken = pricePerToken ?? Self.reckonedPrice(of: service.model)
        (self.service, self.prompt) = (service, prompt)
        cache = try JudgeCache(url, keys: ["instruction", "output_1", "output_2", "annotator"])
    }

    /// Takes over annotations made before, by this program or by the original, so that they are not paid for again.
    public func adopt(_ annotations: [JSONObject]) {
        cache.adopt(annotations.filter { $0["preference"]?.number != nil && $0["annotator"]?.string == annotator })
    }

    /// A pair to judge.
    public typealias Pair = (baseline: ModelOutputs.Row, model: ModelOutputs.Row)

    /// The annotations of pairs, in their order; a preference is null where the judge gave none.
    ///
    /// - Returns: the annotations, and why calls failed, by the number of their pair.
    /// - Throws: where no call can succeed, or the cache cannot be written.
    public func annotate(
        _ pairs: [Pair],
        concurrency: Int,
        progress: @Sendable @escaping (_ done: Int, _ failed: Int) -> Void
    ) async throws -> (annotations: [JSONObject], failures: [Int: HTTPError]) {
        let rows = pairs.map { Self.row($0, annotator: annotator) }
        var seen: Set<TextKey> = []
        let open = pairs.indices.filter { index in
            let pair = pairs[index]
            let key = TextKey(pair.baseline.instruction, pair.baseline.output, pair.model.output)
            return !Self.areEqual(pair) && cache.record(like: rows[index]) == nil && seen.insert(key).inserted
        }
        let failures = try await JudgingRun.forEach(open, limit: concurrency, progress: progress) { index in
            try await cache.store(judged(pairs[index], rows[index]))
        }
        let annotations = pairs.indices.map { index in
            var row = rows[index]
            if Self.areEqual(pairs[index]) {
                row["preference"] = 1.5
            } else if let record = cache.record(like: row) {
                for (key, value) in record.members where row[key] == nil || key == "preference" { row[key] = value }
            }
            // A verdict that could not be read is stored as -1, and missing for whoever reads annotations.
            if row["preference"] == nil || row["preference"]?.number == -1 { row["preference"] = .null }
            return row
        }
        return (annotations, failures)
    }

    static func areEqual(_ pair: Pair) -> Bool { TextKey(pair.baseline.output) == TextKey(pair.model.output) }

    /// An annotation without its preference.
    public static func row(_ pair: Pair, annotator: String) -> JSONObject {
        var row = JSONObject()
        row["dataset"] = (pair.baseline.dataset ?? pair.model.dataset).map { .string($0) }
        row["instruction"] = .string(pair.baseline.instruction)
        row["output_1"] = .string(pair.baseline.output)
        row["generator_1"] = pair.baseline.generator.map { .string($0) }
        row["output_2"] = .string(pair.model.output)
        row["generator_2"] = pair.model.generator.map { .string($0) }
        row["annotator"] = .string(annotator)
        return row
    }

    private func judged(_ pair: Pair, _ row: JSONObject) async throws -> JSONObject {
        let isSwitched = OutputOrder.isSwitched(pair.baseline.instruction)
        let (first, second) = isSwitched ? (pair.model, pair.baseline) : (pair.baseline, pair.model)
        let messages = prompt.messages(
            instruction: pair.baseline.instruction,
            first: first.output,
            second: second.output
        )
        let start = ContinuousClock.now
        let answer = try await service.complete(messages, Self.parameters) { Self.alternatives($0) != nil }
        let preference = Self.preference(Self.alternatives(answer.choice) ?? [], isSwitched: isSwitched)
        var record = row
        record["preference"] = .number(((preference ?? -1) * 1e10).rounded() / 1e10)
        record["preference_raw_completion"] = answer.choice
        let price = pricePerToken.flatMap { price in answer.tokens.map { price * Double($0) } }
        record["preference_price_per_example"] = price.map { .number($0) } ?? .null
        record["preference_time_per_example"] = .number((ContinuousClock.now - start) / .seconds(1))
        return record
    }

    /// The price of a token that AlpacaEval reckons with: that of a prompt's, whatever the service takes today.
    static func reckonedPrice(of model: String) -> Double? {
        let perMillion = [
            ("gpt-4o-mini-2024-07-18", 0.15), ("gpt-4-turbo", 10), ("gpt-4-1106", 10), ("gpt-4", 30),
            ("gpt-3.5-turbo", 2), ("text-davinci-003", 20),
        ]
        return perMillion.first { model.contains($0.0) }.map { $0.1 / 1_000_000 }
    }

    private static func alternatives(_ choice: JSON) -> [JSON]? {
        choice["logprobs"]?["content"]?[0]?["top_logprobs"]?.array
    }

    /// The preference that the first token's likeliest alternatives express; nil where neither name is among them.
    ///
    /// 2 − P("m") with P over "m" and "M" alone; 3 less that where the model's answer was shown first.
    static func preference(_ alternatives: [JSON], isSwitched: Bool) -> Double? {
        func logProbability(_ token: String) -> Double? {
            alternatives.last { $0["token"]?.string == token }?["logprob"]?.number
        }
        let (first, second) = (logProbability("m"), logProbability("M"))
        guard first != nil || second != nil else { return nil }
        let raw = 2 - sigmoid((first ?? -.infinity) - (second ?? -.infinity))
        return isSwitched ? 3 - raw : raw
    }
}
