import Foundation
import Objectives
import Testing
import Torch

@Suite("KLEstimator")
struct KLEstimatorTests {
    @Test("by hand at d = −1 and 2, and bounded")
    func byHand() {
        let (policy, reference) = (Tensor([-3, -1] as [Float]), Tensor([-2, -3] as [Float]))
        func estimate(_ estimator: KLEstimator, clamp: Double? = nil) -> [Double] {
            estimator.estimate(policy: policy, reference: reference, clamp: clamp).doubles
        }
        expectClose(estimate(.k1), [-1, 2])
        expectClose(estimate(.k2), [0.5, 2])
        expectClose(estimate(.k3), [exp(1) - 2, exp(-2) + 1])
        expectClose(estimate(.k3, clamp: 1), [exp(1) - 2, 1])
        expectClose(estimate(.k1, clamp: 0.5), [-0.5, 0.5])
    }

    @Test("the expectation of k1 and k3 under the policy is the divergence")
    func expectation() {
        let (policy, reference) = ([0.7, 0.2, 0.1], [0.3, 0.3, 0.4])
        let divergence = zip(policy, reference).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
        for estimator in [KLEstimator.k1, .k3] {
            let estimates = estimator.estimate(
                policy: Tensor(policy.map { log($0) }),
                reference: Tensor(reference.map { log($0) })
            )
            expectClose([(estimates * Tensor(policy)).sum().scalar], [divergence], (1e-12, 0))
        }
    }

    @Test("k3 keeps its digits where policy and reference nearly agree: d²/2 − d³/6")
    func cancellation() {
        let difference = Tensor([0x1p-12, -0x1p-13] as [Float])
        let estimates = KLEstimator.k3.estimate(policy: difference, reference: difference.zerosLike())
        let expected = [0x1p-12, -0x1p-13].map { $0 * $0 / 2 - $0 * $0 * $0 / 6 }
        expectClose(estimates.doubles, expected, (1e-6, 0))
    }

    @Test("a token that the reference finds far likelier has an estimate at the bound and gradient 0, not NaN")
    func farApart() {
        let policy = Tensor([-100, -800, -1e5] as [Float])
        policy.requiresGradient = true
        let estimates = KLEstimator.k3.estimate(policy: policy, reference: policy.detached().zerosLike(), clamp: 10)
        estimates.sum().backward()
        #expect(estimates.floats == [10, 10, 10])
        #expect(policy.gradient?.floats == [0, 0, 0])
    }

    @Test("equals OpenRLHF's estimates and gradients", .needsSharedFixtures)
    func reference() throws {
        let estimators: [String: KLEstimator] = ["k1": .k1, "k2": .k2, "k3": .k3]
        try Fixture("approx_kl").run { recorded in
            let estimator = try #require(estimators[recorded.text("estimator") ?? ""])
            let kl = try estimator.estimate(
                policy: recorded.input("logp"),
                reference: recorded.input("ref"),
                clamp: 10
            )
            try recorded.expect(kl, equals: "kl")
            guard recorded.json["grads"] != nil else { return }
            let weighted = try (kl * recorded.input("w")).sum()
            try recorded.expect(weighted, equals: "weighted")
            try recorded.expectGradients(of: weighted)
        }
    }
}
