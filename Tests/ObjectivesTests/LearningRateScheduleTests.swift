import Objectives
import Testing

@Suite("LearningRateSchedule")
struct LearningRateScheduleTests {
    @Test("by hand: warm-up from 0, then each schedule half-way and at the end")
    func byHand() {
        func factors(_ schedule: LearningRateSchedule, _ steps: [Int]) -> [Double] {
            steps.map { schedule.factor(step: $0, totalSteps: 14, warmupSteps: 4) }
        }
        for schedule in [LearningRateSchedule.constant, .linear, .cosine, .cosineWithMinimum(ratio: 0.1)] {
            expectClose(factors(schedule, [0, 1, 3, 4]), [0, 0.25, 0.75, 1])
        }
        expectClose(factors(.constant, [9, 14]), [1, 1])
        expectClose(factors(.linear, [9, 14, 20]), [0.5, 0, 0])
        expectClose(factors(.cosine, [9, 14]), [0.5, 0])
        expectClose(factors(.cosineWithMinimum(ratio: 0.2), [9, 14]), [0.6, 0.2])
    }

    @Test("a cosine with minimum 0 is the cosine, with minimum 1 it is constant")
    func limits() {
        for step in 0...30 {
            func factor(_ schedule: LearningRateSchedule) -> Double {
                schedule.factor(step: step, totalSteps: 30, warmupSteps: 3)
            }
            expectClose([factor(.cosineWithMinimum(ratio: 0))], [factor(.cosine)])
            expectClose([factor(.cosineWithMinimum(ratio: 1))], [factor(.constant)])
        }
    }

    @Test("warm-up is a share of all steps, rounded up")
    func warmup() {
        #expect(LearningRateSchedule.warmupSteps(ratio: 0.03, totalSteps: 468) == 15)
        #expect(LearningRateSchedule.warmupSteps(ratio: 0.03, totalSteps: 1) == 1)
        #expect(LearningRateSchedule.warmupSteps(ratio: 0, totalSteps: 100) == 0)
    }

    @Test("equals transformers' schedulers at every step", .needsSharedFixtures)
    func transformers() throws {
        try Fixture("lr_schedulers").run { recorded in
            let schedule: LearningRateSchedule
            switch recorded.text("type") {
            case "cosine_with_min_lr":
                // The recorded base rate is 1, so that an absolute minimum is its share.
                let ratio = recorded.number("min_lr_rate") ?? recorded.number("min_lr")
                schedule = .cosineWithMinimum(ratio: try #require(ratio))
            case "cosine": schedule = .cosine
            case "linear": schedule = .linear
            case "constant", "constant_with_warmup": schedule = .constant
            default: return _ = Issue.record("unknown schedule in \(recorded.name)")
            }
            let expected = try #require(recorded.json["outputs"]?["factor_by_step"]?.array).compactMap(\.number)
            let factors = try expected.indices.map {
                try schedule.factor(
                    step: $0,
                    totalSteps: recorded.integer("total_steps"),
                    warmupSteps: recorded.integer("warmup_steps")
                )
            }
            expectClose(factors, expected, (1e-12, 1e-15), recorded.name)
        }
    }
}
