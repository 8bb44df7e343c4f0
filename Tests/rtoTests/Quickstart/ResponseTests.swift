import PocketWorld
import TestSupport
import Testing

@testable import rto

private let prompt = "i am ann . describe the ring : tall , free , rome ."

/// A response of known words with made-up rewards.
private func response(
    _ text: String,
    rewards: [Double],
    score: Double = 0,
    logRatio: Double = 0
) throws -> EvaluatedResponse {
    EvaluatedResponse(
        prompt: prompt,
        pieces: text.split(separator: " ").map(String.init) + ["<end>"],
        gold: try GoldReward().score(prompt: prompt, response: text),
        score: score,
        logRatio: logRatio,
        tokenRewards: rewards
    )
}

@Suite struct ResponseTests {
    @Test("Means come with the standard error of the sample") func mean() throws {
        let value = try #require(MeanWithError([1, 2, 3, 6]))
        // Squares about 3: 4 + 1 + 0 + 9 = 14, over 3, over 4.
        #expect(value.mean == 3 && abs((value.standardError ?? 0) - (14.0 / 12).squareRoot()) < 1e-12)
        #expect(MeanWithError([]) == nil)
        #expect(MeanWithError([2])?.standardError == nil)
    }

    @Test("A tie is half a win") func ties() {
        #expect(wins([1, 2, 3], against: [1, 3, 2]) == [0.5, 0, 1])
    }

    @Test("Token rewards are sorted by what gold pays at their words") func credit() throws {
        // True at "tall", false at "oslo", nothing said of the price, no closing: both lost at the end.
        let text = "the size is tall . the place is oslo ."
        let rewards = [0, 0, 0, 0.5, 0, 0, 0, 0, -0.7, 0, -0.1]
        let summary = CreditSummary([try response(text, rewards: rewards)])
        #expect(summary.earned?.mean == 0.5)
        #expect(abs((summary.lost?.mean ?? 0) + 0.4) < 1e-12)
        #expect(summary.neutral?.mean == 0)
        #expect(summary.separation == 1)
        let empty = CreditSummary([])
        #expect(empty.earned == nil && empty.separation == nil)
    }

    @Test("The separation counts pairs, ties half") func separation() throws {
        let text = "the size is tall . the place is oslo ."
        let rewards = [0, 0, 0, 0.2, 0, 0, 0, 0, 0.2, 0, 0.9]
        #expect(CreditSummary([try response(text, rewards: rewards)]).separation == 0.25)
    }

    @Test("Where words and tokens differ no word is given a place") func misaligned() throws {
        let odd = EvaluatedResponse(
            prompt: prompt,
            pieces: ["the"],
            gold: try GoldReward().score(prompt: prompt, response: "the size is tall ."),
            score: 0,
            logRatio: 0,
            tokenRewards: [1]
        )
        #expect(odd.goldPerToken == nil)
    }

    @Test("Without colour, numbers stand behind the words that matter") func plainText() throws {
        let rewards = [0, 0, 0, 0.5, -0.01, -0.25]
        let text = ResponseText(style: .plain, width: 24).response(
            try response("the size is tall .", rewards: rewards),
            of: .rto
        )
        #expect(
            text == """
                RTO  the size is
                     tall(+0.50) .
                     <end>(-0.25)
                     gold -0.50 =
                     true fact 1 × +1,
                     no closing 1 × -0.25,
                     omitted fact 2 × -0.6,
                     word 5 × -0.01

                """
        )
    }

    @Test("Colours take no room in a line") func colours() throws {
        let rewards = [Double](repeating: 0.5, count: 6)
        let text = ResponseText(style: .coloured, width: 26).response(
            try response("the size is tall .", rewards: rewards),
            of: .sft
        )
        let bare = text.replacing(/\u{1B}\[[0-9;]*m/, with: "")
        #expect(bare.hasPrefix("SFT  the size is tall .\n     <end>\n"))
        #expect(TextStyle.coloured.word("a", reward: -0.1) == "\u{1B}[31ma\u{1B}[0m")
        #expect(TextStyle.coloured.word("a", reward: 0.01) == "a")
    }

    @Test("Columns are aligned, by width on a terminal and by marks in Markdown") func table() {
        let table = TextTable(heading: ["policy", "gold"], rows: [["SFT", "-0.10 ± 0.02"], ["DPO", "2"]])
        #expect(table.plain == "policy           gold\nSFT      -0.10 ± 0.02\nDPO                 2\n")
        #expect(table.markdown == "| policy | gold |\n| --- | --: |\n| SFT | -0.10 ± 0.02 |\n| DPO | 2 |\n")
    }

    @Test("The report holds every policy, whatever came out") func report() throws {
        let good = try response("the size is tall .", rewards: [0, 0, 0, 0, 0, 0], score: 1, logRatio: 2)
        let bad = try response(". . .", rewards: [0, 0, 0, 0], score: -1)
        let evaluation = QuickstartEvaluation(responses: [.sft: [bad], .dpo: [good], .ppo: [bad], .rto: [bad]])
        let place = try TemporaryDirectory()
        let report = QuickstartReport(evaluation, WorkDirectory(place.url.path, noun: "quickstart"))
        #expect(report.results.rows.map(\.first) == ["SFT", "DPO", "PPO", "RTO"])
        #expect(report.results.rows[1][4] == "100.0 %" && report.results.rows[2][4] == "50.0 %")
        try report.write()
        #expect(try place.fileNames == ["results.json", "results.md"])
    }
}
