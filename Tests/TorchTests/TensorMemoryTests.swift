import Foundation
import Testing

@testable import Torch

/// Memory of large tensors; each test in a process of its own, since the numbers are a process's.
@Suite("Memory of tensors")
struct TensorMemoryTests {
    @Test("blocks of any size that come and go never share a byte")
    func blocks() async {
        await #expect(processExitsWith: .success) {
            var random = SystemRandomNumberGenerator()
            var held: [(tensor: Tensor, value: Double)] = []
            for round in 0..<600 {
                // From below the least size that is counted to several megabytes.
                let count = Int.random(in: 30_000...1_500_000, using: &random)
                func make() -> Tensor { Tensor.full([count], Double(round)) }
                held.append((round % 3 == 0 ? Memory.onHugePages(make) : make(), Double(round)))
                if held.count > 12 { held.remove(at: Int.random(in: held.indices, using: &random)) }
                guard round % 20 == 0 else { continue }
                for (tensor, value) in held {
                    guard tensor.min().scalar == value, tensor.max().scalar == value else {
                        fatalError("a tensor of \(value) was written to by another")
                    }
                }
            }
            let bytes = held.map { $0.tensor.count * 4 }.filter { $0 >= 1 << 18 }.map { ($0 + 4095) / 4096 * 4096 }
            guard Memory.largeTensorBytes == bytes.reduce(0, +) else { fatalError("used bytes are miscounted") }
            held = []
            guard Memory.largeTensorBytes == 0 else { fatalError("bytes are left behind") }
        }
    }

    @Test("what is free is used again for tensors of other sizes, and given back on demand")
    func reuse() async {
        await #expect(processExitsWith: .success) {
            /// Tensors of 256 MB in all.
            func fill(_ each: Int) -> [Tensor] { (0..<(64_000_000 / each)).map { Tensor.full([each], Double($0)) } }
            LibTorch.threads = 1
            let before = Memory.residentBytes
            for each in [1_000_000, 300_000, 4_000_000, 777_777, 16_000_000, 100_000] { _ = fill(each) }
            let most = Memory.peakResidentBytes - before
            guard most < 360_000_000 else { fatalError("\(most) bytes for tensors of 256000000") }
            guard Memory.residentBytes - before > 200_000_000 else { fatalError("nothing was kept for later tensors") }
            Memory.returnSpare()
            let left = Memory.residentBytes - before
            guard left < 20_000_000 else { fatalError("\(left) bytes were not given back") }
        }
    }

    @Test("huge pages go back to the system when what lay on them is gone, but for a few")
    func huge() async {
        await #expect(processExitsWith: .success) {
            LibTorch.threads = 1
            let before = Memory.residentBytes
            var held = Memory.onHugePages { (0..<60).map { Tensor.full([1_000_000], Double($0)) } }
            guard Memory.residentBytes - before > 230_000_000 else { fatalError("240000000 bytes are not there") }
            guard held.indices.allSatisfy({ held[$0].max().scalar == Double($0) }) else { fatalError("wrong numbers") }
            held = []
            let left = Memory.residentBytes - before
            guard left < 90_000_000 else { fatalError("\(left) bytes were kept") }
        }
    }

    @Test("a tensor that no machine can hold ends with LibTorch's sentence")
    func tooLarge() async {
        let ended = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor.empty([1 << 50])
        }
        let said = String(decoding: ended?.standardErrorContent ?? [], as: UTF8.self)
        #expect(said.contains("allocate memory") && said.contains("4503599627370496 bytes"))
    }
}
