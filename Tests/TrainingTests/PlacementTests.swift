import Configuration
import Foundation
import Objectives
import Testing
import Tokenizers
import Torch

@testable import Training

@Suite("Where token rewards are paid")
struct PlacementTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    /// A stage on the recorded rollouts of another run, with a tokenizer that knows where sentences end.
    private func configuration(_ stage: Configuration.Stage, _ output: String) throws -> TrainConfiguration {
        var configuration = try workshop.configuration(stage, output: output)
        try workshop.addTokenizer(to: configuration.model.model)
        configuration.model.tokenizer = configuration.model.model
        configuration.reinforcement.rolloutBatchSize = 16
        configuration.reinforcement.savesRollouts = true
        configuration.reinforcement.rollouts = workshop.path("recorded.safetensors")
        configuration.data.keepsOrder = true
        configuration.reinforcement.epochs = 1
        return configuration
    }

    private func record() throws {
        let responses = (0..<16).map { Workshop.ids(3 + $0 % 7, $0 * 3) }
        let prompts = (0..<16).map { Workshop.ids(2 + $0 % 3, $0) }
        let lengths = zip(prompts, responses).map { $0.count + $1.count }
        try writeTensors(
            [
                ("tokens", Tensor(zip(prompts, responses).flatMap { $0 + $1 })),
                ("sequence_offsets", Tensor(lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) })),
                ("prompt_lengths", Tensor(prompts.map(\.count))),
                ("finished", Tensor((0..<16).map { $0 % 3 == 0 })),
            ],
            to: workshop.directory.url.appending(path: "recorded.safetensors")
        )
    }

    @Test("a response is paid the same by RTO, Semi-RTO and DDPO, and nothing by RS-PPO")
    func sums() throws {
        try record()
        let rows = RaggedRows(lengths: (0..<16).map { 3 + $0 % 7 })
        var paid: [Configuration.TokenRewardPlacement: Tensor] = [:]
        for placement in Configuration.TokenRewardPlacement.allCases {
            var configuration = try configuration(.rto, placement.rawValue)
            configuration.tokenReward.placement = placement
            let run = try workshop.train(configuration)
            paid[placement] = try run.tensors("rollouts/step-1.safetensors")["token_rewards"]
        }
        let token = try #require(paid[.token])
        let sums = rows.sums(token).doubles
        #expect(sums.contains { abs($0) > 0.05 })
        for (placement, rewards) in paid {
            let expected = placement == .shaping ? sums.map { _ in 0 } : sums
            #expect(zip(rows.sums(rewards).doubles, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(placement)")
        }
        // The recorded responses end sentences at some tokens, so that no two placements are one.
        let nonzero = paid.mapValues { $0.doubles.count { $0 != 0 } }
        #expect(nonzero[.end] == 16 && (17..<token.count).contains(nonzero[.sentence] ?? 0))
    }

    @Test(
        "with β₁ = 0 all four are PPO to the bit, from the command line",
        arguments: Configuration.TokenRewardPlacement.allCases
    )
    func withoutScale(placement: Configuration.TokenRewardPlacement) throws {
        try record()
        let ppo = try workshop.train(try configuration(.ppo, "ppo"))
        var shared = try configuration(.rto, "rto")
        shared.tokenReward.dpoModel = nil
        let words = ["--token-reward-scale", "0", "--token-reward-placement", placement.rawValue]
        let request = try SettingReader(defaults: shared).read(words)
        guard case .run(let rto) = request else { throw TrainingError("no run: \(request)") }
        #expect(try workshop.train(rto).modelBytes == ppo.modelBytes)
        // The same with a DPO model that is loaded and not paid.
        var loaded = rto
        loaded.tokenReward.dpoModel = try workshop.languageModel("dpo", seed: 5)
        loaded.loop.output += "-loaded"
        #expect(try workshop.train(loaded).modelBytes == ppo.modelBytes)
    }

    @Test(
        "where the DPO model is the reference all four are PPO",
        arguments: Configuration.TokenRewardPlacement.allCases
    )
    func withoutDifference(placement: Configuration.TokenRewardPlacement) throws {
        try record()
        let ppo = try workshop.train(try configuration(.ppo, "ppo"))
        var rto = try configuration(.rto, "rto")
        rto.tokenReward.dpoModel = rto.model.referenceModel
        rto.tokenReward.placement = placement
        #expect(try workshop.train(rto).modelBytes == ppo.modelBytes)
    }

    @Test("sentences without a tokenizer are refused, and nothing is left")
    func noTokenizer() throws {
        try record()
        var configuration = try configuration(.rto, "run")
        try FileManager.default.removeItem(atPath: configuration.model.model + "/tokenizer.json")
        configuration.tokenReward.placement = .sentence
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.description.contains("--tokenizer") == true && error?.exitStatus == .data)
        #expect(!FileManager.default.fileExists(atPath: workshop.path("run")))
    }

    @Test("a token ends a sentence by its own text")
    func sentenceEnds() throws {
        let directory = try workshop.languageModel("named", seed: 1)
        try workshop.addTokenizer(to: directory)
        let ends = SentenceEnds(try Tokenizer(directory: URL(filePath: directory)))
        let found = (-1...Workshop.vocabularySize).filter { ends.contains($0) }.map { Workshop.tokens[$0] }
        #expect(found == [".", "!", "?", "\n", "! ", ".\n", "a.", "\n  "])
    }
}
