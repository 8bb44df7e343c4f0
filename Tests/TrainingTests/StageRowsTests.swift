import Configuration
import Foundation
import Models
import Testing

@testable import Datasets
@testable import Training

@Suite("Rows of a stage, in memory or in a file")
struct StageRowsTests {
    @Test("Micro-batches are those of all rows at once, whatever is in memory", arguments: [1, 2], [1, 7, 40, 900])
    func microBatches(together: Int, tokenBudget: Int) throws {
        var stream = RandomStream(seed: 5, index: UInt64(together))
        func number(_ bound: Int) -> Int { Int(stream.next() * Double(bound)) }
        let prompts = (0..<400).map { _ in (0..<1 + number(4)).map { _ in number(9) } }
        let groups = (0..<1100).map { place in
            (0..<together).map { _ in
                ResponseBatch.Row(prompt: prompts[place / 3], response: (0..<1 + number(5)).map { _ in number(9) })
            }
        }
        let flat = groups.flatMap(\.self)
        let expected = ResponseBatch.microBatches(flat, tokenBudget: tokenBudget, together: together)
        var found: [Range<Int>] = []
        try StageRows(groups) { _ in 0 }.forEachMicroBatch(tokenBudget: tokenBudget, \.self) { batch, range in
            found.append(range.lowerBound * together..<range.upperBound * together)
            #expect(batch.batch.tokens == ResponseBatch(range.flatMap { groups[$0] }).batch.tokens)
        }
        #expect(found == expected)
    }

    @Test("Rows are followed by the next one, and the last by the first")
    func next() throws {
        let rows = StageRows([1, 2, 3]) { $0 }
        let pairs = rows.mapWithNext { [$0, $1] }
        #expect(try pairs.rows(0..<3) == [[1, 2], [2, 3], [3, 1]])
        let found = (try rows.contains { $0 == 3 }, try rows.contains { $0 == 4 })
        #expect(found == (true, false))
        #expect(StageRows<Int>.none.isEmpty)
    }

    @Test("A stage is built from the tokens that its run keeps, without its data, and not from data that changed")
    func keptTokens() throws {
        for stage in [Configuration.Stage.sft, .dpo, .reward, .kto, .ppo] {
            let workshop = try Workshop()
            var configuration = try workshop.configuration(stage)
            if stage == .ppo { configuration.reinforcement.ptxSources = [.init(path: try workshop.examples(9))] }
            if stage != .ppo { configuration.data.evaluationShare = 0.4 }
            let run = try RunDirectory(
                new: configuration.loop.output,
                recipe: Recipe(configuration: configuration, commandLine: ["rto"], versions: [])
            )
            func build() throws -> any Training.Stage {
                try StageBuilder(configuration: configuration, run: run, checkpoint: nil, device: .cpu).build()
            }
            let first = try build()
            let paths = configuration.data.sources.map(\.path) + configuration.reinforcement.ptxSources.map(\.path)
            for path in paths { try FileManager.default.moveItem(atPath: path, toPath: path + ".away") }
            let second = try build()
            #expect(second.rowCount == first.rowCount && second.largestMicroBatch == first.largestMicroBatch)
            #expect(try second.step(0)["loss"] == first.step(0)["loss"], "\(stage)")
            try Data("{}".utf8).write(to: URL(filePath: paths[0]))
            #expect(throws: DatasetError(path: paths[0], .changed)) { try build() }
        }
    }
}
