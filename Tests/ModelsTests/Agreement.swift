import Foundation
import TestSupport
import Torch

extension SharedFixtures {
    /// A recorded model's directory.
    static func model(_ name: String) -> URL { url("fixtures/models/" + name) }
}

/// The largest violation of |a - b| <= absolute + relative·|b|; not positive where all agree.
func excess(_ found: Tensor, _ expected: Tensor, absolute: Double, relative: Double) -> Double {
    guard found.shape == expected.shape else { return .infinity }
    let allowed = expected.to(.float64).magnitude() * relative + absolute
    return ((found.to(.float64) - expected.to(.float64)).magnitude() - allowed).max().scalar
}
