import Foundation
import HTTP
import TestSupport
import Testing

@testable import Hub

/// What a person reads while nothing comes.
@Suite struct WaitingLineTests {
    private func line(_ lines: HubBench.Lines, patience: Double = 3) -> WaitingLine {
        WaitingLine("org/tiny: waiting", patience: patience) { lines.write($0) }
    }

    @Test("a question that takes long is told of once, with its reason where there is one")
    func once() {
        let lines = HubBench.Lines()
        let silent = line(lines)
        for _ in 0..<2 { silent.hasTakenLong() }
        #expect(lines.text == "org/tiny: waiting\n")
        let busy = line(lines)
        busy.waits(0.7, after: .status(503, excerpt: "busy"))
        #expect(lines.text == "org/tiny: waiting\n")
        busy.hasTakenLong()
        busy.waits(2.9, after: .status(503, excerpt: "busy"))
        #expect(
            lines.text.dropFirst(18)
                == "org/tiny: waiting (the server answers 503: busy; asking again after 1 s)\n"
        )
    }

    @Test("a long wait is told of before it begins, and once")
    func long() {
        let lines = HubBench.Lines()
        let line = line(lines)
        line.hasTakenLong()
        line.waits(300, after: .status(429, excerpt: ""))
        line.waits(.infinity, after: .status(429, excerpt: ""))
        line.hasTakenLong()
        #expect(
            lines.text
                == "org/tiny: waiting\norg/tiny: waiting (the server answers 429: ; asking again after 300 s)\n"
        )
    }

    @Test("a hub that has not answered yet is named")
    func silent() async throws {
        let bench = try HubBench(HubBench.model())
        bench.server.disturb { call in
            // Until the line is there, however busy the machine is.
            while call.path.hasPrefix("/api"), !bench.lines.text.contains("waiting") { usleep(2000) }
            return nil
        }
        var settings = bench.settings()
        settings.silentSeconds = 0.05
        let hub = Hub(settings, isTerminal: false) { [lines = bench.lines] in lines.write($0) }
        let name = try #require(RepositoryName("org/tiny", kind: .model))
        _ = try await hub.snapshot(of: name, .tokenizer)
        let waiting = bench.lines.text.split(separator: "\n").filter { $0.contains("waiting") }
        #expect(waiting == ["org/tiny: waiting for \(bench.server.address) to answer"])
    }

    @Test("one line for each file whose download is begun again")
    func downloads() async throws {
        let bench = try HubBench(HubBench.model())
        bench.server.disturb { call in
            call.path.hasPrefix("/store") && call.number < 4 ? .answer(status: 503, body: "busy") : nil
        }
        _ = try await bench.fetch("org/tiny")
        let lines = bench.lines.text.split(separator: "\n").filter { $0.contains("the server answers 503: busy") }
        #expect(lines.count == Set(lines).count && (1...2).contains(lines.count))
        #expect(lines.allSatisfy { $0.hasPrefix("org/tiny: model-0000") && $0.hasSuffix("; trying again") })
    }
}
