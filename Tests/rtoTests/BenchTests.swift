import Foundation
import JSONText
import Testing

@Suite struct BenchTests {
    @Test("rto bench --json prints one object with what it measured") func json() throws {
        let outcome = try rto(
            [
                "bench", "--shape", "custom", "--hidden-size", "16", "--intermediate-size", "24", "--layers", "2",
                "--heads",
                "2", "--key-value-heads", "1", "--vocabulary-size", "64", "--batch", "2", "--prompt-tokens", "6",
                "--new-tokens", "5", "--repetitions", "1", "--threads", "1", "--device", "cpu", "--json",
            ]
        )
        #expect(outcome.status == 0 && outcome.output.hasSuffix("}\n"))
        let report = try JSON(parsing: Array(outcome.output.utf8))
        #expect(report["model"]?.string == "custom" && report["threads"]?.integer == 1)
        // Embedding 64·16, a layer 2·16·16 + 2·8·16 + 3·24·16 and two norms of 16, and the last norm.
        #expect(report["parameters"]?.integer == 1024 + 2 * (1920 + 32) + 16)
        #expect(report["ceilings"]?["gflops"]?.number ?? 0 > 0)
        #expect(report["ceilings"]?["libtorch_gflops"]?.number ?? 0 > 0)
        #expect(report["ceilings"]?["gb_per_second"]?.number ?? 0 > 0)
        #expect(report["generate"]?["tokens_per_second"]?.number ?? 0 > 0)
        #expect(report["generate"]?["prompts"]?["tokens"]?.integer == 12)
        #expect(report["generate"]?["decode"]?["tokens"]?.integer == 8)
        // Pairs share their prompts: 6 + 5 + 5 tokens each.
        for (work, tokens) in [("score", 22), ("sft", 22), ("dpo", 32)] {
            #expect(report[work]?["tokens"]?.integer == tokens)
            #expect(report[work]?["gflops"]?.number ?? 0 > 0)
            #expect(report[work]?["peak_memory_bytes"]?.integer ?? 0 > 0)
        }
    }

    @Test("Only what is asked for is measured, and a person reads lines") func lines() throws {
        let outcome = try rto(
            [
                "bench", "--shape", "8M", "--work", "score", "--batch", "1", "--prompt-tokens", "4", "--new-tokens",
                "4",
                "--repetitions", "1", "--threads", "1", "--device", "cpu",
            ]
        )
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("8M, 7.90 million parameters, float32, 1 threads"))
        #expect(outcome.output.contains("\nscore ") && !outcome.output.contains("generate"))
    }

    @Test("The harness of comparisons passes its own tests", .enabled(if: hasPython, "there is no python3"))
    func harness() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let script = URL(filePath: #filePath).appending(path: "../../../Benchmarks/run").standardizedFileURL
        process.arguments = ["python3", "-B", script.path, "--self-test"]
        let complaint = Pipe()
        process.standardError = complaint
        try process.run()
        let text = try complaint.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: text, as: UTF8.self))")
    }
}

/// Python is needed for comparisons only, so a machine may be without it.
private let hasPython = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .contains { FileManager.default.isExecutableFile(atPath: $0 + "/python3") }
