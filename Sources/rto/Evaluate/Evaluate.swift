import ArgumentParser
import Configuration
import Evaluation
import Foundation
import JSONText
import Training

/// `rto evaluate`: one measure for each subcommand.
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure a model: AlpacaEval 2, Arena-Hard, held-out pairs, or a win rate by any judge.",
        subcommands: [AlpacaEval.self, ArenaHard.self, Preference.self, WinRate.self]
    )

    struct AlpacaEval: SettingsCommand {
        static let defaults = AlpacaEvalConfiguration()
        static let configuration = describe("alpaca-eval")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

        func run(_ configuration: AlpacaEvalConfiguration) throws { try AlpacaEvalRun(configuration).run() }
    }

    struct ArenaHard: SettingsCommand {
        static let defaults = ArenaHardConfiguration()
        static let configuration = describe("arena-hard")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

        func run(_ configuration: ArenaHardConfiguration) throws { try ArenaHardRun(configuration).run() }
    }

    struct Preference: SettingsCommand {
        static let defaults = HeldOutConfiguration()
        static let configuration = describe("preference")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

        func run(_ configuration: HeldOutConfiguration) throws {
            let rewards = try heldOutRewards(configuration)
            let agreement = PairAgreement(chosen: rewards.chosen, rejected: rewards.rejected)
            if configuration.printsJSON { return try writeToStandardOutput(agreement.json.serialized() + "\n") }
            let lines = [
                ["pairs", String(agreement.count)],
                ["accuracy", String(format: "%.4f ± %.4f", agreement.accuracy, agreement.accuracyError)],
                ["margin", String(format: "%.4f", agreement.margin)],
                ["log loss", String(format: "%.4f", agreement.logLoss)],
                ["calibration error", String(format: "%.4f", agreement.calibrationError)],
            ]
            try writeToStandardOutput(textTable(lines) + "\n")
            let bins = agreement.bins.map { bin in
                [String(format: "%.2f–%.2f", bin.lower, bin.upper), String(bin.count)]
                    + [bin.confidence, bin.accuracy].map { String(format: "%.3f", $0) }
            }
            try writeToStandardOutput(textTable([["confidence", "pairs", "mean", "accuracy"]] + bins) + "\n")
        }
    }

    struct WinRate: SettingsCommand {
        static let defaults = WinRateConfiguration()
        static let configuration = describe("win-rate")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

        func run(_ configuration: WinRateConfiguration) throws { try WinRateRun(configuration).run() }
    }
}

/// Cells in columns: the first to the left, the others to the right.
func textTable(_ rows: [[String]]) -> String {
    let widths = (0..<(rows.map(\.count).max() ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        row.enumerated().map { column, cell in
            let space = String(repeating: " ", count: widths[column] - cell.count)
            return column == 0 ? cell + space : space + cell
        }.joined(separator: "  ")
    }.joined(separator: "\n")
}

/// Writes a sentence for the person to standard error.
func note(_ sentence: String) {
    try? FileHandle.standardError.write(contentsOf: Data((harmlessText(sentence) + "\n").utf8))
}
