import Foundation
import Hub

/// Where the two inputs of the length-controlled win rate come from that no annotation file holds.
public struct LengthControlData: Sendable {
    /// The annotations of the two gamed models.
    public let gamed: GamedRows
    /// The difficulty of each instruction.
    public let difficulty: [Double]

    /// Reads tables; without one of the difficulties, those beside the gamed rows are used, as the original does.
    ///
    /// - Throws: ``EvaluationError`` naming file, row and column.
    public init(gamedPath: String, difficultyPath: String?) throws(EvaluationError) {
        let table = try CSVTable(gamedPath)
        let (labels, lengths) = (try table.numbers("preference"), try table.numbers("std_delta_len"))
        let difficulties = try table.numbers("instruction_difficulty")
        let indices = try table.numbers("index")
        let kept = labels.indices.filter { labels[$0] != nil && lengths[$0] != nil && difficulties[$0] != nil }
        gamed = GamedRows(
            labels: kept.compactMap { labels[$0] },
            lengths: kept.compactMap { lengths[$0] },
            difficulties: kept.compactMap { difficulties[$0] }
        )
        if let difficultyPath {
            let table = try CSVTable(difficultyPath)
            // Where the index is the table's own, its column has no name.
            let index = table.names.first == "" ? "" : "index"
            difficulty = try Self.ordered(
                try table.numbers(index),
                try table.numbers("instruction_difficulty"),
                difficultyPath
            )
        } else {
            difficulty = try Self.ordered(indices, difficulties, gamedPath)
        }
    }

    /// The difficulties in the order of their numbers, which must be 0, 1, 2 …; the first of equal numbers counts.
    private static func ordered(
        _ indices: [Double?],
        _ difficulties: [Double?],
        _ path: String
    ) throws(EvaluationError) -> [Double] {
        var found: [Int: Double] = [:]
        for (index, difficulty) in zip(indices, difficulties) {
            guard let index = index.flatMap(Int.init(exactly:)), let difficulty else { continue }
            if found[index] == nil { found[index] = difficulty }
        }
        let ordered = (0..<found.count).compactMap { found[$0] }
        guard ordered.count == found.count, !ordered.isEmpty else {
            throw EvaluationError("\(path): the column \"index\" must hold the numbers from 0 on without a gap")
        }
        return ordered
    }

    /// The files in the hub's cache of this machine, or nil where the original has not fetched them.
    public static func cached(_ environment: [String: String]) -> (gamed: String, difficulty: String?)? {
        let hub = HubSettings(environment: environment).cache.path
        let snapshots = hub + "/datasets--tatsu-lab--alpaca_eval/snapshots"
        for revision in (try? FileManager.default.contentsOfDirectory(atPath: snapshots).sorted()) ?? [] {
            let (gamed, difficulty) = ("df_gamed.csv", "instruction_difficulty.csv")
            let files = [gamed, difficulty].map { "\(snapshots)/\(revision)/\($0)" }
            guard FileManager.default.fileExists(atPath: files[0]) else { continue }
            return (files[0], FileManager.default.fileExists(atPath: files[1]) ? files[1] : nil)
        }
        return nil
    }
}
