import Testing

@testable import Evaluation

/// Draws that CPython 3.11 and NumPy 2.2 make of the same seeds.
@Suite struct MersenneTwisterTests {
    @Test("the 10,000th number of the authors' default seed")
    func reference() {
        var random = MersenneTwister(seed: 5489)
        for _ in 1..<10_000 { _ = random.next() }
        #expect(random.next() == 4_123_659_995)
    }

    @Test(
        "random.Random(text).random()",
        arguments: [
            ("", 0.9602256525641875), ("0", 0.3616904771377427), ("rto", 0.4042455104574608),
            ("a longer text, with é and 漢字", 0.7741868278091991),
        ]
    )
    func pythonSeeds(text: String, expected: Double) {
        var random = MersenneTwister(pythonSeed: text)
        #expect(random.uniform() == expected)
    }

    @Test("numpy.random.seed(42); randint(0, 1000, 8)")
    func numpy() {
        var random = MersenneTwister(seed: 42)
        #expect((0..<8).map { _ in random.index(below: 1000) } == [102, 435, 860, 270, 106, 71, 700, 20])
    }
}
