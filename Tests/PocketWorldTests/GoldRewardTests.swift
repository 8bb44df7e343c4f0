import PocketWorld
import Testing

@Suite("The gold reward")
struct GoldRewardTests {
    private let scene: Scene
    private let reward = GoldReward()

    init() throws { scene = try Scene(prompt: "i am ann . describe the ring : tall , free , rome .") }

    private func terms(_ response: String, isFinished: Bool = true) -> [String] {
        let score = reward.score(response, to: scene, isFinished: isFinished)
        return score.terms.map { "\($0.event) \($0.place)" }
    }

    @Test("adds up what a good response does")
    func goodResponse() {
        let score = reward.score(
            "dear ann , the size is tall and its price is free . how lovely . i think the place is rome . kind regards .",
            to: scene
        )
        #expect(score.words.count == 26)
        #expect(
            score.terms.map { "\($0.event) \($0.place)" } == [
                "politeOpening 1", "trueFact 6", "trueFact 11", "niceRemark 13", "trueFact 21", "politeClosing 23",
            ]
        )
        #expect(abs(score.total - (0.5 + 3 + 0.4 + 0.5 - 0.26)) < 1e-12)
    }

    @Test("adds up what a bad response does")
    func badResponse() {
        let score = reward.score(
            "listen ben , the size is small . what a waste . the colour is red . the price is free . its price is free "
                + ". or so they say . leave me alone . as for the place it is rome .",
            to: scene,
            isFinished: false
        )
        #expect(
            score.terms.map { "\($0.event) \($0.place)" } == [
                "rudeOpening 0", "falseStatement 6", "rudeRemark 8", "falseStatement 13", "trueFact 20",
                "repeatedFact 23", "hedge 27", "rudeClosing 32", "lateFact 36", "omittedFact 32", "omittedFact 32",
                "unfinished 44",
            ]
        )
        #expect(score.rudeCount == 3)
        #expect(!score.closesPolitely)
        #expect(score.count(of: .falseStatement) == 2)
        #expect(score.count(of: .word) == 44)
        let expected = -0.5 - 0.4 - 0.8 - 0.4 + 1 - 1 - 0.4 - 0.5 - 1 - 2 * 0.6 - 1 - 0.44
        #expect(abs(score.total - expected) < 1e-12)
    }

    @Test("knows when a phrase is out of place")
    func misplaced() {
        let facts = "the size is tall . its price is free . the place is rome ."
        #expect(terms("hello ben , \(facts) kind regards .").contains("wrongName 1"))
        #expect(terms("\(facts) dear ann , kind regards .").contains("misplacedOpening 15"))
        #expect(terms("how lovely . \(facts) kind regards .").first == "misplacedRemark 0")
        #expect(terms("\(facts) how lovely . that is great . kind regards .").contains("misplacedRemark 18"))
        #expect(
            terms("\(facts) hope this helps . kind regards .").suffix(2) == ["earlyClosing 15", "politeClosing 19"]
        )
        #expect(terms("\(facts)").last == "noClosing 15")
        #expect(terms("the size is rome . kind regards .").first == "falseStatement 3")
    }

    @Test("counts what it does not know, empty clauses included")
    func unknown() {
        #expect(terms("") == ["omittedFact 0", "omittedFact 0", "omittedFact 0", "noClosing 0"])
        #expect(terms("the size is is tall .").first == "unknownClause 0")
        #expect(terms("the size is tall . . kind regards .")[1] == "unknownClause 5")
        #expect(terms("The size is tall .").first == "unknownClause 0")
        #expect(terms("dear , kind regards").first == "unknownClause 0")
    }

    @Test("reads text as people type it")
    func punctuation() {
        let tidy = reward.score("dear ann , the size is tall . kind regards .", to: scene)
        let typed = reward.score("\tdear ann, the size is tall.\nkind regards.  ", to: scene)
        #expect(typed == tidy)
    }

    @Test("gives each word its share, which sum to the whole")
    func shares() {
        let world = World()
        var random = WorldRandom(state: 8)
        for _ in 0..<300 {
            let scene = world.scene(using: &random)
            let score = reward.score(world.response(to: scene, using: &random), to: scene)
            #expect(score.perWord.count == score.words.count + 1)
            let sum = score.terms.map(\.event.value).reduce(0, +) - 0.01 * Double(score.words.count)
            #expect(abs(score.total - sum) < 1e-9)
        }
    }

    @Test("scores any text at all")
    func anyText() {
        var random = WorldRandom(state: 9)
        let pieces =
            Vocabulary.words + [
                "\u{0}", "😀", "é", "e\u{301}", "\r\n", " ", "{name}", "{kind}", "<|end|>", "\u{2028}", "-",
            ]
        for _ in 0..<500 {
            let count = random.index(below: 40)
            let separator = random.happens(0.8) ? " " : ""
            let text = (0..<count).map { _ in random.element(of: pieces) }.joined(separator: separator)
            let score = reward.score(text, to: scene, isFinished: random.happens(0.5))
            #expect(score.total.isFinite)
            #expect(score.terms.allSatisfy { (0...score.words.count).contains($0.place) })
        }
        let long = String(repeating: "the size is tall and ", count: 2000)
        #expect(reward.score(long, to: scene).count(of: .repeatedFact) == 1999)
    }

    @Test("needs a prompt of this world")
    func foreignPrompt() throws {
        #expect(throws: PocketWorldError.notAPrompt("what is 2 + 2 ?")) {
            try reward.score(prompt: "what is 2 + 2 ?", response: "4")
        }
        #expect(try reward.score(prompt: scene.prompt, response: "4") == reward.score("4", to: scene))
    }
}
