import CLibTorch
import Synchronization

/// An array of numbers in LibTorch's memory: a value with a shape, an element type and a device.
///
/// Copies share storage. Not `Sendable`: LibTorch's gradient mode belongs to a thread, so tensors stay on the one that
/// trains. Misuse (wrong shapes, wrong types) traps with the operator's name and its arguments' shapes.
public struct Tensor {
    let handle: TensorHandle

    init(owning pointer: TensorPointer) { handle = TensorHandle(owning: pointer) }

    /// A tensor of the given shape from values in row-major order.
    public init(_ values: [Float], shape: [Int]? = nil) { self.init(values, shape, .float32) }

    /// A float64 tensor of the given shape from values in row-major order.
    public init(_ values: [Double], shape: [Int]? = nil) { self.init(values, shape, .float64) }

    /// An int64 tensor of the given shape from values in row-major order.
    public init(_ values: [Int], shape: [Int]? = nil) { self.init(values, shape, .int64) }

    /// A bool tensor of the given shape from values in row-major order.
    public init(_ values: [Bool], shape: [Int]? = nil) { self.init(values, shape, .bool) }

    private init<Element: BitwiseCopyable>(_ values: [Element], _ shape: [Int]?, _ dtype: DType) {
        self = values.withUnsafeBytes { Tensor(bytes: $0, shape: shape ?? [values.count], dtype: dtype) }
    }

    /// A tensor on the CPU copied from raw bytes in row-major order; traps if shape and size disagree.
    public init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType) {
        let dimensions = shape.map(Int64.init)
        self.init(
            owning: unwrap(
                libtorch.pointee.tensor_from_bytes(
                    bytes.baseAddress,
                    Int64(bytes.count),
                    dimensions,
                    Int32(shape.count),
                    dtype.rawValue
                ),
                "tensor of shape \(shape)"
            )
        )
    }

    /// The dimensions, outermost first; a scalar has none.
    public var shape: [Int] {
        handle.withPointer { pointer in
            (0..<libtorch.pointee.rank(pointer)).map { Int(libtorch.pointee.dimension(pointer, $0)) }
        }
    }

    /// The number of dimensions.
    public var rank: Int { handle.withPointer { Int(libtorch.pointee.rank($0)) } }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// The size along one dimension; negative axes count from the end.
    public func size(_ axis: Int) -> Int {
        handle.withPointer { Int(libtorch.pointee.dimension($0, Int32(axis < 0 ? rank + axis : axis))) }
    }

    /// The element type.
    public var dtype: DType {
        let raw = handle.withPointer { libtorch.pointee.dtype($0) }
        guard let dtype = DType(rawValue: raw) else { fatalError("a tensor has LibTorch's element type \(raw)") }
        return dtype
    }

    /// Where the elements live.
    public var device: Device {
        handle.withPointer {
            libtorch.pointee.device_type($0) == 0 ? .cpu : .cuda(Int(libtorch.pointee.device_index($0)))
        }
    }

    /// The elements in row-major order, converted to float32.
    public var floats: [Float] { elements(of: to(.float32), zero: 0) }

    /// The elements in row-major order, converted to float64.
    public var doubles: [Double] { elements(of: to(.float64), zero: 0) }

    /// The elements in row-major order, converted to int64.
    public var integers: [Int] { elements(of: to(.int64), zero: 0) }

    /// The elements in row-major order as Booleans.
    public var booleans: [Bool] { elements(of: to(.bool), zero: false) }

    /// The one element of a tensor that has one, as a double.
    public var scalar: Double {
        precondition(count == 1, "a scalar is wanted, the tensor has shape \(shape)")
        return doubles[0]
    }

    /// A copy of the tensor's bytes in row-major order.
    public func bytes() -> [UInt8] { Tensor.copy(self, as: UInt8.self, count: count * dtype.byteSize, zero: 0) }

    private func elements<Element: BitwiseCopyable>(of tensor: Tensor, zero: Element) -> [Element] {
        Tensor.copy(tensor, as: Element.self, count: tensor.count, zero: zero)
    }

    private static func copy<Element: BitwiseCopyable>(
        _ tensor: Tensor,
        as type: Element.Type,
        count: Int,
        zero: Element
    ) -> [Element] {
        var result = [Element](repeating: zero, count: count)
        let size = count * MemoryLayout<Element>.stride
        let status = tensor.handle.withPointer { libtorch.pointee.copy_bytes($0, &result, Int64(size)) }
        precondition(status == 0, "copy to host: \(LibTorch.lastError)")
        return result
    }
}

/// Owns one reference to a LibTorch tensor.
final class TensorHandle {
    // Read only under `withPointer` or `withExtendedLifetime`: ARC may free a temporary before the C call ends.
    let pointer: TensorPointer

    init(owning pointer: TensorPointer) {
        self.pointer = pointer
        Memory.liveCount.add(1, ordering: .relaxed)
    }

    deinit {
        libtorch.pointee.release(pointer)
        Memory.liveCount.subtract(1, ordering: .relaxed)
    }

    func withPointer<Result>(_ body: (TensorPointer) -> Result) -> Result {
        withExtendedLifetime(self) { body(pointer) }
    }
}

/// The pointer a C function returned, or a trap with LibTorch's sentence.
func unwrap(_ pointer: TensorPointer?, _ what: @autoclosure () -> String) -> TensorPointer {
    guard let pointer else { fatalError("\(what()): \(LibTorch.lastError)") }
    return pointer
}
