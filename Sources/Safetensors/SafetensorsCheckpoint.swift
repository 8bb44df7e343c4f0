import Foundation
import JSONText

/// The tensors of a model directory, whether they lie in one file or in shards with an index.
///
/// `model.safetensors` is read where it is there, else the shards that `model.safetensors.index.json` names, as transformers does. Pickle
/// files are never opened.
public final class SafetensorsCheckpoint: Sendable {
    /// The directory.
    public let directory: URL
    /// The files, in the order of their names.
    public let files: [SafetensorsFile]
    private let places: [(file: Int, entry: SafetensorsEntry)]
    private let positions: NameTable

    /// Opens and checks all files of a checkpoint.
    ///
    /// - Parameters:
    ///   - directory: The model directory.
    ///   - stem: The files' name in front of `.safetensors`; `adapter_model` for an adapter.
    /// - Throws: `SafetensorsError` where there is no such checkpoint, a file is invalid, or the index and the files disagree.
    public init(directory: URL, stem: String = "model") throws(SafetensorsError) {
        self.directory = directory
        let single = directory.appending(path: "\(stem).safetensors")
        let indexURL = directory.appending(path: "\(stem).safetensors.index.json")
        if FileManager.default.fileExists(atPath: single.path) {
            files = [try SafetensorsFile(url: single)]
        } else if FileManager.default.fileExists(atPath: indexURL.path) {
            let index = try SafetensorsIndex(contentsOf: indexURL)
            files = try index.shardNames.map { (name) throws(SafetensorsError) in
                try SafetensorsFile(url: directory.appending(path: name))
            }
            try index.check(against: files, path: indexURL.path)
        } else {
            throw Self.noCheckpoint(in: directory, stem: stem)
        }
        places = files.enumerated().flatMap { number, file in file.entries.map { (number, $0) } }
        positions = NameTable(places.map(\.entry.name))
    }

    /// The tensors of all files, those of the first file first.
    public var entries: [SafetensorsEntry] { places.map(\.entry) }

    /// The tensor of that name and the file that holds it, or nil.
    public func tensor(named name: String) -> (file: SafetensorsFile, entry: SafetensorsEntry)? {
        positions[name].map { (files[places[$0].file], places[$0].entry) }
    }

    /// Lends the bytes of the tensor of that name for the duration of a call.
    ///
    /// - Throws: `SafetensorsError` where no file has such a tensor, and what the body throws.
    public func withUnsafeBytes<Result>(
        of name: String,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        guard let (file, entry) = tensor(named: name) else {
            throw SafetensorsError(path: directory.path, tensor: name, .noSuchTensor)
        }
        return try file.withUnsafeBytes(of: entry, body)
    }

    /// The names of the shards that an index file names, each within the file's directory.
    ///
    /// - Throws: `SafetensorsError` where the file is no index.
    public static func shardNames(inIndex url: URL) throws(SafetensorsError) -> [String] {
        try SafetensorsIndex(contentsOf: url).shardNames
    }

    /// The error for a place that holds files of these names, and no checkpoint among them.
    ///
    /// - Parameter path: The place, as the error names it.
    public static func noCheckpoint(in path: String, names: [String], stem: String = "model") -> SafetensorsError {
        let pickles = names.filter { name in
            [".bin", ".bin.index.json", ".pt", ".pth", ".pkl"].contains { name.hasSuffix($0) }
        }
        return SafetensorsError(path: path, .noCheckpoint(stem: stem, pickles: pickles.sorted()))
    }

    private static func noCheckpoint(in directory: URL, stem: String) -> SafetensorsError {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory.path) else {
            return SafetensorsError(
                path: directory.path,
                .system(operation: "opened", reason: "there is no such directory")
            )
        }
        return noCheckpoint(in: directory.path, names: names, stem: stem)
    }
}
