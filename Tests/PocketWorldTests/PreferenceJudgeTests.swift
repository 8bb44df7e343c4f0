import Foundation
import PocketWorld
import Testing

@Suite("The imperfect judge")
struct PreferenceJudgeTests {
    private let prompt = "i am ann . describe the ring : tall , free , rome ."
    private let good = SampledResponse(text: " the size is tall . that is great . kind regards .", isFinished: true)
    private let bad = SampledResponse(text: " the size is tall . how lovely .", isFinished: true)

    private func shareOfFirst(_ judge: PreferenceJudge, _ first: SampledResponse, _ second: SampledResponse) throws
        -> Double
    {
        var random = WorldRandom(state: 1)
        let count = 1000
        let wins = try (0..<count).count { _ in
            try judge.judge(prompt: prompt, first, second, using: &random)?.chosen == first.text
        }
        return Double(wins) / Double(count)
    }

    @Test("prefers with the probability of Bradley and Terry's model", arguments: [0.5, 2.0])
    func probability(sharpness: Double) throws {
        // A polite closing instead of none, for four words more.
        let difference = 0.5 + 0.25 - 0.04
        let judge = PreferenceJudge(sharpness: sharpness)
        let expected = 1 / (1 + exp(-sharpness * difference))
        #expect(try abs(shareOfFirst(judge, good, bad) - expected) < 0.08)
        #expect(try abs(shareOfFirst(judge, bad, good) - (1 - expected)) < 0.08)
    }

    @Test("is a coin at sharpness 0 and never errs at infinity")
    func extremes() throws {
        #expect(try abs(shareOfFirst(PreferenceJudge(sharpness: 0), good, bad) - 0.5) < 0.08)
        #expect(try shareOfFirst(PreferenceJudge(sharpness: .infinity), good, bad) == 1)
        let equal = SampledResponse(text: "its size is tall . that is great . kind regards .", isFinished: true)
        #expect(try abs(shareOfFirst(PreferenceJudge(sharpness: .infinity), good, equal) - 0.5) < 0.08)
    }

    @Test("says whether the gold reward agrees")
    func agreement() throws {
        var random = WorldRandom(state: 2)
        for _ in 0..<100 {
            let pair = try #require(try PreferenceJudge().judge(prompt: prompt, bad, good, using: &random))
            #expect(pair.agreesWithGold == (pair.chosen == good.text))
            #expect(Set([pair.chosen, pair.rejected]) == [good.text, bad.text])
        }
    }

    @Test("knows that a cut response is worse")
    func unfinished() throws {
        let cut = SampledResponse(text: bad.text, isFinished: false)
        var random = WorldRandom(state: 3)
        // The words are the same, so there is nothing to learn from the texts.
        #expect(try PreferenceJudge().judge(prompt: prompt, bad, cut, using: &random) == nil)
        #expect(
            try shareOfFirst(
                PreferenceJudge(sharpness: .infinity),
                SampledResponse(text: good.text, isFinished: false),
                bad
            ) == 0
        )
    }

    @Test("needs a prompt of this world")
    func foreignPrompt() {
        var random = WorldRandom(state: 4)
        #expect(throws: PocketWorldError.notAPrompt("hi")) {
            try PreferenceJudge().judge(prompt: "hi", good, bad, using: &random)
        }
    }
}
