import Configuration
import Evaluation
import Foundation
import JSONText
import Training

/// `rto evaluate win-rate`: two files of answers, one judge.
struct WinRateRun {
    let configuration: WinRateConfiguration

    init(_ configuration: WinRateConfiguration) { self.configuration = configuration }

    func run() throws {
        let (model, reference) = (
            try ModelOutputs(path: configuration.outputs), try ModelOutputs(path: configuration.reference)
        )
        let directory = URL(filePath: configuration.output)
        let judging = PairwiseJudging(judge: configuration.judge, compute: configuration.compute, directory: directory)
        let annotations = try judging.annotate(ModelOutputs.pairs(baseline: reference, model: model))
        let rate = try ControlledWinRate(
            preferences: annotations.rows.map(\.preference),
            baselineLengths: annotations.rows.map { ($0.baselineOutput ?? "").unicodeScalars.count },
            modelLengths: annotations.rows.map(\.output.unicodeScalars.count),
            seed: UInt32(truncatingIfNeeded: configuration.seed)
        )
        if let caveat = judging.caveat { note(caveat) }
        let cells = Self.cells(rate)
        let report = annotations.report(
            title: "Win rate: \(URL(filePath: configuration.outputs).lastPathComponent)",
            caveats: [judging.caveat].compactMap { $0 },
            table: cells
        )
        try RowFile.write(report.html, to: directory.appending(path: "report.html"))
        try writeToStandardOutput((configuration.printsJSON ? rate.json.serialized() : textTable(cells)) + "\n")
    }

    private static func cells(_ rate: ControlledWinRate) -> [[String]] {
        func line(_ name: String, _ value: Double, _ interval: ClosedRange<Double>) -> [String] {
            [name] + [value, interval.lowerBound, interval.upperBound].map { String(format: "%.2f", $0) }
        }
        var lines = [["", "percent", "from", "to"], line("win rate", rate.raw.winRate, rate.interval)]
        if let controlled = rate.controlled, let interval = rate.controlledInterval {
            lines.append(line("at equal length", controlled, interval))
        }
        return lines
    }
}
