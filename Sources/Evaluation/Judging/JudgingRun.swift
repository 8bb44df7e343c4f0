import HTTP

/// Work done for many items at once, but not too many.
enum JudgingRun {
    /// How many failures in a row end a run: the service is gone.
    static let patience = 20

    /// Calls `work` for each number, `limit` at a time, and returns what the failures were.
    ///
    /// - Throws: a failure that concerns every call, or the last of too many in a row; others are returned.
    static func forEach(
        _ numbers: [Int],
        limit: Int,
        progress: @Sendable @escaping (_ done: Int, _ failed: Int) -> Void,
        _ work: @Sendable @escaping (Int) async throws -> Void
    ) async throws -> [Int: HTTPError] {
        try await withThrowingTaskGroup(of: (Int, HTTPError?).self) { group in
            var failures: [Int: HTTPError] = [:]
            var waiting = numbers.makeIterator()
            var (done, inARow) = (0, 0)
            func start(_ number: Int) {
                group.addTask {
                    do {
                        try await work(number)
                        return (number, nil)
                    } catch let error as HTTPError {
                        return (number, error)
                    }
                }
            }
            for _ in 0..<limit { if let number = waiting.next() { start(number) } }
            while let (number, failure) = try await group.next() {
                done += 1
                inARow = failure == nil ? 0 : inARow + 1
                if let failure {
                    failures[number] = failure
                    if failure.concernsEveryCall || inARow >= patience { throw failure }
                }
                progress(done, failures.count)
                if let next = waiting.next() { start(next) }
            }
            return failures
        }
    }
}
