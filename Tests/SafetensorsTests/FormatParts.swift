import Foundation
import TestSupport

extension TemporaryDirectory {
    /// Writes a file from the parts of the format: the header's length (its true one unless given), the header and the data.
    func write(
        _ name: String = "tensors.safetensors",
        header: String,
        length: UInt64? = nil,
        dataByteCount: Int = 0
    ) throws -> URL {
        let text = Array(header.utf8)
        let head = Swift.withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian, Array.init)
        let data = (0..<dataByteCount).map { UInt8(truncatingIfNeeded: $0) }
        return URL(filePath: try write(name, bytes: head + text + data))
    }
}
