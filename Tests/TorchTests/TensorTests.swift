import Testing

@testable import Torch

@Suite("Tensor")
struct TensorTests {
    @Test("keeps values, shape and type through a round trip")
    func roundTrip() {
        let tensor = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        #expect(tensor.shape == [2, 3])
        #expect(tensor.dtype == .float32)
        #expect(tensor.transposed(0, 1).floats == [1, 4, 2, 5, 3, 6])
        #expect(Tensor([7, -8]).integers == [7, -8])
        #expect(Tensor([true, false]).booleans == [true, false])
        #expect(Tensor([Float](), shape: [0, 4]).count == 0)
    }

    @Test("computes with scalars, lists and optional arguments")
    func operators() {
        let a = Tensor([1, -2, 3] as [Float])
        #expect((a * 2 + 1).floats == [3, -3, 7])
        #expect((1 - a).floats == [0, 3, -2])
        #expect(a.clamped(nil, 1).floats == [1, -2, 1])
        #expect(Tensor.concatenated([a, a]).sum().scalar == 4)
        #expect(a.to(.bfloat16).dtype == .bfloat16)
        #expect(a.top(2).values.floats == [3, 1])
    }

    @Test("differentiates: d(x²·w)/dx = 2xw")
    func gradient() {
        let x = Tensor([1, 2, 3] as [Float])
        x.requiresGradient = true
        (x.squared() * Tensor([1, 10, 100] as [Float])).sum().backward()
        #expect(x.gradient?.floats == [2, 40, 600])
        withoutGradients { #expect(!(x * 2).requiresGradient) }
        inInferenceMode {
            #expect(!(x * 2).requiresGradient)
            withoutGradients { #expect((x * 2).floats == [2, 4, 6]) }
            #expect(!areGradientsRecorded)
        }
        #expect((x * 2).requiresGradient)
        struct Refusal: Error {}
        #expect(throws: Refusal.self) { try inInferenceMode { throw Refusal() } }
        #expect((x * 2).requiresGradient)
    }

    @Test("a checkpointed body gives the same value and gradients as the body itself")
    func checkpointing() {
        func run(_ wrap: (Tensor, @escaping (Tensor) -> Tensor) -> Tensor) -> ([Float], [Float], [Float]) {
            let x = Tensor([0.5, -1, 2] as [Float])
            let w = Tensor([1, 2, 3] as [Float])
            x.requiresGradient = true
            w.requiresGradient = true
            let y = wrap(x.exp()) { ($0 * w).silu() }
            (y * y).sum().backward()
            return (y.floats, x.gradient?.floats ?? [], w.gradient?.floats ?? [])
        }
        let plain = run { $1($0) }
        let saved = run { checkpointed($0, $1) }
        #expect(plain == saved)
        #expect(saved.2.count == 3)
    }

    @Test("releases what it allocates")
    func liveTensors() {
        let before = Memory.liveTensors
        for _ in 0..<100 { _ = (Tensor([1, 2] as [Float]) * 3).sum() }
        #expect(Memory.liveTensors <= before + 8)  // other tests run beside this one
    }
}
