import Dispatch

extension Array where Element: Sendable {
    /// Transforms all elements on all processors; the results come in the elements' order.
    func concurrentMap<Result: Sendable>(_ transform: @Sendable (Element) -> Result) -> [Result] {
        let batchCount = 16
        return [Result](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            // Each iteration writes places of its own, so no two of them touch the same memory.
            nonisolated(unsafe) let places = buffer
            DispatchQueue.concurrentPerform(iterations: (count + batchCount - 1) / batchCount) { batch in
                for index in batch * batchCount..<Swift.min((batch + 1) * batchCount, count) {
                    places.initializeElement(at: index, to: transform(self[index]))
                }
            }
            initializedCount = count
        }
    }
}
