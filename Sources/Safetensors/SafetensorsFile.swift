import Foundation

/// A safetensors file, mapped into memory and checked before any byte of it is used.
///
/// The format keeps its promises here or the file is refused: every tensor of a known type, as long as its shape asks for, inside
/// the file, sharing no byte with another, and no byte left over.
public final class SafetensorsFile: Sendable {
    /// Where the file stands.
    public let url: URL
    private let header: SafetensorsHeader
    private let file: MappedFile
    private let dataOffset: Int

    /// Maps and checks a file.
    ///
    /// - Throws: `SafetensorsError` naming the file and, where it is a tensor that is wrong, the tensor.
    public init(url: URL) throws(SafetensorsError) {
        self.url = url
        file = try MappedFile(path: url.path)
        header = try SafetensorsHeader(parsing: file.bytes, path: url.path)
        dataOffset = file.bytes.count - header.dataByteCount
    }

    /// The tensors in the order of their bytes.
    public var entries: [SafetensorsEntry] { header.entries }

    /// The texts that the writer left about the whole file.
    public var metadata: [String: String] { header.metadata }

    /// The tensor of that name, compared byte for byte, or nil.
    public func entry(named name: String) -> SafetensorsEntry? { header[name] }

    /// Lends the bytes of a tensor of this file for the duration of a call.
    ///
    /// The bytes are row-major and little-endian. Files of this room's writer, of the format's own library and of most others place every
    /// element at a multiple of its size; the format does not promise it, so read with `loadUnaligned` or look at the address.
    public func withUnsafeBytes<Result>(
        of entry: SafetensorsEntry,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        precondition(header[entry.name] == entry, "the entry \(entry.name) is none of \(url.path)")
        let range = dataOffset + entry.byteRange.lowerBound..<dataOffset + entry.byteRange.upperBound
        defer { file.release(range) }
        return try body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
    }

    /// Lends the bytes of the tensor of that name for the duration of a call.
    ///
    /// - Throws: `SafetensorsError` where the file has no such tensor, and what the body throws.
    public func withUnsafeBytes<Result>(
        of name: String,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard let entry = header[name] else { throw SafetensorsError(path: url.path, tensor: name, .noSuchTensor) }
        return try withUnsafeBytes(of: entry, body)
    }
}
