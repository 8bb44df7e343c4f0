import Foundation
import JSONText
import TestSupport
import Testing

/// Which words are names on a hub and which are paths here, and how what came from a hub is called.
@Suite("Names on a hub and paths here")
struct HubNameTests {
    private func sentence(_ bench: HubCommandBench) throws -> String {
        let lines = try bench.text("log").split(separator: "\n").filter { $0.hasPrefix("rto: ") }
        #expect(lines.count == 1)
        return lines.first.map(String.init) ?? ""
    }

    @Test(
        "a word without a slash is a name, and where there is none the sentence says that no such path is here either"
    )
    func word() throws {
        let bench = try HubCommandBench(HubCommandBench.model("tiny", hasTokenizer: true))
        #expect(try bench.run(#"echo '{"text":"ab"}' | $RTO tokenize --model tiny > out 2> log"#) == 0)
        #expect(try bench.run("$RTO tokenize --model tyni < /dev/null 2> log") == 65)
        let failure = try sentence(bench)
        #expect(
            failure.contains(
                "--model: there is no file or directory tyni here, and tyni: \(bench.server.address) has no model"
            )
        )
        #expect(try bench.run("$RTO tokenize --model tyni < /dev/null 2> log", ["HF_HUB_OFFLINE": "1"]) == 65)
        #expect(
            try sentence(bench).contains(
                "--model: there is no file or directory tyni here, and tyni is not in the cache"
            )
        )
        #expect(
            try bench.run("$RTO tokenize --model tyni < /dev/null 2> log", ["HF_ENDPOINT": "http://127.0.0.1:9"]) == 65
        )
        #expect(
            try sentence(bench).contains(
                "--model: there is no file or directory tyni here, and tyni: http://127.0.0.1:9/"
            )
        )
    }

    @Test(
        "an empty directory hides no organisation; one that holds something does, and the sentence says how to name the hub's"
    )
    func folders() throws {
        let bench = try HubCommandBench(HubCommandBench.model(hasTokenizer: true))
        let words = #"echo '{"text":"ab"}' | $RTO tokenize --model "#
        #expect(try bench.run("mkdir org && " + words + "org/tiny > out 2> log") == 0)
        #expect(try bench.run("touch org/.keep org/other && " + words + "org/tiny > out 2> log") == 65)
        #expect(
            try sentence(bench).hasSuffix(
                "--model: there is no org/tiny, and the directory org is here; write org/tiny@main for the hub's repository"
            )
        )
        #expect(try bench.run(words + "org/tiny@main > out 2> log") == 0)
        #expect(try bench.run("rm org/other && " + words + "org/tiny > out 2> log") == 0)
        // A file is no directory, so that nothing can lie behind it.
        #expect(try bench.run("rm -r org && touch org && " + words + "org/tiny > out 2> log") == 0)
        #expect(
            try bench.run(
                "rm org && mkdir org && touch org/x && $RTO train sft --model org/tiny@main --data org/rows --output run 2> log"
            ) == 65
        )
        #expect(
            try sentence(bench).hasSuffix(
                "--data: there is no org/rows, and the directory org is here; write org/rows@main for the hub's repository"
            )
        )
    }

    @Test("what is reported of a model from a hub is its name and commit, and not a folder of the cache")
    func reports() throws {
        let bench = try HubCommandBench(HubCommandBench.model(), HubCommandBench.rows())
        let measuring =
            "$RTO bench --work score --batch 1 --prompt-tokens 4 --new-tokens 4 --repetitions 1 --threads 1 --device cpu --json "
        #expect(try bench.run(measuring + "--model org/tiny > out 2> log") == 0)
        let report = try JSON(parsing: Array(try bench.data("out")))
        #expect(report["model"]?.string == "org/tiny@" + HubCommandBench.commit)
        try bench.writeAdapter("adapter", revision: nil)
        #expect(try bench.run("$RTO merge --model adapter --output merged --device cpu --json > out 2> log") == 0)
        let merged = try JSON(parsing: Array(try bench.data("out")))
        #expect(merged["base"]?.string == "org/tiny@" + HubCommandBench.commit && merged["model"]?.string == "adapter")
    }

    @Test("a password in the hub's address is in nothing that is said or written")
    func password() throws {
        let bench = try HubCommandBench(HubCommandBench.model(), HubCommandBench.rows())
        let address = bench.server.address.replacingOccurrences(of: "http://", with: "http://me:scret@")
        let environment = ["HF_ENDPOINT": address]
        let words = "$RTO train sft --model org/tiny --data org/rows --max-steps 1 " + HubCommandBench.shortly
        #expect(try bench.run(words + "--output run > out 2> log && $RTO doctor >> out 2>> log", environment) == 0)
        #expect(try bench.text("out").contains("hub_endpoint: \(bench.server.address)\n"))
        #expect(try bench.text("log").contains("from \(bench.server.address)"))
        #expect(try bench.run("$RTO tokenize --model org/none < /dev/null > out2 2> log2", environment) == 65)
        #expect(try bench.run("grep -r scret . || grep -r \(Data("me:scret".utf8).base64EncodedString()) .") == 1)
    }
}
