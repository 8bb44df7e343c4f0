import Foundation
import TestSupport
import Testing

/// `rto report` as it is typed.
@Suite struct ReportTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        for name in ["a", "b"] {
            let folder = directory.url.appending(path: name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            try directory.write(name + "/recipe.yaml", "stage: sft\nseed: 1\n")
            try directory.write(name + "/metrics.jsonl", #"{"step":1,"loss":2}"# + "\n")
        }
    }

    private func path(_ name: String) -> String { directory.url.appending(path: name).path }

    private func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    @Test("one run's page goes into its directory, that of several here, and a page replaces one") func places() throws
    {
        let one = try rto(["report", path("a")])
        #expect(one.status == 0 && one.output.isEmpty && one.complaint.hasSuffix("a/report.html\n"))
        #expect(try text("a/report.html").contains("1 at 1") == false && text("a/report.html").contains("2 at 1"))
        try directory.write("a/metrics.jsonl", #"{"step":1,"loss":1}"# + "\n")
        #expect(try rto(["report", path("a")]).status == 0)
        #expect(try text("a/report.html").contains("1 at 1"))
        #expect(try directory.run("$RTO report a b/ 2> log && mv report.html both.html") == 0)
        #expect(try text("both.html").contains("2 runs") && text("log") == "the report is in report.html\n")
        #expect(try rto(["report", path("a"), "--output", path("x.html"), path("b")]).status == 0)
        #expect(try directory.fileNames == ["a", "b", "both.html", "log", "x.html"])
    }

    @Test("what is no page of its own stays, and so does a page when a run cannot be read") func kept() throws {
        try directory.write("mine.html", "<html>mine</html>")
        let refused = try rto(["report", path("a"), "--output", path("mine.html")])
        #expect(refused.status == 65 && refused.complaint.contains("exists and is no page of rto report"))
        #expect(try text("mine.html") == "<html>mine</html>")
        #expect(try rto(["report", path("a"), "--output", path("page.html")]).status == 0)
        let before = try text("page.html")
        try directory.write("a/metrics.jsonl", "{\"step\":1}\n{\"step\"\n{\"step\":3}\n")
        let broken = try rto(["report", path("a"), "--output", path("page.html")])
        #expect(broken.status == 65 && broken.complaint.contains("a/metrics.jsonl:2: column "))
        #expect(try text("page.html") == before && directory.fileNames == ["a", "b", "mine.html", "page.html"])
    }

    @Test(
        "a pipe or a device is no place for a page and is never waited for; behind a link the page is replaced, not the link"
    )
    func strangePlaces() throws {
        try #require(mkfifo(path("pipe"), 0o600) == 0)
        for place in [path("pipe"), "/dev/stdout", "/dev/null"] {
            let refused = try rto(["report", path("a"), "--output", place])
            #expect(refused.status == 65 && refused.complaint.contains("\(place): exists and is no page of rto report"))
        }
        #expect(try rto(["report", path("a"), "--output", path("page.html")]).status == 0)
        let files = FileManager.default
        try files.createSymbolicLink(atPath: path("link.html"), withDestinationPath: "page.html")
        try directory.write("a/metrics.jsonl", #"{"step":1,"loss":7}"# + "\n")
        #expect(try rto(["report", path("a"), "--output", path("link.html")]).status == 0)
        #expect(try files.destinationOfSymbolicLink(atPath: path("link.html")) == "page.html")
        #expect(try text("page.html").contains("7 at 1"))
        try files.createSymbolicLink(atPath: path("lost.html"), withDestinationPath: "b/lost.html")
        let lost = try rto(["report", path("a"), "--output", path("lost.html")])
        #expect(lost.status == 65 && lost.complaint.contains("lost.html: is a link that leads nowhere"))
        try files.removeItem(atPath: path("a/metrics.jsonl"))
        try #require(mkfifo(path("a/metrics.jsonl"), 0o600) == 0)
        let waiting = try rto(["report", path("a")])
        #expect(waiting.status == 65 && waiting.complaint.contains("a/metrics.jsonl: is not a regular file"))
    }

    @Test("wrong usage is a sentence and status 64") func usage() throws {
        for (words, mention) in [
            ([], "run"), ([path("a"), "--colour"], "--colour"), ([path("a"), path("b/../a/")], "is given twice"),
            ([path("a"), "--output"], "--output"), ([path("a"), "--output", path("b")], "is a directory"),
        ] {
            let outcome = try rto(["report"] + words)
            #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.complaint.contains(mention))
            #expect(outcome.complaint.split(separator: "\n").count == 1, "\(outcome.complaint)")
        }
    }

    @Test("what is no run, has no metrics or cannot be written is a sentence and status 65") func data() throws {
        try FileManager.default.createDirectory(atPath: path("empty"), withIntermediateDirectories: false)
        try directory.write("empty/recipe.yaml", "stage: sft\n")
        for (words, mention) in [
            ([path("none")], "none: there is no such directory"),
            ([directory.url.path], "is no run, there is no recipe.yaml"),
            ([path("empty")], "there are no metrics yet"),
            ([path("a"), "--output", path("no/such.html")], "no/such.html"),
        ] {
            let outcome = try rto(["report"] + words)
            #expect(outcome.status == 65 && outcome.output.isEmpty && outcome.complaint.contains(mention))
            #expect(outcome.complaint.split(separator: "\n").count == 1, "\(outcome.complaint)")
        }
    }
}
