import Foundation

/// Writes a model's tensors as transformers does: one file, or shards with an index where one would be too large.
///
/// Each file appears complete or not at all, and the index last. `finish()` then removes a file of the other layout that an older
/// checkpoint left under the same stem, since readers would take it for the new one.
public final class SafetensorsCheckpointWriter {
    /// The largest shard that is written unless told otherwise, in bytes.
    public static let defaultLargestShardByteCount = 5_000_000_000

    private let directory: URL
    private let stem: String
    private let writers: [SafetensorsWriter]
    private let writerOfTensor: NameTable
    private let writerNumbers: [Int]
    private let index: SafetensorsIndex?

    /// Decides which tensor goes to which file, and creates the files beside their places.
    ///
    /// Tensors fill shards in the given order; one that is larger than a shard may be gets a shard of its own.
    ///
    /// - Parameters:
    ///   - directory: An existing directory.
    ///   - stem: The files' name in front of `.safetensors`; `adapter_model` for an adapter.
    ///   - tensors: What will be written.
    ///   - metadata: Texts about the whole, repeated in each file.
    ///   - largestShardByteCount: The most bytes of tensors that a shard holds.
    /// - Throws: `SafetensorsError` for names that repeat, shapes that overflow and a directory that cannot be written.
    public init(
        directory: URL,
        stem: String = "model",
        tensors: [SafetensorsTensor],
        metadata: [String: String] = ["format": "pt"],
        largestShardByteCount: Int = defaultLargestShardByteCount
    ) throws(SafetensorsError) {
        self.directory = directory
        self.stem = stem
        // Laying all of them out at once finds repeated names across shards, and sizes that overflow.
        let layout = try SafetensorsHeader(layingOut: tensors, metadata: metadata, path: directory.path)
        let shards = Self.shards(of: tensors, layout, largestByteCount: largestShardByteCount)
        let names = Self.fileNames(stem: stem, count: shards.count)
        writers = try zip(names, shards).map { (name, shard) throws(SafetensorsError) in
            try SafetensorsWriter(url: directory.appending(path: name), tensors: shard, metadata: metadata)
        }
        writerOfTensor = NameTable(shards.joined().map(\.name))
        writerNumbers = shards.enumerated().flatMap { number, shard in shard.map { _ in number } }
        index =
            shards.count == 1
            ? nil
            : SafetensorsIndex(
                weightMap: zip(names, shards).flatMap { name, shard in shard.map { ($0.name, name) } },
                byteCount: layout.dataByteCount,
                elementCount: layout.entries.map(\.elementCount).reduce(0, +)
            )
    }

    /// Writes all bytes of one tensor, row-major and little-endian.
    ///
    /// - Throws: `SafetensorsError` as `SafetensorsWriter` does.
    public func write(_ bytes: UnsafeRawBufferPointer, to name: String) throws(SafetensorsError) {
        guard let position = writerOfTensor[name] else {
            throw SafetensorsError(path: directory.path, tensor: name, .noSuchTensor)
        }
        try writers[writerNumbers[position]].write(bytes, to: name)
    }

    /// Brings all files to the disk and gives them their names, the index last.
    ///
    /// - Throws: `SafetensorsError` where a declared tensor has not been written or the file system refuses.
    public func finish() throws(SafetensorsError) {
        for writer in writers { try writer.finish() }
        let single = directory.appending(path: "\(stem).safetensors")
        let indexURL = directory.appending(path: "\(stem).safetensors.index.json")
        if let index { try AtomicFile.write(index.encoded(), to: indexURL) }
        let stale = index == nil ? indexURL : single
        do {
            try FileManager.default.removeItem(at: stale)
        } catch CocoaError.fileNoSuchFile {
            // No checkpoint of the other layout stood here.
        } catch {
            throw SafetensorsError(path: stale.path, .system(operation: "removed", reason: "\(error)"))
        }
    }

    private static func shards(
        of tensors: [SafetensorsTensor],
        _ layout: SafetensorsHeader,
        largestByteCount: Int
    ) -> [[SafetensorsTensor]] {
        var shards: [[SafetensorsTensor]] = []
        var current: [SafetensorsTensor] = []
        var byteCount = 0
        for tensor in tensors {
            let size = layout[tensor.name]?.byteRange.count ?? 0
            if size > largestByteCount {
                shards.append([tensor])
                continue
            }
            if byteCount + size > largestByteCount {
                shards.append(current)
                (current, byteCount) = ([], 0)
            }
            current.append(tensor)
            byteCount += size
        }
        return current.isEmpty && !shards.isEmpty ? shards : shards + [current]
    }

    private static func fileNames(stem: String, count: Int) -> [String] {
        guard count > 1 else { return ["\(stem).safetensors"] }
        return (1...count).map { "\(stem)-\(padded($0))-of-\(padded(count)).safetensors" }
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
