import Configuration
import Datasets
import Models
import Objectives

/// The rows of a stage: in memory, or in a file from which each is read when it is wanted.
struct StageRows<Row> {
    /// The number of rows.
    let count: Int
    private let read: (Int) throws -> Row
    private let largest: (Int) throws -> [Int]

    /// Rows in memory.
    init(_ rows: [Row], tokenCount: (Row) -> Int) {
        let counts = rows.map(tokenCount)
        self.init(count: rows.count, largestTokenCounts: { Array(counts.sorted(by: >).prefix($0)) }) { rows[$0] }
    }

    /// Rows in a file, as the stage wants them.
    init<Stored>(_ rows: TokenRows<Stored>, _ transform: @escaping (Stored) -> Row) {
        self.init(count: rows.count, largestTokenCounts: rows.largestTokenCounts) { transform(try rows.row($0)) }
    }

    private init(count: Int, largestTokenCounts: @escaping (Int) throws -> [Int], read: @escaping (Int) throws -> Row) {
        self.count = count
        largest = largestTokenCounts
        self.read = read
    }

    /// No rows.
    static var none: StageRows { StageRows([]) { _ in 0 } }

    var isEmpty: Bool { count == 0 }

    /// The row of a number.
    func row(_ number: Int) throws -> Row { try read(number) }

    /// The rows of some numbers.
    func rows(_ numbers: some Sequence<Int>) throws -> [Row] { try numbers.map(read) }

    /// Whether a row fulfils a condition; reading ends with the first that does.
    func contains(where isWanted: (Row) -> Bool) throws -> Bool {
        for number in 0..<count where isWanted(try read(number)) { return true }
        return false
    }

    /// As many other rows, made of these when they are wanted.
    func map<Other>(_ transform: @escaping (Row) -> Other) -> StageRows<Other> {
        StageRows<Other>(count: count, largestTokenCounts: largest) { transform(try read($0)) }
    }

    /// As many other rows, each made of a row and of the one behind it; behind the last comes the first.
    func mapWithNext<Other>(_ transform: @escaping (Row, Row) -> Other) -> StageRows<Other> {
        StageRows<Other>(count: count, largestTokenCounts: largest) {
            transform(try read($0), try read(($0 + 1) % count))
        }
    }

    /// The most that one micro-batch of a step may hold.
    func largestMicroBatch(_ settings: LoopSettings) throws -> LargestMicroBatch {
        LargestMicroBatch(
            rowSizes: try largest(settings.batchSize),
            batchSize: settings.batchSize,
            tokenBudget: settings.microBatchTokens
        )
    }
}

extension StageRows {
    /// Hands out all rows in micro-batches within a token budget, of which no more than a few are in memory.
    ///
    /// They are cut where `ResponseBatch.microBatches` cuts all rows at once.
    ///
    /// - Parameters:
    ///   - responses: The sequences of a row; they stay together.
    ///   - body: Takes a micro-batch and the numbers of its rows.
    func forEachMicroBatch(
        tokenBudget: Int,
        _ responses: (Row) -> [ResponseBatch.Row],
        _ body: (ResponseBatch, Range<Int>) throws -> Void
    ) throws {
        let step = 256
        var waiting: [ResponseBatch.Row] = []
        var first = 0
        var together = 1
        for start in stride(from: 0, to: count, by: step) {
            let end = min(start + step, count)
            for number in start..<end {
                let sequences = responses(try read(number))
                together = sequences.count
                waiting += sequences
            }
            let ranges = ResponseBatch.microBatches(waiting, tokenBudget: tokenBudget, together: together)
            // More rows may belong to the last one.
            for range in end == count ? ranges[...] : ranges.dropLast() {
                let rows = first..<first + range.count / together
                try body(ResponseBatch(Array(waiting[range])), rows)
                first = rows.upperBound
            }
            waiting = end == count ? [] : ranges.last.map { Array(waiting[$0]) } ?? []
        }
    }
}
