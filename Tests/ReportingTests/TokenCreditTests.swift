import Foundation
import Testing

@testable import Reporting

@Suite("Token credit of saved rollouts")
struct TokenCreditTests {
    private static let metrics = #"{"step":1,"loss":2}"# + "\n"
    /// `a`, an escape character, `<` and the end mark, twice.
    private static let response = [97, 27, 60, 258]
    private static let rewards: [Float] = [0.04, -0.02, 0, 0.01, 0.02, 0, 0, 0]

    @Test("tokens are coloured by their rewards, against the largest, and say all that is known of them")
    func coloured() throws {
        let run = try RunFolder(metrics: Self.metrics)
        try run.tokenizer()
        let kl = [Float](repeating: 0.5, count: 8)
        try run.rollout(
            step: 5,
            response: Self.response,
            columns: ["token_rewards": Self.rewards, "kl": kl, "scores": [1.5, -2]]
        )
        let page = try RunFolder.page([run])
        #expect(page.contains("<i class=\"p6\" title=\"id 97&#10;token rewards 0.04&#10;kl 0.5\">a</i>"))
        #expect(page.contains("<i class=\"n3\" title=\"id 27&#10;token rewards −0.02&#10;kl 0.5\">\\u{001B}</i>"))
        #expect(page.contains("<i title=\"id 60&#10;token rewards 0&#10;kl 0.5\">&lt;</i>"))
        #expect(page.contains("<pre class=\"prompt\" dir=\"auto\">\nhi</pre>") && page.contains("&lt;/s&gt;</i></div>"))
        #expect(page.contains("score 1.5 · sum of what is coloured 0.03") && page.contains("at most 0.04 in size"))
    }

    @Test("without token rewards all that is paid colours them; without a tokenizer they are ids") func plain() throws {
        let run = try RunFolder(metrics: Self.metrics)
        let none = [Float](repeating: 0, count: 8)
        try run.rollout(step: 5, response: Self.response, columns: ["token_rewards": none, "rewards": Self.rewards])
        let page = try RunFolder.page([run])
        #expect(page.contains("all that is paid at a token, since there are no token rewards, at most 0.04 in size"))
        #expect(page.contains("<i class=\"p6\" title=\"id 97&#10;token rewards 0&#10;rewards 0.04\">97</i> <i"))
        #expect(page.contains("There is no tokenizer here, so tokens are shown by their ids."))
    }

    @Test(
        "token rewards behind the tokens that are shown are not taken for none; without any rewards nothing is coloured"
    )
    func uncoloured() throws {
        let run = try RunFolder(metrics: Self.metrics)
        let long = [Int](repeating: 97, count: 300)
        let atEnd = [Float](repeating: 0, count: 299) + [0.5]
        try run.rollout(step: 5, response: long, columns: ["token_rewards": atEnd + atEnd, "rewards": atEnd + atEnd])
        let page = try RunFolder.page([run])
        #expect(
            page.contains("Step 5: nothing is coloured, since token rewards are 0 at the tokens that are shown</h4>")
        )
        #expect(
            page.contains("title=\"id 97&#10;token rewards 0&#10;rewards 0\"") && !page.contains("no token rewards")
        )
        try run.rollout(step: 5, response: Self.response, columns: ["kl": Self.rewards])
        let bare = try RunFolder.page([run])
        #expect(bare.contains("Step 5: nothing is coloured, since neither token rewards nor rewards were saved</h4>"))
        #expect(bare.contains("<i title=\"id 97&#10;kl 0.04\">") && !bare.contains("sum of what is coloured"))
    }

    @Test("numbers that are not finite colour nothing") func notFinite() throws {
        let run = try RunFolder(metrics: Self.metrics)
        try run.rollout(
            step: 5,
            response: Self.response,
            columns: ["token_rewards": [.nan, .infinity, 1, -.infinity, 0, 0, 0, 0]]
        )
        let page = try RunFolder.page([run])
        #expect(
            page.contains("<i title=\"id 97&#10;token rewards not finite\">97</i>") && page.contains("class=\"p6\"")
        )
    }

    @Test("a file that is none of rollouts is named and left out") func damaged() throws {
        func sentence(_ change: (RunFolder) throws -> Void) throws -> String {
            let run = try RunFolder(metrics: Self.metrics)
            try change(run)
            let page = try RunFolder.page([run])
            #expect(!page.contains("<h2>Token credit</h2>"))
            return page.firstMatch(of: /The rollouts of step 1 are left out: (.*?)<\/p>/).map { String($0.1) } ?? page
        }
        let columns = ["kl": Self.rewards]
        func rollout(_ run: RunFolder, offsets: [Int64]? = nil, leaving missing: String? = nil) throws {
            try run.rollout(step: 1, response: Self.response, columns: columns, offsets: offsets, leaving: missing)
        }
        #expect(
            try sentence { try rollout($0, leaving: "prompt_lengths") }.contains("there is no column prompt_lengths")
        )
        #expect(try sentence { try rollout($0, leaving: "tokens") }.contains("sequence_offsets must rise"))
        for offsets in [[0, 6], [0, 13, 12], [1, 6, 12], [0, 1, 12], [0, 6, 11], [0, -1, 12]] as [[Int64]] {
            #expect(try sentence { try rollout($0, offsets: offsets) }.contains("sequence_offsets must rise from 0"))
        }
        let short = try sentence { try $0.rollout(step: 1, response: Self.response, columns: ["kl": [1, 2]]) }
        #expect(short.hasSuffix("kl must hold a number for each of 8 response tokens"))
    }
}
