import Testing

@testable import Evaluation

/// Draws that CPython 3.11 and NumPy 2.2 make of the same seeds.
@Suite struct MersenneTwisterTests {
    @Test("SHA-512 of FIPS 180-4's examples")
    func digests() {
        func hexadecimal(_ text: String) -> String {
            SHA512.digest(Array(text.utf8)).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
                .joined()
        }
        #expect(hexadecimal("") == "cf83e1357eefb8bd")
        #expect(hexadecimal("abc") == "ddaf35a193617aba")
        #expect(
            hexadecimal(
                "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
            ) == "8e959b75dae313da"
        )
        // Around the lengths at which the padding needs another block.
        #expect(
            [111, 112, 127, 128].map { SHA512.digest([UInt8](repeating: 97, count: $0))[0] } == [250, 192, 130, 183]
        )
    }

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
