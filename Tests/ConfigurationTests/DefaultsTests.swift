import Testing

@testable import Configuration

@Suite struct DefaultsTests {
    /// The RTO authors' release script, and their code where it is silent.
    @Test("RTO starts from the release script") func rto() {
        let rto = TrainConfiguration(stage: .rto)
        #expect(rto.optimizer.learningRate == 5e-7 && rto.reinforcement.criticLearningRate == 9e-6)
        #expect(rto.reinforcement.maxPromptLength == 1024 && rto.reinforcement.sampling.maxNewTokens == 1024)
        #expect(rto.reinforcement.rolloutBatchSize == 1024 && rto.loop.batchSize == 128)
        #expect(rto.tokenReward.scale == 0.05 && rto.tokenReward.clip == 0.05)
        #expect(rto.reinforcement.klCoefficient == 0.01 && rto.reinforcement.klTarget == nil)
        #expect(rto.loop.epochs == 1 && rto.reinforcement.epochs == 1)
        #expect(rto.reinforcement.gamma == 1 && rto.reinforcement.lambda == 0.95)
        #expect(rto.reinforcement.clipRange == 0.2 && rto.reinforcement.valueClipRange == 0.2)
        #expect(rto.reinforcement.rewardClip == 10 && rto.reinforcement.rewardCoefficient == 1)
        #expect(rto.reinforcement.sampling == SamplingSettings(minNewTokens: 1))
        #expect(rto.optimizer.lossNormalization == .sequence)
        #expect(rto.reinforcement.truncation == .forceEndOfSequence)
        #expect(
            rto.reinforcement.advantage == .gae && rto.reinforcement.klEstimator == .k1 && !rto.reinforcement.klInLoss
        )
        #expect(rto.reinforcement.clipRangeHigh == nil && rto.reinforcement.dualClip == nil)
        #expect(rto.reinforcement.logRatioClip == nil && !rto.reinforcement.keepsAdvantageDeviation)
        #expect(rto.reinforcement.emaDecay == nil && rto.reinforcement.freezeActorSteps == 0)
        #expect(rto.reinforcement.ptxSources.isEmpty && rto.reinforcement.ptxCoefficient == 0.05)
        #expect(rto.tokenReward.placement == .token)
    }

    @Test("Every stage shares optimizer, schedule and seed", arguments: Stage.allCases) func shared(stage: Stage) {
        let configuration = TrainConfiguration(stage: stage)
        let optimizer = configuration.optimizer
        #expect(optimizer.beta1 == 0.9 && optimizer.beta2 == 0.95 && optimizer.epsilon == 1e-8)
        #expect(optimizer.weightDecay == 0 && optimizer.maxGradientNorm == 1)
        #expect(
            optimizer.schedule == .cosineWithMinimum && optimizer.warmupRatio == 0.03 && optimizer.minimumRatio == 0.1
        )
        #expect(configuration.loop.seed == 42 && configuration.loop.keepCheckpoints == 3)
        #expect(configuration.compute == ComputeSettings())
    }

    @Test(
        "Learning rates and batches are the stage's own",
        arguments: [
            (Stage.sft, 5e-6, 128), (.reward, 1e-6, 128), (.dpo, 5e-7, 256), (.kto, 5e-7, 64),
            (.kd, 5e-6, 256), (.ppo, 8e-7, 128), (.rto, 5e-7, 128),
        ]
    )
    func rates(stage: Stage, rate: Double, batch: Int) {
        #expect(TrainConfiguration(stage: stage).optimizer.learningRate == rate)
        #expect(TrainConfiguration(stage: stage).loop.batchSize == batch)
    }

    @Test("A name is declared once a stage, and every default is within its limits", arguments: Stage.allCases)
    func declarations(stage: Stage) throws {
        var configuration = TrainConfiguration(stage: stage)
        let names = configuration.settings.map(\.name)
        #expect(Set(names).count == names.count)
        configuration.model.model = "m"
        configuration.data.sources = [DataSource(path: "d")]
        configuration.loop.output = "o"
        configuration.reinforcement.rewardModel = "r"
        configuration.tokenReward.dpoModel = "p"
        configuration.distillation.teacherModel = "t"
        try configuration.check()
    }

    @Test("A configuration made in code is held to the same limits") func check() {
        var configuration = TrainConfiguration(stage: .sft)
        configuration.optimizer.learningRate = -1
        #expect(throws: ConfigurationError.self) { try configuration.check() }
    }

    @Test("What was not given follows from what was") func derived() {
        var configuration = TrainConfiguration(stage: .rto)
        configuration.model.model = "sft"
        #expect(configuration.model.referenceDirectory == "sft" && configuration.criticDirectory == "sft")
        #expect(configuration.model.tokenizerDirectory == "sft" && configuration.promptLimit == 1024)
        configuration.reinforcement.rewardModel = "rm"
        #expect(configuration.criticDirectory == "rm")
        configuration.data.maxLength = 1100
        #expect(configuration.promptLimit == 76)
    }
}
