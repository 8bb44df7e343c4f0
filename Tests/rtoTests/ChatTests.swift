import Foundation
import JSONText
import TestSupport
import Testing
import Training

@Suite("rto chat")
struct ChatTests {
    let directory: TemporaryDirectory

    init() throws { directory = try ServedProgram.models() }

    private func text(_ name: String) -> String {
        (try? String(decoding: Data(contentsOf: directory.url.appending(path: name)), as: UTF8.self)) ?? ""
    }

    /// What the program answers to lines, and what it says beside it.
    private func chat(_ input: String, _ flags: String = "--greedy --max-new-tokens 8", status: Int32 = 0) throws
        -> (output: String, log: String)
    {
        try directory.write("input", input)
        let command = "exec $RTO chat --model model --device cpu --threads 1 \(flags) < input > output 2> log"
        #expect(try directory.run(command) == status)
        return (text("output"), text("log"))
    }

    @Test("clear forgets, exit and the end of input leave, empty lines are no turns")
    func words() throws {
        let once = try chat("hi\n").output
        #expect(once.hasSuffix("\n") && once.count > 2)
        #expect(try chat("hi").output == once)
        #expect(try chat("\n  hi  \n\nclear\nhi\nexit\nhi\n").output == once + once)
        #expect(try chat("hi\nhi\n").output != once + once)
        #expect(try chat("exit\n").output.isEmpty && chat("").output.isEmpty)
    }

    @Test("a turn is answered as rto generate answers the conversation")
    func history() throws {
        let flags = "--greedy --max-new-tokens 8 --system 'Be brief.'"
        let first = try chat("hi\n", flags).output
        let both = try chat("hi\nand now?\n", flags).output
        #expect(both.hasPrefix(first))
        let conversation: JSON = [
            "messages": [
                ["role": "system", "content": "Be brief."], ["role": "user", "content": "hi"],
                ["role": "assistant", "content": .string(String(first.unicodeScalars.dropLast()))],
                ["role": "user", "content": "and now?"],
            ]
        ]
        try directory.write("conversation.jsonl", conversation.serialized())
        let generate =
            "$RTO generate --model model --data conversation.jsonl --greedy --max-new-tokens 8 --device cpu --threads 1 "
            + "> row 2> log"
        #expect(try directory.run(generate) == 0)
        let completion = try #require(try JSON(parsing: text("row"))["completion"]?.string)
        #expect(both == first + completion + "\n")
    }

    @Test("sampling goes by the seed, and a stop text ends an answer")
    func sampling() throws {
        let flags = "--max-new-tokens 24 --temperature 1"
        let one = try chat("hi\n", flags + " --seed 1").output
        #expect(try chat("hi\n", flags + " --seed 1").output == one)
        #expect(try chat("hi\n", flags + " --seed 2").output != one)
        let stop = try #require(one.unicodeScalars.dropFirst(3).first { ("a"..."z").contains($0) })
        let cut = try chat("hi\n", flags + " --seed 1 --stop \(stop)").output
        #expect(cut == one.prefix { !$0.unicodeScalars.contains(stop) } + "\n")
    }

    @Test("nothing that a terminal obeys reaches it, and everything else does")
    func harmless() {
        #expect(harmlessText("a\u{1B}[31m\r\u{7F}\u{9B}2J\u{0}") == #"a\u{001B}[31m\u{000D}\u{007F}\u{009B}2J\u{0000}"#)
        let text = "é\n\t😀👨\u{200D}👩 \\u{001B}"
        #expect(harmlessText(text) == text)
    }

    @Test("the oldest turns are forgotten where the context is full, and a turn too long is a sentence")
    func contextLength() throws {
        let flags = "--greedy --max-new-tokens 4 --max-length 100"
        let turns = (0..<6).map { "turn \($0)\n" }.joined()
        let found = try chat(turns, flags)
        #expect(found.log.contains("turns are forgotten"))
        let long = try chat(String(repeating: "x", count: 200) + "\n", flags, status: 65)
        #expect(long.log.contains("there is room for 96") && long.output.isEmpty)
    }

    @Test("without a template each line stands for itself, unless an input template is given")
    func noTemplate() throws {
        let directory = try ServedProgram.models(chatTemplate: nil)
        func chat(_ flags: String) throws -> (Int32, String, String) {
            try directory.write("input", "a\na\n")
            let command =
                "$RTO chat --model model --device cpu --greedy --max-new-tokens 4 \(flags) < input > output 2> log"
            let status = try directory.run(command)
            func text(_ name: String) throws -> String {
                String(decoding: try Data(contentsOf: directory.url.appending(path: name)), as: UTF8.self)
            }
            return (status, try text("output"), try text("log"))
        }
        let (status, output, log) = try chat("")
        #expect(status == 0 && log.contains("no chat template"))
        #expect(output.prefix(output.count / 2) + output.prefix(output.count / 2) == output)
        let (_, framed, quiet) = try chat("--input-template 'Q: {}\\nA: '")
        #expect(quiet.isEmpty && framed != output)
        #expect(try chat("--system x").0 == 65)
    }

    @Test("^C stops the answer, and twice at the prompt it leaves")
    func interruption() throws {
        // An answer of 4000 tokens, unless it is stopped.
        let directory = try ServedProgram.models(ends: false)
        func text(_ name: String) -> String {
            (try? String(decoding: Data(contentsOf: directory.url.appending(path: name)), as: UTF8.self)) ?? ""
        }
        let process = try directory.shell("true")
        process.waitUntilExit()
        let program = Process()
        program.executableURL = URL(filePath: "/bin/sh")
        program.currentDirectoryURL = directory.url
        let flags = "--greedy --max-new-tokens 4000"
        program.arguments = ["-c", "exec $RTO chat --model model --device cpu --threads 1 \(flags) > output 2> log"]
        program.environment = process.environment
        let input = Pipe()
        program.standardInput = input
        try program.run()
        func waitFor(_ isDone: () -> Bool) {
            while !isDone(), program.isRunning { usleep(5000) }
            #expect(isDone())
        }
        try input.fileHandleForWriting.write(contentsOf: Data("hi\n".utf8))
        waitFor { !text("output").isEmpty }
        kill(program.processIdentifier, SIGINT)
        waitFor { text("log").contains("(stopped)") }
        #expect(text("output").hasSuffix("\n"))
        // It goes on where it was.
        try input.fileHandleForWriting.write(contentsOf: Data("clear\n".utf8))
        waitFor { text("log").contains("is forgotten") }
        kill(program.processIdentifier, SIGINT)
        waitFor { text("log").contains("^C again") }
        kill(program.processIdentifier, SIGINT)
        program.waitUntilExit()
        #expect(program.terminationStatus == 130)
    }
}
