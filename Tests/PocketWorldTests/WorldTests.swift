import PocketWorld
import Testing

@Suite("The world's writers")
struct WorldTests {
    private let world = World()

    /// Gold scores of many responses of one quality, or of mixed quality.
    private func scores(_ count: Int, quality: Double? = nil) -> [GoldScore] {
        var random = WorldRandom(state: 21)
        return (0..<count).map { _ in
            let scene = world.scene(using: &random)
            let response =
                quality.map { world.response(to: scene, quality: $0, using: &random) }
                ?? world.response(to: scene, using: &random)
            return GoldReward().score(response, to: scene)
        }
    }

    private func mean(_ scores: [GoldScore], _ event: GoldEvent) -> Double {
        Double(scores.map { $0.count(of: event) }.reduce(0, +)) / Double(scores.count)
    }

    @Test("write the same texts from the same seed, forever")
    func recordedTexts() {
        var random = WorldRandom(seed: 1, purpose: "recorded")
        let scene = world.scene(using: &random)
        #expect(scene.prompt == "i am paul . describe the knife : paper , tall , slow , recent , cheap .")
        #expect(
            world.trueText(about: scene, using: &random)
                == "dear paul , its age is recent . the size is tall and as for the price it is cheap and the material is "
                + "paper and its speed is slow ."
        )
        #expect(
            world.response(to: scene, using: &random)
                == "as for the size it is tall and as for the material it is paper and as for the age it is recent . the "
                + "size is tall and its price is cheap . hope this helps ."
        )
        #expect(random.state == 3_788_429_372_937_004_801)
    }

    @Test("pretraining text says all that is true, once, and nothing else")
    func trueText() {
        var random = WorldRandom(state: 2)
        for _ in 0..<300 {
            let scene = world.scene(using: &random)
            let score = GoldReward().score(world.trueText(about: scene, using: &random), to: scene)
            #expect(score.count(of: .trueFact) == scene.attributes.count)
            #expect(score.count(of: .politeOpening) == 1)
            #expect(score.terms.count == scene.attributes.count + 2, "the opening, the facts, and no closing")
        }
    }

    @Test("responses use known phrases in their places only")
    func knownPhrases() {
        let never: [GoldEvent] = [
            .unknownClause, .misplacedOpening, .misplacedRemark, .earlyClosing, .lateFact, .unfinished,
        ]
        // A remark needs a statement before it, so none can be misplaced.
        for score in scores(300) { #expect(never.allSatisfy { score.count(of: $0) == 0 }) }
    }

    @Test("responses are as good and as bad as the settings say")
    func rates() {
        let scores = scores(4000)
        let statements = mean(scores, .trueFact) + mean(scores, .falseStatement)
        #expect(abs(statements - 4 * 0.85) < 0.08)
        #expect(abs(mean(scores, .trueFact) / statements - 0.72) < 0.03)
        #expect(abs(mean(scores, .politeClosing) - 0.5) < 0.04)
        #expect(abs(mean(scores, .rudeClosing) - 0.3) < 0.04)
        #expect(abs(mean(scores, .politeOpening) + mean(scores, .wrongName) - 0.5) < 0.04)
        #expect(abs(mean(scores, .rudeOpening) - 0.35) < 0.04)
        #expect((30...45).contains(mean(scores, .word)))
        #expect(scores.allSatisfy { $0.words.count < 120 })
    }

    @Test("better writers are better, and nobody beats the exemplary response")
    func qualities() {
        func goldMean(_ scores: [GoldScore]) -> Double { scores.map(\.total).reduce(0, +) / Double(scores.count) }
        let careless = goldMean(scores(500, quality: -0.15))
        let careful = goldMean(scores(500, quality: 0.15))
        #expect(careful - careless > 1)

        var random = WorldRandom(state: 4)
        for _ in 0..<200 {
            let scene = world.scene(using: &random)
            let best = GoldReward().score(world.exemplaryResponse(to: scene), to: scene)
            #expect(best.total > 1.2 * Double(scene.attributes.count))
            let written = GoldReward().score(world.response(to: scene, using: &random), to: scene)
            #expect(written.total <= best.total)
        }
    }

    @Test("any settings and any quality give text", arguments: [-3.0, 0, 3])
    func extremes(quality: Double) {
        var settings = World.Settings()
        settings.attributeCount = 1...10
        settings.truth = 0
        settings.repetition = 2
        let world = World(settings: settings)
        var random = WorldRandom(state: 6)
        for _ in 0..<300 {
            let scene = world.scene(using: &random)
            let score = GoldReward().score(world.response(to: scene, quality: quality, using: &random), to: scene)
            #expect(score.count(of: .unknownClause) == 0)
        }
    }
}
