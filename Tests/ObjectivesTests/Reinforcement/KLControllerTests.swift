import Objectives
import Testing

@Suite("KLController")
struct KLControllerTests {
    @Test("a fixed one stays; an adaptive one rises above its target, falls below it and rests on it")
    func directions() {
        var fixed = KLController(coefficient: 0.1)
        fixed.update(kl: 100, rollouts: 1000)
        #expect(fixed.coefficient == 0.1)
        func moved(by kl: Double) -> Double {
            var controller = KLController(coefficient: 0.1, rule: .adaptive(target: 2, horizon: 100))
            controller.update(kl: kl, rollouts: 10)
            return controller.coefficient
        }
        expectClose([moved(by: 2), moved(by: 2.2), moved(by: 50), moved(by: 0)], [0.1, 0.101, 0.102, 0.098])
    }

    @Test("goes on from a saved coefficient")
    func resume() {
        let rule = KLController.Rule.adaptive(target: 1, horizon: 50)
        var whole = KLController(coefficient: 0.2, rule: rule)
        whole.update(kl: 1.1, rollouts: 8)
        var resumed = KLController(coefficient: whole.coefficient, rule: rule)
        whole.update(kl: 0.7, rollouts: 8)
        resumed.update(kl: 0.7, rollouts: 8)
        #expect(resumed == whole)
    }

    @Test("equals the reference's after each update", .needsSharedFixtures)
    func reference() throws {
        try Fixture("kl_controller").run { recorded in
            let outputs = try #require(recorded.json["outputs"]), inputs = try #require(recorded.json["inputs"])
            if let measured = inputs["current"]?.array {
                var controller = try self.controller(recorded)
                let coefficients = measured.map { kl in
                    controller.update(kl: kl.number ?? .nan, rollouts: Int(recorded.number("n_steps") ?? 0))
                    return controller.coefficient
                }
                let expected = try #require(outputs["value_after_each_update"]?.array).compactMap(\.number)
                expectClose(coefficients, expected, (1e-12, 0), recorded.name)
            }
            for (key, kl) in inputs.object?.members ?? [] where kl.array == nil {
                var controller = try self.controller(recorded)
                controller.update(kl: kl.number ?? .nan, rollouts: try recorded.integer("n_steps"))
                expectClose([controller.coefficient], [outputs[key]?.number ?? .nan], (1e-12, 0), recorded.name)
            }
        }
    }

    private func controller(_ recorded: FixtureCase) throws -> KLController {
        let start = try #require(recorded.number("init"))
        guard let target = recorded.number("target") else { return KLController(coefficient: start) }
        let horizon = try #require(recorded.number("horizon"))
        return KLController(coefficient: start, rule: .adaptive(target: target, horizon: horizon))
    }
}
