import Dispatch
import Serving
import Synchronization
import Testing

@testable import Training

@Suite struct EngineQueueTests {
    /// What the thread that holds the tensors saw.
    private final class Seen: Sendable {
        let rests = Atomic(0)
        let arrivals = Atomic(0)
    }

    private let queue = EngineQueue(sampleLimit: 2, jobLimit: 1)

    @Test("A wait that lasts rests once, and goes on until something comes")
    func rests() throws {
        let (resting, taken, seen) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), Seen())
        DispatchQueue.global().async { [queue] in
            let news = queue.news(waits: true, patience: .milliseconds(1)) {
                seen.rests.add(1, ordering: .relaxed)
                resting.signal()
            }
            seen.arrivals.add(news.arrivals.count, ordering: .relaxed)
            taken.signal()
        }
        #expect(resting.wait(timeout: .now() + 60) == .success)
        let samples = try queue.sample([SampleOrder(prompt: [1], maxNewTokens: 1, seed: 0)])
        #expect(taken.wait(timeout: .now() + 60) == .success)
        #expect(seen.rests.load(ordering: .relaxed) == 1)
        #expect(seen.arrivals.load(ordering: .relaxed) == 1)
        _ = samples
    }

    @Test("What is there already is taken without a rest")
    func works() throws {
        let samples = try queue.sample([SampleOrder(prompt: [1], maxNewTokens: 1, seed: 0)])
        let news = queue.news(waits: true, patience: .never) { Issue.record("nobody waited") }
        #expect(news.arrivals.count == 1)
        _ = samples
    }
}
