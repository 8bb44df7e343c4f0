import Foundation
import JSONText

extension ArenaHardScore {
    /// The scores as one object, unrounded.
    public func json(_ battles: Battles) -> JSON {
        func interval(_ interval: Interval?) -> JSON {
            guard let interval else { return .null }
            return [
                "score": .number(interval.score), "lower": .number(interval.lower), "upper": .number(interval.upper),
                "exact": .number(interval.exact),
            ]
        }
        return [
            "benchmark": .string("arena-hard-" + battles.version.rawValue),
            "baseline": .string(battles.baseline),
            "models": .array(
                models.indices.map { index in
                    [
                        "model": .string(models[index]),
                        "n_battles": .integer(battles.rows.count { $0.model == models[index] }),
                        "raw": interval(raw[index]),
                        "style_controlled": interval(styled?[index]),
                    ]
                }
            ),
            "style_coefficients": styled == nil ? .null : .array(styleCoefficients.map { .number($0) }),
            "gradient_norm": gradientNorm.map { .number($0) } ?? .null,
        ]
    }

    /// The scores as the originals print them: v0.1 with two decimals and 95 % intervals, v2.0 with one and 90 %, as distances.
    public func table(_ battles: Battles) -> [[String]] {
        let format = battles.version == .v01 ? "%.2f" : "%.1f"
        func cells(_ interval: Interval?) -> [String] {
            guard let interval else { return ["–", ""] }
            let below = String(format: "%.1f", interval.lower - interval.score)
            let above = String(format: "%.1f", interval.upper - interval.score)
            return [String(format: format, interval.score), "(\(below) / +\(above))"]
        }
        let order = models.indices.sorted { (styled ?? raw)[$0].score > (styled ?? raw)[$1].score }
        let lines = order.map { [models[$0]] + cells(raw[$0]) + cells(styled?[$0]) }
        return [["model", "score", "interval", "style-controlled", "interval"]] + lines
            + [
                [
                    battles.baseline, String(format: format, 50.0), "(baseline)",
                    styled == nil ? "–" : String(format: format, 50.0), "",
                ]
            ]
    }

    /// The page of the scores; questions go by their texts where these are given by identifier.
    public func report(
        _ battles: Battles,
        table: [[String]],
        style: StyleTable?,
        texts: [String: String] = [:]
    ) throws(EvaluationError) -> EvaluationReport {
        var points: [(label: String, length: Double, winRate: Double)] = []
        for (index, model) in models.enumerated() {
            guard let style else { continue }
            var tokens: [Double] = []
            for question in Set(battles.rows.filter { $0.model == model }.map(\.question)) {
                tokens.append(try style.counts(model, question).sums.x)
            }
            points.append((model, Sample.mean(tokens), raw[index].exact))
        }
        var questions: [EvaluationReport.Question] = []
        for model in models {
            let rows = battles.rows.filter { $0.model == model }
            var order: [String] = []
            var outcomes: [String: [Double]] = [:]
            for row in rows {
                if outcomes[row.question] == nil { order.append(row.question) }
                outcomes[row.question, default: []].append(row.outcome)
            }
            questions += order.map {
                .init(
                    text: texts[$0].map { String($0.prefix(200)) } ?? $0,
                    outcome: Sample.mean(outcomes[$0] ?? []),
                    detail: "\(model), \(outcomes[$0]?.count ?? 0) battles"
                )
            }
        }
        return EvaluationReport(
            title: "Arena-Hard \(battles.version.rawValue) against \(battles.baseline)",
            columns: table.first ?? [],
            rows: Array(table.dropFirst()),
            scatter: .init(horizontal: "tokens of an answer", points: points),
            questions: questions
        )
    }
}
