import CLibTorch

/// Runs a body without recording it for gradients.
public func withoutGradients<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let before = libtorch.pointee.set_gradient_enabled(false)
    defer { _ = libtorch.pointee.set_gradient_enabled(before) }
    return try body()
}

/// Runs a body in LibTorch's inference mode: no gradients, and none of the bookkeeping of views and changes in place that they
/// would need, which takes longer than a small operator.
///
/// What the body makes is not for a backward pass: LibTorch refuses to keep it for one.
public func inInferenceMode<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let mode = libtorch.pointee.enter_inference()
    defer { libtorch.pointee.leave_inference(mode) }
    return try body()
}

/// Whether what is computed now is recorded for gradients.
public var areGradientsRecorded: Bool {
    let isRecorded = libtorch.pointee.set_gradient_enabled(false)
    _ = libtorch.pointee.set_gradient_enabled(isRecorded)
    return isRecorded
}

/// Computes `body(input)` keeping only its input; the backward pass computes it again.
///
/// Trades a second forward pass for the memory of the body's intermediate values. The body must be a pure function of its
/// input and of parameters.
public func checkpointed(_ input: Tensor, _ body: @escaping (Tensor) -> Tensor) -> Tensor {
    // Without a gradient to its input the node would be left out of the graph, and the body's parameters with it.
    guard input.requiresGradient else { return body(input) }
    final class Closure {
        let body: (Tensor) -> Tensor
        init(_ body: @escaping (Tensor) -> Tensor) { self.body = body }
    }
    let context = Unmanaged.passRetained(Closure(body)).toOpaque()
    let result = input.handle.withPointer { pointer in
        libtorch.pointee.checkpoint(
            pointer,
            { context, input in
                let closure = Unmanaged<Closure>.fromOpaque(context).takeUnretainedValue()
                return closure.body(Tensor(owning: input)).handle.withPointer { libtorch.pointee.retain($0) }
            },
            context,
            { Unmanaged<Closure>.fromOpaque($0).release() }
        )
    }
    return Tensor(owning: unwrap(result, "checkpointed"))
}

extension Tensor {
    /// Whether gradients flow to this tensor.
    public var requiresGradient: Bool {
        get { handle.withPointer { libtorch.pointee.requires_gradient($0) } }
        nonmutating set { handle.withPointer { libtorch.pointee.set_requires_gradient($0, newValue) } }
    }

    /// What backward passes have added up for this leaf, if any.
    public var gradient: Tensor? {
        get { handle.withPointer { libtorch.pointee.gradient($0).map(Tensor.init(owning:)) } }
        nonmutating set {
            handle.withPointer { pointer in
                if let newValue {
                    newValue.handle.withPointer { libtorch.pointee.set_gradient(pointer, $0) }
                } else {
                    libtorch.pointee.set_gradient(pointer, nil)
                }
            }
        }
    }

    /// Adds the gradients of this tensor to the leaves it was computed from; a tensor that is no scalar needs a seed of its shape.
    public func backward(seed: Tensor? = nil) {
        let status = handle.withPointer { pointer in
            if let seed {
                seed.handle.withPointer { libtorch.pointee.backward(pointer, $0) }
            } else {
                libtorch.pointee.backward(pointer, nil)
            }
        }
        precondition(status == 0, "backward from \(shape): \(LibTorch.lastError)")
    }
}
