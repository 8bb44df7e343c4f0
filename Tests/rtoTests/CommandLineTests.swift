import Foundation
import TestSupport
import Testing

/// What the program printed, and how it ended.
struct Outcome {
    let output: String
    let complaint: String
    let status: Int32
}

/// The program that was built beside the tests.
func builtProgram() throws -> URL {
    let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
    return URL(filePath: bundle).deletingLastPathComponent().appending(path: "rto")
}

/// Runs the program that was built beside the tests.
///
/// - Parameter outputPath: Where standard output goes instead of into the outcome.
func rto(_ words: [String], input: String = "", outputPath: String? = nil) throws -> Outcome {
    let process = Process()
    process.executableURL = try builtProgram()
    process.arguments = words
    let (standardInput, output, complaint) = (Pipe(), Pipe(), Pipe())
    process.standardInput = standardInput
    let file = try outputPath.map { try FileHandle(forWritingTo: URL(filePath: $0)) }
    process.standardOutput = file ?? output
    process.standardError = complaint
    try process.run()
    try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try standardInput.fileHandleForWriting.close()
    // Neither stream of these commands fills a pipe, so they can be read one after the other.
    let printed = file == nil ? try output.fileHandleForReading.readToEnd() ?? Data() : Data()
    let complained = try complaint.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Outcome(
        output: String(decoding: printed, as: UTF8.self),
        complaint: String(decoding: complained, as: UTF8.self),
        status: process.terminationStatus
    )
}

@Suite struct CommandLineTests {
    @Test(
        "Help and version are results",
        arguments: [
            ["--help"], ["help"], ["--version"], ["train"], ["train", "--help"], ["train", "rto", "--help"],
            ["help", "train", "rto"],
            ["generate", "-h"], ["bench", "--help"], ["tokenize", "--help"], ["doctor", "--help"],
            ["report", "--help"],
        ]
    )
    func help(words: [String]) throws {
        let outcome = try rto(words)
        #expect(outcome.status == 0 && outcome.complaint.isEmpty && !outcome.output.isEmpty)
    }

    @Test(
        "Wrong usage is one sentence on standard error and status 64",
        arguments: [
            (["trian"], "did you mean 'rto train'?"), (["train", "rtoo"], "did you mean 'rto train rto'?"),
            (["report"], "run"), (["report", ".", "--outptu", "x"], "--output"),
            (["train", "kt"], "did you mean 'rto train kto'?"),
            (["train", "dpo", "--bta", "1"], "did you mean --beta?"), (["train", "sft"], "--model DIRECTORY"),
            (["doctor", "--jsn"], "--json"), (["resume"], "directory"), (["tokenize"], "--model"),
            (["render"], "--chat-template"),
        ]
    )
    func usage(words: [String], mention: String) throws {
        let outcome = try rto(words)
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        #expect(outcome.complaint.hasPrefix("rto: ") && outcome.complaint.contains(mention))
        #expect(outcome.complaint.split(separator: "\n").count == 1)
    }

    @Test(
        "Missing and bad files end with status 65",
        arguments: [
            ["train", "sft", "--config", "/no/such.yaml"], ["tokenize", "--model", "/no/such/model"],
            ["score", "--model", "/no/such/model"], ["render", "--chat-template", "/no/such/file"],
        ]
    )
    func data(words: [String]) throws {
        let outcome = try rto(words)
        #expect(outcome.status == 65 && outcome.output.isEmpty && outcome.complaint.hasPrefix("rto: "))
    }

    @Test("--print-config shows the settings and trains nothing") func printConfiguration() throws {
        let outcome = try rto(["train", "rto", "--dpo_reward_scale", "0.1", "--print-config"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("token_reward_scale: 0.1                 # default: 0.05\n"))
    }

    @Test(
        "Settings, help and version that cannot be written are an error",
        .enabled(if: FullDevice.isPresent, "\(FullDevice.reason)"),
        arguments: [["train", "sft", "--print-config"], ["train", "sft", "--help"], ["--help"], ["--version"]]
    )
    func fullOutput(arguments: [String]) throws {
        let outcome = try rto(arguments, outputPath: FullDevice.path)
        #expect(outcome.complaint == "rto: standard output cannot be written: No space left on device\n")
        #expect(outcome.status == 65)
    }

    @Test("A closed standard output is an error") func closedOutput() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", #""$0" train sft --print-config >&-"#, try builtProgram().path]
        let complaint = Pipe()
        process.standardError = complaint
        try process.run()
        let complained = try complaint.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let sentence = "rto: standard output cannot be written: Bad file descriptor\n"
        #expect(String(decoding: complained, as: UTF8.self) == sentence && process.terminationStatus == 65)
    }

    @Test("Rows are rendered in order, and a bad row is named by its line") func rows() throws {
        let template = FileManager.default.temporaryDirectory.appending(path: "rto-\(UUID().uuidString).jinja")
        defer { try? FileManager.default.removeItem(at: template) }
        try Data("{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}".utf8).write(to: template)
        func row(_ content: String) -> String { #"{"messages":[{"role":"user","content":"\#(content)"}]}"# + "\n" }

        let good = try rto(["render", "--chat-template", template.path], input: row("a") + "\n" + row("b"))
        #expect(good.output == "{\"text\":\"<user>a\"}\n{\"text\":\"<user>b\"}\n" && good.status == 0)
        let bad = try rto(["render", "--chat-template", template.path], input: row("a") + "[]")
        #expect(bad.output == "{\"text\":\"<user>a\"}\n" && bad.status == 65)
        #expect(bad.complaint == "rto: standard input, line 2: a row must be an object\n")
        guard FullDevice.isPresent else { return }
        let full = try rto(["render", "--chat-template", template.path], input: row("a"), outputPath: FullDevice.path)
        #expect(full.complaint == "rto: standard output cannot be written: No space left on device\n")
        #expect(full.status == 65)
    }
}
