import Foundation
import JSONText

/// The last line of a run's metrics.
struct LastMetrics {
    private let line: JSON?

    init(run: String) {
        let data = FileManager.default.contents(atPath: run + "/metrics.jsonl")
        let last = data?.split(separator: UInt8(ascii: "\n")).last
        line = last.flatMap { try? JSON(parsing: [UInt8]($0)) }
    }

    subscript(metric: String) -> Double? { line?[metric]?.number }
}
