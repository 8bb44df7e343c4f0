import Foundation
import JSONText
import TestSupport
import Testing

@testable import rto

@Suite struct WorkDirectoryTests {
    private let place: TemporaryDirectory
    private let directory: WorkDirectory
    private let options: JSONObject

    init() throws {
        place = try TemporaryDirectory()
        directory = WorkDirectory(place.url.appending(path: "new").path, noun: "quickstart")
        var options = JSONObject()
        options["seed"] = 42
        self.options = options
    }

    private func refusal(_ options: JSONObject) -> String? {
        do {
            try directory.claim(for: options)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("A slash at the end changes nothing, and the root stays the root") func slashes() {
        #expect(WorkDirectory("a/b//", noun: "table").results == "a/b/results.json")
        #expect(WorkDirectory("/", noun: "table").path == "/")
        #expect(ChainDirectory("a").run("sft") == "a/runs/sft")
    }

    @Test("A new directory is made, and an interrupted one taken up again with the same options") func again() throws {
        try directory.claim(for: options)
        try directory.claim(for: options)
        #expect(try place.fileNames == ["new"])
        #expect(FileManager.default.fileExists(atPath: directory.options))
    }

    @Test("Other options do not go on with what was begun") func otherOptions() throws {
        try directory.claim(for: options)
        var other = options
        other["seed"] = 43
        #expect(refusal(other)?.contains("other options") == true)
    }

    @Test("Finished work is left alone") func finished() throws {
        try directory.claim(for: options)
        try place.write("new/results.json", "{}")
        #expect(refusal(options)?.contains("finished quickstart") == true)
    }

    @Test("Somebody else's files are left alone, and a file is no directory") func foreign() throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
        try place.write("new/thesis.tex", "")
        #expect(refusal(options)?.contains("is no quickstart") == true)
        try FileManager.default.removeItem(atPath: directory.path)
        try place.write("new", "")
        #expect(refusal(options)?.contains("names a directory") == true)
    }
}
