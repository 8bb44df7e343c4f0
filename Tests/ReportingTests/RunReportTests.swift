import Foundation
import TestSupport
import Testing

@testable import Reporting

@Suite("The page of runs")
struct RunReportTests {
    private static let line =
        #"{"step":1,"epoch":0.5,"loss":2,"num_tokens":1500,"step_seconds":3,"objective/kl":0.1}"# + "\n"

    @Test("one run: what it is, its curves by group, its recipe; nothing that needs a network or a script") func one()
        throws
    {
        let second = #"{"step":2,"epoch":1,"loss":1,"num_tokens":500,"step_seconds":1,"objective/kl":0.3}"# + "\n"
        let run = try RunFolder(settings: "seed: 7\nmodel: <base>\ndata: [\"a, b\"]\n", metrics: Self.line + second)
        try run.directory.write("config.json", "{}")
        let page = try RunFolder.page([run])
        #expect(
            page.contains("<td>rto</td><td>finished</td><td>2</td><td>1</td><td>2,000</td><td>4.0 s</td><td>500</td>")
        )
        #expect(page.contains("<td>7</td><td>&lt;base&gt;</td><td>a, b</td>"))
        #expect(page.contains("<h2>Loss and rates</h2>") && page.contains("<h2>KL and entropy</h2>"))
        #expect(page.contains("<span class=\"best\">1 at 2</span>") && page.contains("2023-11-14 22:13 UTC, rto 1"))
        #expect(page.contains("model: &lt;base&gt;") && !page.contains("Differences"))
        #expect(!page.contains("://"))
        #expect(!page.contains("<script") && !page.contains("src=") && !page.contains("url("))
    }

    @Test("several runs: one chart for a metric, what differs in their recipes, names that tell them apart")
    func several() throws {
        let first = try RunFolder(stage: "ppo", settings: "seed: 1\ngamma: 1\noutput: a\nsame: x\n", metrics: Self.line)
        let second = try RunFolder(stage: "rto", settings: "seed: 2\nbeta: 3\noutput: b\nsame: x\n", metrics: Self.line)
        let page = try RunFolder.page([first, second])
        #expect(page.components(separatedBy: "<figcaption>loss</figcaption>").count == 2)
        #expect(page.contains("class=\"line c0\"") && page.contains("class=\"line c1\""))
        let differences = try #require(
            page.firstMatch(of: /Differences between the recipes<\/h2>(.*?)<\/section>/.dotMatchesNewlines())
        )
        #expect(differences.1.contains("<td>seed</td><td>1</td><td>2</td>"))
        #expect(differences.1.contains("<td>stage</td><td>ppo</td><td>rto</td>"))
        #expect(differences.1.contains("Only one of the runs has: gamma, beta.</p>"))
        for word in ["same", "output", "<td>gamma", "version of"] { #expect(!differences.1.contains(word)) }
        #expect(page.contains("unfinished, last step written "))
        let places = ["/x/a/run", "/x/b/run", "/y/b/run"].map { URL(filePath: $0) }
        #expect(RunReport.names(places) == ["x/a/run", "x/b/run", "y/b/run"])
        #expect(
            RunReport.names([URL(filePath: "/x/run/")]) == ["run"] && RunReport.names([URL(filePath: "/")]) == ["/"]
        )
    }

    @Test("recipes with the same settings are not said to be the same where they were made differently")
    func record() throws {
        let runs = try (0..<3).map { _ in try RunFolder(settings: "data: rows.jsonl\noutput: a\n", metrics: Self.line) }
        let none =
            "<p>None in stage, working directory, versions and commits of hubs, and none in the settings that at least two"
        #expect(try RunFolder.page(runs).contains(none))
        try runs[1].directory.write(
            "recipe.yaml",
            """
            stage: rto
            working_directory: "/<b>"
            hub_commits: ["a/b@1", "c/d@2"]
            versions:
              rto: "0.1"
              libtorch: "2.7"
            data: rows.jsonl
            output: b
            """
        )
        let page = try RunFolder.page(runs)
        for row in [
            "<td>version of rto</td><td>0</td><td>0.1</td><td>0</td>",
            "<td>working directory</td><td>–</td><td>/&lt;b&gt;</td><td>–</td>",
            "<td>version of libtorch</td><td>–</td><td>2.7</td><td>–</td>",
            "<td>hub commits</td><td>–</td><td>a/b@1, c/d@2</td><td>–</td>",
        ] { #expect(page.contains(row)) }
        #expect(!page.contains(none) && !page.contains("<td>data</td>") && !page.contains("Only one of the runs"))
        try runs[1].directory.write("recipe.yaml", "stage: rto\nversions: {rto: \"0\"}\nseed: 1\n")
        let alone = try RunFolder.page(runs)
        #expect(alone.contains(none) && alone.contains("Only one of the runs has: seed.</p>"))
    }

    @Test("of many runs, those are mentioned whose lines cannot be told apart") func many() throws {
        let run = try RunFolder(metrics: Self.line)
        let record = try RunRecord(path: run.path, bounds: RunRecord.Bounds(runCount: 33))
        func page(_ count: Int) -> String {
            RunReport(runs: Array(repeating: record, count: count), version: "1", written: Date()).html
        }
        #expect(page(33).contains("From run 33 on, lines look like those of earlier runs."))
        #expect(!page(32).contains("lines look like"))
    }

    @Test("samples of the first and the last steps, whose texts cannot do anything") func samples() throws {
        let run = try RunFolder(metrics: Self.line)
        let hostile = "</pre></script><script>alert(1)</script>\"'\u{0}\u{1B}[31m \u{202E}שלום\n"
        for step in [1, 9, 17, 25, 101] {
            try run.samples(step: step, (0..<6).map { ("prompt \($0) \(hostile)", hostile, Double($0)) })
        }
        let page = try RunFolder.page([run])
        #expect(page.contains("Step 1</h4>") && page.contains("Step 17</h4>") && page.contains("Step 101</h4>"))
        #expect(
            page.contains("2 more steps with samples are left out.") && page.contains("2 more samples are left out.")
        )
        #expect(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)") && page.contains("dir=\"auto\""))
        #expect(page.contains("score 3 · reward 0.25") && !page.utf8.contains(0) && !page.utf8.contains(0x1B))
    }

    @Test("a sample without text is decoded, or shown by its ids; a bad one is named") func ids() throws {
        let run = try RunFolder(metrics: Self.line)
        try run.folder("samples")
        try run.directory.write("samples/step-1.jsonl", #"{"prompt_ids":[104,105],"completion_ids":[256]}"# + "\n")
        #expect(try RunFolder.page([run]).contains("104 105"))
        #expect(try RunFolder.page([run]).contains("There is no tokenizer here"))
        let elsewhere = try RunFolder()
        try elsewhere.tokenizer()
        let found = try RunReport(paths: [run.path], version: "1") { $0 == "base" ? elsewhere.directory.url : nil }
        #expect(found.html.contains(">\nhi</pre>"))
        try run.directory.write(
            "recipe.yaml",
            "stage: rto\nworking_directory: /\nmodel: \(elsewhere.path.dropFirst())\n"
        )
        #expect(try RunFolder.page([run]).contains(">\nhi</pre>"))
        try run.directory.write("recipe.yaml", "stage: rto\nmodel: base\n")
        try run.tokenizer()
        #expect(try RunFolder.page([run]).contains(">\nhi</pre><pre dir=\"auto\">\nab</pre>"))
        try run.directory.write("tokenizer.json", "{")
        #expect(try RunFolder.page([run]).contains("since the tokenizer cannot be used: "))
        try run.directory.write("samples/step-1.jsonl", #"{"prompt":"x","completion":"y"}"# + "\n{\"prompt\":1}\n")
        try run.samples(step: 2, [("next", "one", 1)])
        let page = try RunFolder.page([run])
        let reason = "samples/step-1.jsonl:2: a sample needs &quot;prompt&quot; or &quot;prompt_ids&quot;</p>"
        #expect(page.contains("The samples of step 1 are left out: ") && page.contains(reason))
        #expect(page.contains("<h4>Step 2</h4>") && !page.contains("<h4>Step 1</h4>"))
    }

    @Test("lines of samples that are empty are passed over, and line breaks at the beginning of a text stay")
    func emptyLines() throws {
        let run = try RunFolder(metrics: Self.line)
        try run.folder("samples")
        func row(_ number: Int) -> String { "{\"prompt\":\"\\n\\np\(number)\",\"completion\":\"\"}" }
        let rows = (1...6).map(row).joined(separator: "\n\n")
        try run.directory.write("samples/step-3.jsonl", "\n \r\n" + rows)
        let page = try RunFolder.page([run])
        #expect(page.contains("<pre class=\"prompt\" dir=\"auto\">\n\n\np1</pre><pre dir=\"auto\">\n</pre>"))
        #expect(
            page.contains("p4</pre>") && !page.contains("p5</pre>") && page.contains("2 more samples are left out.")
        )
        try run.directory.write("samples/step-3.jsonl", "\n\n" + row(1) + "\n\n{")
        #expect(try RunFolder.page([run]).contains("samples/step-3.jsonl:5: column 2: the text ends too early"))
        try FileManager.default.removeItem(at: run.directory.url.appending(path: "samples/step-3.jsonl"))
        try #require(mkfifo(run.directory.url.appending(path: "samples/step-3.jsonl").path, 0o600) == 0)
        #expect(try RunFolder.page([run]).contains("samples/step-3.jsonl: is not a regular file</p>"))
    }

    @Test("files and checkpoints of a step are those of the program's names alone") func fileNames() throws {
        let run = try RunFolder(metrics: Self.line)
        for name in ["step-007", "step-+3", "step--1", "step-12", "step-3", "step-", "step-1e2"] {
            try run.folder("samples")
            try run.directory.write("samples/\(name).jsonl", "")
        }
        for name in ["checkpoint-2", "checkpoint-10", "checkpoint-0011", "checkpoint-+12", "checkpoint--1"] {
            try run.folder(name)
        }
        let files = RunFiles(directory: run.directory.url)
        #expect(files.steps(of: .samples) == [3, 12] && files.checkpointSteps == [2, 10])
        #expect(files.checkpoint(10).lastPathComponent == "checkpoint-10")
    }

    @Test("a page of long runs, long texts and many metrics is of moderate size and says what is left out") func size()
        throws
    {
        let run = try RunFolder(metrics: Self.line)
        let long = String(repeating: "\"<é", count: 350_000)
        for step in 1...40 { try run.samples(step: step, [(long, long, 1)]) }
        let token = [Int](repeating: 97, count: 3000)
        try run.rollout(step: 1, response: token, columns: ["token_rewards": [Float](repeating: 0.1, count: 6000)])
        let bounds = RunRecord.Bounds(runCount: 1)
        var record = try RunRecord(path: run.path, bounds: bounds)
        record.metrics = RunMetrics()
        for step in 1...20_000 {
            record.metrics.append(step: step, (0..<8).map { ("metric/\($0)", sin(Double(step * ($0 + 3)))) })
        }
        for number in 0..<120 { record.metrics.append(step: 20_001 + number, [("many/\(number)", 1)]) }
        let page = RunReport(runs: [record], version: "1", written: Date()).html
        #expect(page.utf8.count < 1_000_000)
        #expect(
            page.contains(
                "moving averages of the faint ones. Of lines with more than 720 values, the lowest and the highest"
            )
        )
        #expect(
            page.contains("more characters are left out") && page.contains("37 more steps with samples are left out.")
        )
        #expect(
            page.contains("2,744 more tokens are left out") && page.contains("48 more metrics are in metrics.jsonl")
        )
    }

    @Test("what is no run, has no metrics or holds damaged files ends in a sentence") func errors() throws {
        func sentence(_ path: String) -> String {
            do {
                _ = try RunReport(paths: [path], version: "1")
                return "accepted"
            } catch { return "\(error)" }
        }
        let empty = try TemporaryDirectory()
        #expect(sentence(empty.url.path).hasSuffix("is no run, there is no recipe.yaml in it"))
        #expect(sentence("/no/such/run") == "/no/such/run: there is no such directory")
        let run = try RunFolder()
        #expect(
            sentence(run.path).hasSuffix(
                "metrics.jsonl: there are no metrics yet; the first optimizer step writes them"
            )
        )
        try run.directory.write("metrics.jsonl", Self.line)
        try run.folder("rollouts")
        try run.directory.write("rollouts/step-1.safetensors", "x")
        #expect(try RunFolder.page([run]).contains("rollouts/step-1.safetensors has 1 bytes, too few"))
        try run.directory.write("recipe.yaml", "seed: 1\n")
        #expect(sentence(run.path).hasSuffix("recipe.yaml: no stage, so this is not a recipe that rto wrote"))
        try run.directory.write("recipe.yaml", "stage: rto\nunknown_of_later: 1\n")
        #expect(!sentence(run.path).contains("unknown"))
    }

    @Test("only a page of its own is known as one") func ownPage() throws {
        let run = try RunFolder(metrics: Self.line)
        let page = try run.directory.write("a.html", try RunFolder.page([run]))
        let other = try run.directory.write("b.html", HTMLPage(title: "x", generator: "rto evaluate", body: "").text)
        #expect(RunReport.isReport(URL(filePath: page)) && !RunReport.isReport(URL(filePath: other)))
        #expect(!RunReport.isReport(URL(filePath: try run.directory.write("c.html", ""))))
        let pipe = run.directory.url.appending(path: "d.html")
        try #require(mkfifo(pipe.path, 0o600) == 0)
        #expect(!RunReport.isReport(pipe) && !RunReport.isReport(run.directory.url))
    }
}
