import Configuration
import Testing

@testable import rto

@Suite struct QuickstartPlanTests {
    private let plan = QuickstartPlan(QuickstartConfiguration())

    @Test("Every stage is one that rto train accepts") func stages() throws {
        let chain = plan.chain
        for stage in [chain.pretraining, chain.fineTuning, chain.reward, plan.dpo, plan.ppo, plan.rto] {
            try stage.check()
            let words = CommandLineText.words(stage)
            let request = try SettingReader(defaults: TrainConfiguration(stage: stage.stage)).read(
                Array(words.dropFirst(3))
            )
            #expect(request == .run(stage))
        }
    }

    @Test("Samples are drawn by seeds of their own, also after the largest one") func seeds() throws {
        var configuration = QuickstartConfiguration()
        configuration.seed = .max
        let plan = QuickstartPlan(configuration)
        let chain = plan.chain
        let samples = [chain.preferenceSamples, chain.heldOutPreferenceSamples, plan.evaluationSamples(of: .sft)]
        for sample in samples { try sample.check() }
        #expect(Set(samples.map(\.seed)).count == 3)
        #expect(plan.evaluationSamples(of: .ppo).seed == plan.evaluationSamples(of: .rto).seed)
    }
}
