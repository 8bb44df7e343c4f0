import Foundation

/// Runs asynchronous work that knows no tensors, and waits for it.
///
/// Never call this from asynchronous code: the thread that waits may be the one that the work needs.
public func waiting<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) throws -> Result {
    let arrived = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var outcome: Swift.Result<Result, any Error>?
    Task.detached {
        do { outcome = .success(try await work()) } catch { outcome = .failure(error) }
        arrived.signal()
    }
    arrived.wait()
    guard let outcome else { preconditionFailure("the work ended without an outcome") }
    return try outcome.get()
}
