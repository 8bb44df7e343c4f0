import Testing

@testable import Datasets

@Suite struct EpochOrderTests {
    @Test("An order is a permutation that depends on seed and epoch and on nothing else")
    func permutation() {
        let order = EpochOrder(count: 1000, seed: 7, epoch: 0)
        #expect(order.indices.sorted() == Array(0..<1000))
        #expect(order == EpochOrder(count: 1000, seed: 7, epoch: 0))
        #expect(order != EpochOrder(count: 1000, seed: 7, epoch: 1))
        #expect(order != EpochOrder(count: 1000, seed: 8, epoch: 0))
        #expect(EpochOrder(count: 5, seed: 7, epoch: 3, shuffles: false).indices == [0, 1, 2, 3, 4])
        #expect(EpochOrder(count: 0, seed: 7, epoch: 0).indices.isEmpty)
        #expect(EpochOrder(count: 1, seed: 7, epoch: 0).indices == [0])
    }

    @Test("The order stays what it is from version to version, since runs are resumed by it")
    func stability() {
        #expect(EpochOrder(count: 8, seed: 42, epoch: 0).indices == [4, 2, 5, 1, 7, 0, 6, 3])
        #expect(EpochOrder(count: 8, seed: 42, epoch: 1).indices == [0, 5, 6, 2, 7, 4, 3, 1])
    }

    @Test("Every row is as likely at every place")
    func uniformity() {
        var counts = [[Int]](repeating: [Int](repeating: 0, count: 6), count: 6)
        for epoch in 0..<6000 {
            for (place, row) in EpochOrder(count: 6, seed: 1, epoch: epoch).indices.enumerated() {
                counts[place][row] += 1
            }
        }
        // 1000 expected in each cell, with a standard deviation of 29.
        #expect(counts.joined().allSatisfy { abs($0 - 1000) < 150 })
    }

    @Test("Batches keep or drop the incomplete one, as asked")
    func batches() {
        let order = EpochOrder(count: 5, seed: 0, epoch: 0, shuffles: false)
        #expect(order.batches(of: 2, keepsIncomplete: true) == [[0, 1], [2, 3], [4]])
        #expect(order.batches(of: 2, keepsIncomplete: false) == [[0, 1], [2, 3]])
        #expect(order.batches(of: 5, keepsIncomplete: false) == [[0, 1, 2, 3, 4]])
        #expect(order.batches(of: 9, keepsIncomplete: false) == [])
    }
}

@Suite struct DatasetMixtureTests {
    private func rows(_ counts: [Int], _ weights: [Double?], seed: UInt64 = 0) -> [(source: Int, row: Int)] {
        let mixture = DatasetMixture(counts: counts, weights: weights, seed: seed)
        let places = counts.enumerated().flatMap { source, count in (0..<count).map { (source: source, row: $0) } }
        return (0..<mixture.count).map { places[mixture[$0]] }
    }

    @Test("Without weights, sources follow each other")
    func concatenation() {
        let rows = rows([2, 1], [nil, nil])
        #expect(rows.map(\.source) == [0, 0, 1])
        #expect(rows.map(\.row) == [0, 1, 0])
    }

    @Test("With weights, sources stand in their ratio, evenly spread, without a row twice")
    func ratio() {
        let rows = rows([1000, 30, 500], [0.5, 0.1, 0.4])
        #expect((0..<3).map { source in rows.count { $0.source == source } } == [150, 30, 120])
        for source in 0..<3 {
            let own = rows.filter { $0.source == source }.map(\.row)
            #expect(own == Set(own).sorted())
        }
        #expect((0..<3).map { source in rows.prefix(30).count { $0.source == source } } == [15, 3, 12])
    }

    @Test("What is drawn depends on the seed; a weight alone, or one that is missing, counts as it should")
    func seeds() {
        #expect(rows([100, 10], [1, 1], seed: 1).map(\.row) == rows([100, 10], [1, 1], seed: 1).map(\.row))
        #expect(rows([100, 10], [1, 1], seed: 1).map(\.row) != rows([100, 10], [1, 1], seed: 2).map(\.row))
        #expect(rows([7], [0.3]).map(\.row) == Array(0..<7))
        #expect(rows([6, 100], [nil, 2]).count == 18)
        #expect(rows([6, 0], [1, 1]).isEmpty)
    }

    @Test("The source with the fewest rows for its weight is used up, and ends the mixture; none is begun again")
    func exhaustion() {
        // 40 rows allow 40/4 = 10 of a weight of 1, 9 rows only 9/1 = 9: the second ends it at 36 to 9.
        let rows = rows([40, 9], [4, 1], seed: 3)
        #expect(rows.count { $0.source == 0 } == 36 && rows.count { $0.source == 1 } == 9)
        #expect(Set(rows.map { [$0.source, $0.row] }).count == 45)
    }

    @Test("The mixture stays what it is from version to version, since runs are resumed by it")
    func stability() {
        let rows = rows([5, 2], [1, 1], seed: 42)
        #expect(rows.map { [$0.source, $0.row] } == [[0, 2], [1, 0], [0, 4], [1, 1]])
    }
}
