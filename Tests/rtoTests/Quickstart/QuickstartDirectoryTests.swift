import Configuration
import Foundation
import TestSupport
import Testing

@testable import rto

@Suite struct QuickstartDirectoryTests {
    private let place: TemporaryDirectory
    private let configuration: QuickstartConfiguration
    private let directory: QuickstartDirectory

    init() throws {
        place = try TemporaryDirectory()
        var configuration = QuickstartConfiguration()
        configuration.output = place.url.appending(path: "new").path
        self.configuration = configuration
        directory = QuickstartDirectory(configuration.output)
    }

    private func refusal(_ configuration: QuickstartConfiguration) -> String? {
        do {
            try directory.claim(for: configuration)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("A slash at the end changes nothing, and the root stays the root") func slashes() {
        #expect(QuickstartDirectory("a/b//").path == "a/b")
        #expect(QuickstartDirectory("a/b//").run("sft") == "a/b/runs/sft")
        #expect(QuickstartDirectory("/").path == "/")
    }

    @Test("A new directory is made, and an interrupted one taken up again with the same options") func again() throws {
        try directory.claim(for: configuration)
        try directory.claim(for: configuration)
        #expect(FileManager.default.fileExists(atPath: directory.model))
    }

    @Test("Other options do not go on with what was begun") func otherOptions() throws {
        try directory.claim(for: configuration)
        var other = configuration
        other.seed += 1
        #expect(refusal(other)?.contains("other options") == true)
    }

    @Test("A finished quickstart is left alone") func finished() throws {
        try directory.claim(for: configuration)
        try place.write("new/results.json", "{}")
        #expect(refusal(configuration)?.contains("finished") == true)
    }

    @Test("Somebody else's files are left alone, and a file is no directory") func foreign() throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
        try place.write("new/thesis.tex", "")
        #expect(refusal(configuration)?.contains("is no quickstart") == true)
        try FileManager.default.removeItem(atPath: directory.path)
        try place.write("new", "")
        #expect(refusal(configuration)?.contains("names a directory") == true)
    }
}
