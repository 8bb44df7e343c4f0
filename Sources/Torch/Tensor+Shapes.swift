/// Operators that create, move or re-arrange elements.
private enum Operators {
    static let empty = Operator("empty", "memory_format")
    static let zeros = Operator("zeros")
    static let zerosLike = Operator("zeros_like")
    static let emptyLike = Operator("empty_like")
    static let full = Operator("full")
    static let arange = Operator("arange", "start")
    static let convert = Operator("to", "device")
    static let toDtype = Operator("to", "dtype")
    static let clone = Operator("clone")
    static let contiguous = Operator("contiguous")
    static let detach = Operator("detach")
    static let reshape = Operator("reshape")
    static let transpose = Operator("transpose", "int")
    static let permute = Operator("permute")
    static let unsqueeze = Operator("unsqueeze")
    static let squeeze = Operator("squeeze", "dim")
    static let expand = Operator("expand")
    static let repeatInterleave = Operator("repeat_interleave", "self_int")
    static let narrow = Operator("narrow")
    static let select = Operator("select", "int")
    static let indexSelect = Operator("index_select")
    static let gather = Operator("gather")
    static let indexAdd = Operator("index_add")
    static let cat = Operator("cat")
    static let stack = Operator("stack")
    static let sort = Operator("sort")
    static let triu = Operator("triu")
    static let copyInPlace = Operator("copy_")
    static let addInPlace = Operator("add_", "Tensor")
    static let mulInPlace = Operator("mul_", "Tensor")
    static let zeroInPlace = Operator("zero_")
    static let exponentialInPlace = Operator("exponential_")
    static let normalInPlace = Operator("normal_")
    static let uniformInPlace = Operator("uniform_")
    static let bernoulliInPlace = Operator("bernoulli_", "float")
}

extension Tensor {
    /// A tensor whose elements are not set.
    public static func empty(_ shape: [Int], _ dtype: DType = .float32, on device: Device = .cpu) -> Tensor {
        Operators.empty(shape, dtype, Int?.none, device)
    }

    /// A tensor of zeros.
    public static func zeros(_ shape: [Int], _ dtype: DType = .float32, on device: Device = .cpu) -> Tensor {
        Operators.zeros(shape, dtype, Int?.none, device)
    }

    /// A tensor whose elements are all one number.
    public static func full(
        _ shape: [Int],
        _ value: Double,
        _ dtype: DType = .float32,
        on device: Device = .cpu
    ) -> Tensor {
        Operators.full(shape, value, dtype, Int?.none, device)
    }

    /// The whole numbers of a range, as int64.
    public static func range(_ range: Range<Int>, on device: Device = .cpu) -> Tensor {
        Operators.arange(range.lowerBound, range.upperBound, DType.int64, Int?.none, device)
    }

    /// Zeros of this tensor's shape, type and device.
    public func zerosLike() -> Tensor { Operators.zerosLike(self) }

    /// This tensor with another element type; itself where it has it already.
    public func to(_ dtype: DType) -> Tensor { self.dtype == dtype ? self : Operators.toDtype(self, dtype) }

    /// This tensor on another device; itself where it is there already.
    public func to(_ device: Device) -> Tensor {
        self.device == device ? self : Operators.convert(self, device, dtype)
    }

    /// A copy with storage of its own.
    public func clone() -> Tensor { Operators.clone(self) }

    /// This tensor with elements in row-major order in memory.
    public func contiguous() -> Tensor { Operators.contiguous(self) }

    /// The same elements without history: gradients stop here.
    public func detached() -> Tensor { Operators.detach(self) }

    /// The same elements in another shape; one dimension may be -1.
    public func reshaped(_ shape: [Int]) -> Tensor { Operators.reshape(self, shape) }

    /// This tensor with two axes exchanged.
    public func transposed(_ first: Int, _ second: Int) -> Tensor { Operators.transpose(self, first, second) }

    /// This tensor with its axes in another order.
    public func permuted(_ axes: [Int]) -> Tensor { Operators.permute(self, axes) }

    /// This tensor with a new axis of size one.
    public func unsqueezed(_ axis: Int) -> Tensor { Operators.unsqueeze(self, axis) }

    /// This tensor without an axis of size one.
    public func squeezed(_ axis: Int) -> Tensor { Operators.squeeze(self, axis) }

    /// This tensor broadcast to a shape without copying; -1 keeps a size.
    public func expanded(_ shape: [Int]) -> Tensor { Operators.expand(self, shape) }

    /// Each slice along an axis repeated in place `count` times.
    public func repeated(_ count: Int, along axis: Int) -> Tensor { Operators.repeatInterleave(self, count, axis) }

    /// A range of one axis, sharing storage.
    public func narrowed(_ axis: Int, _ range: Range<Int>) -> Tensor {
        Operators.narrow(self, axis, range.lowerBound, range.count)
    }

    /// One slice along an axis, without the axis, sharing storage.
    public func selected(_ axis: Int, _ index: Int) -> Tensor { Operators.select(self, axis, index) }

    /// Slices along an axis in the order of int64 indices.
    public func taking(_ axis: Int, _ indices: Tensor) -> Tensor { Operators.indexSelect(self, axis, indices) }

    /// Rows (slices along the first axis) in the order of the indices.
    public func rows(_ indices: [Int]) -> Tensor { taking(0, Tensor(indices).to(device)) }

    /// Elements at int64 indices along an axis.
    public func gathered(_ axis: Int, _ indices: Tensor) -> Tensor { Operators.gather(self, axis, indices) }

    /// This tensor with slices of `source` added at int64 indices along an axis.
    public func adding(_ source: Tensor, at indices: Tensor, along axis: Int) -> Tensor {
        Operators.indexAdd(self, axis, indices, source)
    }

    /// Tensors joined along an axis.
    public static func concatenated(_ tensors: [Tensor], along axis: Int = 0) -> Tensor { Operators.cat(tensors, axis) }

    /// Tensors of one shape joined along a new axis.
    public static func stacked(_ tensors: [Tensor], along axis: Int = 0) -> Tensor { Operators.stack(tensors, axis) }

    /// The elements sorted along an axis, and where they came from.
    public func sorted(_ axis: Int = -1, descending: Bool = false) -> (values: Tensor, indices: Tensor) {
        let (values, indices) = Operators.sort.pair(self, axis, descending)
        return (values, indices)
    }

    /// The part above a diagonal, zeros elsewhere.
    public func upperTriangle(_ diagonal: Int = 0) -> Tensor { Operators.triu(self, diagonal) }

    // In place: only on tensors without history.

    /// Overwrites the elements with those of another tensor, converting type and device.
    public func copy(from other: Tensor) { Operators.copyInPlace.run(self, other) }

    /// Adds another tensor to this one.
    public func add(_ other: Tensor) { Operators.addInPlace.run(self, other) }

    /// Multiplies this tensor by another.
    public func multiply(by other: Tensor) { Operators.mulInPlace.run(self, other) }

    /// Sets every element to zero.
    public func setZero() { Operators.zeroInPlace.run(self) }

    /// Fills with samples of the exponential distribution of rate one.
    public func fillExponential(_ generator: Generator) { Operators.exponentialInPlace.run(self, 1.0, generator) }

    /// Fills with samples of a normal distribution.
    public func fillNormal(mean: Double = 0, deviation: Double, _ generator: Generator) {
        Operators.normalInPlace.run(self, mean, deviation, generator)
    }

    /// Fills with samples of the uniform distribution between two numbers.
    public func fillUniform(_ lower: Double, _ upper: Double, _ generator: Generator) {
        Operators.uniformInPlace.run(self, lower, upper, generator)
    }

    /// Fills with ones at the given rate, and zeros elsewhere.
    public func fillBernoulli(_ rate: Double, _ generator: Generator) {
        Operators.bernoulliInPlace.run(self, rate, generator)
    }
}
