/// The name, element type and shape of a tensor that is to be written.
public struct SafetensorsTensor: Sendable, Equatable {
    /// The tensor's name, in a model the name of its parameter.
    public let name: String
    /// The element type.
    public let dtype: SafetensorsDType
    /// The extents, outermost first; empty for a single number.
    public let shape: [Int]

    /// Describes a tensor without its bytes.
    public init(name: String, dtype: SafetensorsDType, shape: [Int]) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
    }
}

/// A tensor of a safetensors file: what its header says of it.
public struct SafetensorsEntry: Sendable, Equatable {
    /// The tensor's name, in a model the name of its parameter.
    public let name: String
    /// The element type.
    public let dtype: SafetensorsDType
    /// The extents, outermost first; empty for a single number.
    public let shape: [Int]
    /// Where the elements lie, in bytes from the end of the header; row-major and little-endian.
    public let byteRange: Range<Int>

    /// The number of elements.
    public var elementCount: Int { byteRange.count / dtype.byteSize }
}
