import Foundation
import JSONText
import Synchronization
import TestSupport
import Testing

@testable import Evaluation

/// `rto evaluate` with a judge behind an endpoint that fails, stalls, rate-limits and talks nonsense.
@Suite struct EvaluateJudgingTests {
    let directory: TemporaryDirectory
    private static let pairCount = 16

    private enum Misbehaviour { case broken, busy, nonsense, empty, stalled, garbled, cut }

    /// What happens to the calls of these numbers; all others get their verdict.
    private static let storm: [Int: Misbehaviour] = [
        0: .broken, 2: .busy, 3: .nonsense, 5: .cut, 6: .empty, 8: .stalled, 11: .garbled, 13: .busy, 15: .cut,
        16: .broken, 18: .stalled, 20: .nonsense, 21: .empty, 23: .garbled,
    ]

    init() throws {
        directory = try TemporaryDirectory()
        for (file, word) in [("reference.json", "base"), ("outputs.json", "mine")] {
            let rows = (0..<Self.pairCount).map {
                #"{"instruction": "question \#($0)", "output": "\#(word) \#($0 * $0)", "generator": "\#(word)"}"#
            }
            try directory.write(file, "[" + rows.joined(separator: ",") + "]")
        }
        try directory.write(
            "prompt.txt",
            "<|im_start|>user\n<{instruction}> m: {output_1} M: {output_2}\n<|im_end|>"
        )
    }

    /// The verdict on a prompt, which is always the same.
    private static func verdict(_ call: LoopbackServer.Call) -> String {
        let hash = call.body.utf8.reduce(UInt32(17)) { $0 &* 31 &+ UInt32($1) }
        let likely = #"[{"token": "m", "logprob": \#(-Double(hash % 97) / 40)}, {"token": "M", "logprob": -1}]"#
        return #"{"choices": [{"index": 0, "logprobs": {"content": [{"top_logprobs": \#(likely)}]}}]}"#
    }

    private func start(_ server: LoopbackServer, output: String) throws -> Process {
        let process = Process()
        process.executableURL = try builtProgram()
        process.currentDirectoryURL = directory.url
        process.arguments = [
            "evaluate", "alpaca-eval", "--outputs", "outputs.json", "--reference", "reference.json", "--judge-url",
            server.address, "--judge-prompt", "prompt.txt", "--output", output, "--concurrency", "4",
            "--judge-time-out", "4", "--json",
        ]
        process.environment = ["OPENAI_API_KEY": "secret", "HOME": directory.url.path]
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        return process
    }

    private func preferences(_ output: String) throws -> [Double?] {
        try RowFile.read(directory.url.appending(path: output + "/annotations.json").path).map {
            $0["preference"]?.number
        }
    }

    @Test("a disturbed run that is killed and started again ends as an undisturbed one, and pays for nothing twice")
    func disturbed() throws {
        let calm = try LoopbackServer { .answer(body: Self.verdict($0)) }
        let undisturbed = try start(calm, output: "calm")
        undisturbed.waitUntilExit()
        #expect(undisturbed.terminationStatus == 0 && calm.calls.count == Self.pairCount)
        #expect(calm.calls.allSatisfy { $0.headers["authorization"] == "Bearer secret" })

        let server = try LoopbackServer { call in
            switch Self.storm[call.number] {
            case .broken: .answer(status: 500, body: "broken")
            case .busy: .answer(status: 429, headers: ["Retry-After": "0.05"], body: "busy")
            case .nonsense: .answer(body: "<html>not JSON</html>")
            case .empty: .answer(body: #"{"choices": []}"#)
            case .stalled: .stall
            case .garbled: .bytes("HTTP")
            case .cut: .breakOff(body: Self.verdict(call))
            case nil: .answer(body: Self.verdict(call))
            }
        }
        let killed = try start(server, output: "stormy")
        let cache = directory.url.appending(path: "stormy/judge_cache.jsonl").path
        func storedLines() -> Int {
            (FileManager.default.contents(atPath: cache) ?? Data()).count { $0 == UInt8(ascii: "\n") }
        }
        while storedLines() < 6, killed.isRunning { usleep(2000) }
        kill(killed.processIdentifier, SIGKILL)
        killed.waitUntilExit()
        let stored = storedLines()
        #expect(stored >= 6 && stored < Self.pairCount)
        let paid = try String(decoding: Data(contentsOf: URL(filePath: cache)), as: UTF8.self).split(separator: "\n")
            .prefix(stored).compactMap { try JSON(parsing: String($0))["instruction"]?.string }
        let callsBefore = server.calls.count

        let again = try start(server, output: "stormy")
        again.waitUntilExit()
        #expect(again.terminationStatus == 0)
        #expect(try preferences("stormy") == preferences("calm"))
        #expect(try preferences("stormy").allSatisfy { $0 != nil })
        // What was stored before the end is not asked for again.
        let asked = server.calls.dropFirst(callsBefore)
        #expect(paid.count == stored && !asked.isEmpty)
        #expect(!asked.contains { call in paid.contains { call.body.contains("<\($0)>") } })
        let calls = server.calls.count
        let third = try start(server, output: "stormy")
        third.waitUntilExit()
        #expect(third.terminationStatus == 0 && server.calls.count == calls)
    }

    @Test("calls that never succeed leave their annotations empty, and the same command tries them again")
    func failing() throws {
        let isBroken = Mutex(true)
        let server = try LoopbackServer { call in
            // A client is told that this one prompt cannot be answered.
            if call.body.contains("<question 7>"), isBroken.withLock({ $0 }) { return .answer(status: 400, body: "no") }
            return .answer(body: Self.verdict(call))
        }
        let first = try start(server, output: "out")
        first.waitUntilExit()
        #expect(first.terminationStatus == 0)
        #expect(try preferences("out").enumerated().filter { $1 == nil }.map(\.offset) == [7])
        isBroken.withLock { $0 = false }
        let second = try start(server, output: "out")
        second.waitUntilExit()
        #expect(try preferences("out").allSatisfy { $0 != nil } && server.calls.count == Self.pairCount + 1)
    }
}
