import Foundation
import Safetensors

extension DType {
    /// The type of a safetensors entry, or nil where LibTorch cannot compute with it.
    public init?(_ stored: SafetensorsDType) {
        switch stored {
        case .bool: self = .bool
        case .uint8: self = .uint8
        case .int8: self = .int8
        case .int16: self = .int16
        case .int32: self = .int32
        case .int64: self = .int64
        case .float16: self = .float16
        case .bfloat16: self = .bfloat16
        case .float32: self = .float32
        case .float64: self = .float64
        default: return nil
        }
    }

    /// The name under which a safetensors file stores this type.
    public var stored: SafetensorsDType {
        switch self {
        case .bool: .bool
        case .uint8: .uint8
        case .int8: .int8
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .float32: .float32
        case .float64: .float64
        }
    }
}

extension SafetensorsFile {
    /// A copy of a tensor, on the CPU, or nil where the file has none of that name or of a type LibTorch has not.
    public func tensor(_ name: String) -> Tensor? {
        guard let entry = entry(named: name), let dtype = DType(entry.dtype) else { return nil }
        return withUnsafeBytes(of: entry) { Tensor(bytes: $0, shape: entry.shape, dtype: dtype) }
    }
}

/// Writes named tensors to one safetensors file, atomically, one tensor's bytes in memory at a time.
public func writeTensors(
    _ tensors: [(name: String, tensor: Tensor)],
    metadata: [String: String] = ["format": "pt"],
    to url: URL
) throws {
    let layout = tensors.map {
        SafetensorsTensor(name: $0.name, dtype: $0.tensor.dtype.stored, shape: $0.tensor.shape)
    }
    let writer = try SafetensorsWriter(url: url, tensors: layout, metadata: metadata)
    for (name, tensor) in tensors {
        try tensor.bytes().withUnsafeBytes { try writer.write($0, to: name) }
    }
    try writer.finish()
}
