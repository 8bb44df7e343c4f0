import Configuration
import Testing

@testable import Training

@Suite("Mixtures and held-out prompts")
struct MixtureResumeTests {
    @Test("of a run that was killed are those of the run that was not", arguments: [Configuration.Stage.sft, .dpo])
    func resumed(stage: Configuration.Stage) throws {
        let workshop = try Workshop()
        var configuration = try workshop.configuration(stage)
        let make = stage == .sft ? workshop.examples : workshop.pairs
        configuration.data.sources = [
            DataSource(path: try make(40, "first"), weight: 2), DataSource(path: try make(17, "second"), weight: 1),
        ]
        configuration.data.evaluationShare = 0.25
        configuration.loop.epochs = 2
        configuration.loop.evaluateEvery = 3
        configuration.loop.saveEvery = 1
        configuration.loop.keepCheckpoints = 0
        let whole = try workshop.train(configuration)
        let expected = try whole.repeatableMetrics
        #expect(expected.contains { $0.keys.contains { $0.hasPrefix("eval_") } })
        for step in [0, 1, expected.count / 2, expected.count] {
            let killed = try whole.killed(after: step, as: "killed-\(step)")
            try resume(run: killed.path)
            #expect(try killed.modelBytes == whole.modelBytes, "killed after step \(step)")
            #expect(try killed.repeatableMetrics == expected, "killed after step \(step)")
        }
    }

    @Test("other settings move no row from one part to the other, another seed does")
    func sameEvaluation() throws {
        let workshop = try Workshop()
        var configuration = try workshop.configuration(.dpo)
        configuration.data.sources = [DataSource(path: try workshop.pairs(40))]
        configuration.data.evaluationShare = 0.25
        configuration.loop.maxSteps = 1
        configuration.loop.evaluateEvery = 1
        // Nothing is learned, so the rows alone decide their log-probabilities.
        configuration.optimizer.learningRate = 1e-30
        func evaluated(_ name: String, _ change: (inout TrainConfiguration) -> Void = { _ in }) throws -> Double? {
            var configuration = configuration
            configuration.loop.output = workshop.path(name)
            change(&configuration)
            return try workshop.train(configuration).metrics.last?["eval_logps/chosen"]
        }
        let first = try #require(try evaluated("first"))
        let second = try evaluated("second") {
            $0.data.keepsOrder = true
            $0.loop.batchSize = 3
            $0.data.maxLength = 64
        }
        #expect(second == first)
        #expect(try evaluated("third") { $0.loop.seed = 7 } != first)
    }
}
