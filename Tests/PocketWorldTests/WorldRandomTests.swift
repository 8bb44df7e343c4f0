import Foundation
import PocketWorld
import Testing

@Suite("The world's random numbers")
struct WorldRandomTests {
    @Test("are SplitMix64, as published")
    func publishedSequence() {
        var random = WorldRandom(state: 1_234_567)
        let published: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(published.map { _ in random.next() } == published)
    }

    @Test("go on from a saved state")
    func savedState() throws {
        var random = WorldRandom(seed: 5, purpose: "test")
        for _ in 0..<10 { _ = random.next() }
        var restored = try JSONDecoder().decode(WorldRandom.self, from: JSONEncoder().encode(random))
        #expect(restored == random)
        #expect((0..<5).map { _ in restored.next() } == (0..<5).map { _ in random.next() })
    }

    @Test("differ between seeds and between purposes")
    func streams() {
        let firsts = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("", 1)].map { purpose, seed in
            var random = WorldRandom(seed: UInt64(seed), purpose: purpose)
            return random.next()
        }
        #expect(Set(firsts).count == firsts.count)
    }

    @Test("choose each index and each order equally often")
    func uniformity() {
        var random = WorldRandom(state: 3)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[random.index(below: 7)] += 1 }
        // Five standard deviations of a binomial count.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 465 })

        var orders: [[Int]: Int] = [:]
        for _ in 0..<60_000 { orders[random.shuffled([1, 2, 3]), default: 0] += 1 }
        #expect(orders.count == 6)
        #expect(orders.values.allSatisfy { abs($0 - 10_000) < 460 })
    }

    @Test("lie in [0, 1) and follow the probability asked for")
    func probabilities() {
        var random = WorldRandom(state: 4)
        #expect((0..<10_000).allSatisfy { _ in (0..<1).contains(random.uniform()) })
        #expect((0..<10_000).allSatisfy { _ in (-2...3).contains(random.uniform(in: -2...3)) })
        #expect(!(0..<1000).contains { _ in random.happens(0) })
        #expect((0..<1000).allSatisfy { _ in random.happens(1) })
        let share = (0..<40_000).count { _ in random.happens(0.3) }
        #expect(abs(share - 12_000) < 460)
    }
}
