import Safetensors

/// The element type of a tensor; raw values are LibTorch's own numbers.
public enum DType: Int32, Sendable {
    case uint8 = 0
    case int8 = 1
    case int16 = 2
    case int32 = 3
    case int64 = 4
    case float16 = 5
    case float32 = 6
    case float64 = 7
    case bool = 11
    case bfloat16 = 15

    /// Bytes an element takes.
    public var byteSize: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .int16, .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }

    /// Whether elements are real numbers, so that gradients make sense.
    public var isFloatingPoint: Bool {
        switch self {
        case .float16, .float32, .float64, .bfloat16: true
        default: false
        }
    }
}

/// Where a tensor lives.
public enum Device: Sendable, Equatable {
    case cpu
    case cuda(Int)

    var rawType: Int32 {
        switch self {
        case .cpu: 0
        case .cuda: 1
        }
    }

    var rawIndex: Int32 {
        switch self {
        case .cpu: -1
        case .cuda(let index): Int32(index)
        }
    }
}
