import Foundation
import Testing

@testable import rto

@Suite struct TableStatisticsTests {
    @Test("The interval is Student's") func interval() throws {
        let value = try #require(ChainInterval([1, 2, 3, 4, 5]))
        // The deviation is √2.5, over √5 it is √0.5; t for four degrees of freedom is 2.776.
        #expect(value.mean == 3)
        #expect(abs(try #require(value.halfWidth) - 2.776 * 0.5.squareRoot()) < 1e-12)
        #expect(try #require(ChainInterval([7])).halfWidth == nil)
        #expect(ChainInterval([]) == nil)
        #expect(ChainInterval.studentQuantile(degrees: 1) == 12.706)
        #expect(ChainInterval.studentQuantile(degrees: 31) == 1.960)
    }

    @Test("Where length decides nothing, length control changes nothing") func neutral() throws {
        // Two of four wins and one tie, in each group of lengths the same: (1 + 1 + ½ + 0) / 4.
        let wins = [1, 1, 0.5, 0, 1, 1, 0.5, 0]
        let lengths = [9, 9, 9, 9, 1, 1, 1, 1]
        let rate = try #require(
            lengthControlledWinRate(wins: wins, lengths: lengths, rivals: [Int](repeating: 5, count: 8))
        )
        #expect(abs(rate - 0.625) < 1e-6)
    }

    @Test("Where lengths are equal the rate is the share of wins") func equalLengths() throws {
        let rate = try #require(
            lengthControlledWinRate(wins: [1, 1, 1, 0], lengths: [3, 3, 3, 3], rivals: [3, 3, 3, 3])
        )
        #expect(abs(rate - 0.75) < 1e-5)
        #expect(lengthControlledWinRate(wins: [], lengths: [], rivals: []) == nil)
    }

    @Test("Wins that only length explains are taken away") func lengthOnly() throws {
        // Longer by 4 wins three of four, shorter by 4 loses three of four; there are twice as many longer ones.
        // x = ±tanh(4/s) fits both groups exactly with φx = ln 3 and θ = 0.
        let wins = [1, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0] as [Double]
        let lengths = [9, 9, 9, 9, 9, 9, 9, 9, 1, 1, 1, 1]
        let rate = try #require(
            lengthControlledWinRate(wins: wins, lengths: lengths, rivals: [Int](repeating: 5, count: 12))
        )
        #expect(abs(rate - 0.5) < 1e-5)
    }

    @Test("A policy that always wins is not beaten by arithmetic") func always() throws {
        let rate = try #require(lengthControlledWinRate(wins: [1, 1, 1], lengths: [4, 5, 6], rivals: [5, 5, 5]))
        #expect(rate > 0.999 && rate <= 1)
    }
}
