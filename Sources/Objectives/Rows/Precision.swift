import Torch

extension Tensor {
    /// The type that equations compute in: float64 for float64, float32 for everything narrower.
    ///
    /// Objectives live on small differences of log-probabilities, which bfloat16 would round away.
    var precision: DType { dtype == .float64 ? .float64 : .float32 }

    /// This tensor in the type that equations compute in.
    var precise: Tensor { to(precision) }

    /// This tensor in the type and on the device of another.
    func matching(_ other: Tensor) -> Tensor { to(other.device).to(other.dtype) }

    /// Σ wₜ·xₜ over all elements, as a scalar.
    func weightedSum(_ weights: Tensor) -> Tensor { (weights.matching(self) * self).sum() }
}
