import Configuration
import Testing

@testable import rto

@Suite struct QuickstartPlanTests {
    private let plan = QuickstartPlan(QuickstartConfiguration())

    @Test("Every stage is one that rto train accepts") func stages() throws {
        for stage in [plan.pretraining, plan.fineTuning, plan.reward, plan.preference, plan.ppo, plan.rto] {
            try stage.check()
            let words = CommandLineText.words(stage)
            let request = try SettingReader(defaults: TrainConfiguration(stage: stage.stage)).read(
                Array(words.dropFirst(3))
            )
            #expect(request == .run(stage))
        }
    }

    @Test("PPO and RTO share everything but the token reward and the place of the run") func fairness() {
        let (ppo, rto) = (plan.ppo, plan.rto)
        #expect(ppo.reinforcement == rto.reinforcement)
        #expect(ppo.model == rto.model && ppo.data == rto.data && ppo.optimizer == rto.optimizer)
        var loop = rto.loop
        loop.output = ppo.loop.output
        #expect(ppo.loop == loop)
        #expect(rto.tokenReward.scale <= rto.reinforcement.klCoefficient)
    }

    @Test("Samples are drawn by seeds of their own, also after the largest one") func seeds() throws {
        var configuration = QuickstartConfiguration()
        configuration.seed = .max
        let plan = QuickstartPlan(configuration)
        let samples = [plan.preferenceSamples, plan.heldOutPreferenceSamples, plan.evaluationSamples(of: "sft")]
        for sample in samples { try sample.check() }
        #expect(Set(samples.map(\.seed)).count == 3)
        #expect(plan.evaluationSamples(of: "ppo").seed == plan.evaluationSamples(of: "rto").seed)
    }
}
