import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("The file of completions")
struct CompletionFileTests {
    let directory: TemporaryDirectory
    private let lines = ["{\"n\":1}\n", "{\"n\":2}\n", "{\"n\":3}\n"]
    private let recipe = "temperature: 1\nseed: 42                                # default: 7\n"

    init() throws { directory = try TemporaryDirectory() }

    private var path: String { directory.url.appending(path: "out.jsonl").path }
    private var partial: String { directory.url.appending(path: ".out.jsonl.partial").path }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func refusal(_ recipe: String) -> String? {
        do {
            _ = try CompletionFile(path: path, recipe: recipe)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("goes on after every byte at which it can be cut, and ends the same")
    func everyByte() throws {
        let whole = lines.joined()
        for count in 0...whole.utf8.count {
            do {
                // What was cut is left under the partial name.
                _ = try CompletionFile(path: path, recipe: recipe)
                try Data(whole.utf8.prefix(count)).write(to: URL(filePath: partial))
                let file = try CompletionFile(path: path, recipe: recipe)
                #expect(file.lineCount == count / 8 && !file.isComplete)
                for line in lines[file.lineCount...] { try file.append(line) }
                try file.finish()
            }
            #expect(try text(path) == whole)
            #expect(try CompletionFile(path: path, recipe: recipe).isComplete)
            #expect(try directory.fileNames == ["out.jsonl", "out.jsonl.recipe.yaml"])
            try FileManager.default.removeItem(atPath: path)
        }
    }

    @Test("cuts off everything from the first damaged line on")
    func damage() throws {
        _ = try CompletionFile(path: path, recipe: recipe)
        try Data(([lines[0], "\0\0\0\n"] + lines[1...]).joined().utf8).write(to: URL(filePath: partial))
        let file = try CompletionFile(path: path, recipe: recipe)
        #expect(file.lineCount == 1)
        #expect(try text(partial) == lines[0])
    }

    @Test("is refused where it was sampled otherwise, begun or complete, and where nothing says how")
    func others() throws {
        let other = recipe.replacing("42", with: "43")
        do {
            let file = try CompletionFile(path: path, recipe: recipe)
            try file.append(lines[0])
            #expect(refusal(other)?.contains("was sampled otherwise (seed: 42 there, seed: 43 here)") == true)
            #expect(refusal(recipe)?.contains("another process is writing this file") == true)
            try file.finish()
        }
        #expect(refusal(other)?.hasPrefix(path) == true && refusal(recipe) == nil)
        #expect(refusal(recipe + "more: 1\n")?.contains("settings that only one of the two has") == true)
        try FileManager.default.removeItem(atPath: path + ".recipe.yaml")
        #expect(refusal(recipe)?.contains("nothing says how it was sampled") == true)
        #expect(try text(path) == lines[0])
    }

    @Test("of which nothing is left may be sampled otherwise")
    func removed() throws {
        do {
            let file = try CompletionFile(path: path, recipe: recipe)
            try file.append(lines[0])
            try file.finish()
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(refusal(recipe.replacing("42", with: "43")) == nil)
    }
}
