import Dispatch

/// Results computed on all processors, in the order of their numbers.
func parallelMap<Result: Sendable>(_ count: Int, _ compute: @Sendable (Int) -> Result) -> [Result] {
    [Result](unsafeUninitializedCapacity: count) { buffer, initialized in
        // Each iteration writes a place of its own, so no two of them touch the same memory.
        nonisolated(unsafe) let places = buffer
        DispatchQueue.concurrentPerform(iterations: count) { places.initializeElement(at: $0, to: compute($0)) }
        initialized = count
    }
}
