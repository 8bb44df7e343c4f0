import Foundation

/// Writes a safetensors file of which nothing is seen under its name before it is complete.
///
/// The tensors are laid out as the format's own library lays them out, by descending alignment and then by name, whatever the order in
/// which they are declared and written. Only one tensor's bytes need be in memory at a time.
public final class SafetensorsWriter {
    /// The tensors in the order of their bytes.
    public var entries: [SafetensorsEntry] { header.entries }

    private let header: SafetensorsHeader
    private let file: AtomicFile
    private let dataOffset: Int
    private var isWritten: [Bool]

    /// Lays the file out and writes its header beside the final place.
    ///
    /// - Parameters:
    ///   - url: Where the file will stand once `finish()` has returned.
    ///   - tensors: What will be written.
    ///   - metadata: Texts about the whole; transformers loads a file only where `format` says `pt`.
    /// - Throws: `SafetensorsError` for names that repeat, shapes that overflow and a place that cannot be written.
    public init(
        url: URL,
        tensors: [SafetensorsTensor],
        metadata: [String: String] = ["format": "pt"]
    ) throws(SafetensorsError) {
        header = try SafetensorsHeader(layingOut: tensors, metadata: metadata, path: url.path)
        let head = header.encoded()
        guard head.count - SafetensorsHeader.prefixByteCount <= SafetensorsHeader.longestByteCount else {
            let length = UInt64(head.count - SafetensorsHeader.prefixByteCount)
            throw SafetensorsError(
                path: url.path,
                .headerLength(length, limit: SafetensorsHeader.longestByteCount)
            )
        }
        dataOffset = head.count
        isWritten = Array(repeating: false, count: header.entries.count)
        file = try AtomicFile(url: url)
        try file.append(head)
    }

    /// Writes all bytes of one tensor, row-major and little-endian.
    ///
    /// - Throws: `SafetensorsError` for a tensor that was not declared, was written before or has another number of bytes, and where
    ///   the file system refuses, for instance because the disk is full.
    public func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(SafetensorsError) {
        guard let position = header.position(of: name) else { throw error(name, .noSuchTensor) }
        let entry = header.entries[position]
        guard !isWritten[position] else { throw error(name, .writtenTwice) }
        guard bytes.count == entry.byteRange.count else {
            throw error(
                name,
                .byteCount(found: bytes.count, expected: entry.byteRange.count, entry.dtype, entry.shape)
            )
        }
        try file.write(bytes, at: dataOffset + entry.byteRange.lowerBound)
        isWritten[position] = true
    }

    /// Brings the file to the disk and gives it its name.
    ///
    /// - Throws: `SafetensorsError` where a declared tensor has not been written or the file system refuses; then the name stays as it was.
    public func finish() throws(SafetensorsError) {
        let unwritten = zip(header.entries, isWritten).filter { !$0.1 && !$0.0.byteRange.isEmpty }.map(\.0.name)
        guard unwritten.isEmpty else { throw SafetensorsError(path: file.url.path, .unwritten(unwritten)) }
        try file.commit()
    }

    private func error(_ name: String, _ problem: SafetensorsError.Problem) -> SafetensorsError {
        SafetensorsError(path: file.url.path, tensor: name, problem)
    }
}
