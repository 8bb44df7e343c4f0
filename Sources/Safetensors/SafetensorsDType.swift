/// The element type of a tensor in a safetensors file, under the name that the format gives it.
///
/// The cases stand in the format's order of alignment, which is the order that `SafetensorsWriter` turns around.
/// The format's types of four and six bits (`F4`, `F6_E2M3`, `F6_E3M2`) are refused: no element of theirs has an address.
public enum SafetensorsDType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8E5M2 = "F8_E5M2"
    case float8E4M3 = "F8_E4M3"
    case float8E8M0 = "F8_E8M0"
    case float8E4M3FNUZ = "F8_E4M3FNUZ"
    case float8E5M2FNUZ = "F8_E5M2FNUZ"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case complex64 = "C64"
    case float64 = "F64"
    case int64 = "I64"
    case uint64 = "U64"

    /// The bytes that one element takes.
    public var byteSize: Int {
        switch self {
        case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E8M0, .float8E4M3FNUZ, .float8E5M2FNUZ: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .complex64, .float64, .int64, .uint64: 8
        }
    }

    /// The place of the type in the format's order of alignment, from the narrowest to the widest.
    var alignmentRank: Int {
        Self.allCases.firstIndex(of: self) ?? 0
    }

    /// The bytes that a tensor of this type and of the given shape takes, or nil where that number overflows.
    func byteCount(ofShape shape: [Int]) -> Int? {
        var count = 1
        for extent in shape + [byteSize] {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }
}
