/// What is wrong with a file of tensors, or what stopped it from being read or written.
public struct SafetensorsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path of the file or directory.
    public let path: String
    /// The tensor that the problem is with, or nil where it is with the file.
    public let tensor: String?
    /// What is wrong.
    public let problem: Problem

    init(path: String, tensor: String? = nil, _ problem: Problem) {
        self.path = path
        self.tensor = tensor
        self.problem = problem
    }

    /// The problems there are, each with what was expected and what was found.
    public enum Problem: Equatable, Sendable {
        /// The operating system refused an operation, for instance because the disk is full.
        case system(operation: String, reason: String)
        /// A directory, a pipe or a device stands where a file should.
        case notAFile
        /// The file has too few bytes to hold even the length of its header.
        case tooShort(byteCount: Int)
        /// The header is said to be longer than the format allows or than the file is.
        case headerLength(UInt64, limit: Int)
        /// The header is not the JSON object that it must be.
        case headerNotJSON(reason: String)
        /// A value of the header or of the index is not of the form that it must have.
        case malformed(field: String, expected: String)
        /// Two members have one name.
        case duplicateName
        /// The element type is none that is known.
        case unknownDType(String)
        /// The number of bytes that the shape asks for overflows.
        case shapeOverflow(SafetensorsDType, [Int])
        /// The offsets enclose another number of bytes than element type and shape ask for.
        case byteCount(found: Int, expected: Int, SafetensorsDType, [Int])
        /// The tensor ends behind the end of the file.
        case outsideFile(end: Int, dataByteCount: Int)
        /// The tensor shares bytes with another.
        case overlap(with: String)
        /// Bytes in front of the tensor, or behind the last one, belong to no tensor.
        case hole(Range<Int>)
        /// No tensor has this name.
        case noSuchTensor
        /// A tensor was written twice.
        case writtenTwice
        /// These tensors were declared and never written.
        case unwritten([String])
        /// The name is the format's own.
        case reservedName
        /// A directory holds no safetensors checkpoint; pickle files that it holds instead are named.
        case noCheckpoint(stem: String, pickles: [String])
        /// The index names a file outside its directory.
        case shardOutsideDirectory(String)
        /// The index places the tensor in a file that does not hold it.
        case notInShard(String)
        /// Two files of a checkpoint hold the same tensor.
        case inTwoShards(String, String)
    }

    /// One sentence: where, what, and what to do where that is known.
    public var description: String {
        let place = tensor.map { "\(path): tensor \(quoted($0))" } ?? path
        return "\(place) \(problem.predicate)."
    }
}

extension SafetensorsError.Problem {
    /// The sentence's second half, which goes on after the file or the tensor.
    fileprivate var predicate: String {
        switch self {
        case .system, .notAFile, .tooShort, .headerLength, .headerNotJSON, .noCheckpoint: filePredicate
        case .noSuchTensor, .writtenTwice, .unwritten, .reservedName, .shardOutsideDirectory, .notInShard, .inTwoShards:
            namePredicate
        case .malformed(let field, let expected): "is invalid: \(field) must be \(expected)"
        case .duplicateName: "is named twice"
        case .unknownDType(let name):
            "has dtype \(quoted(name)), which is none of \(SafetensorsDType.allCases.map(\.rawValue).joined(separator: ", "))"
        case .shapeOverflow(let dtype, let shape):
            "has the shape \(shape) of \(dtype.rawValue), too large for any memory"
        case .byteCount(let found, let expected, let dtype, let shape):
            "has data_offsets \(found) bytes apart, but \(dtype.rawValue) of shape \(shape) takes \(expected)"
        case .outsideFile(let end, let dataByteCount):
            "ends at byte \(end) of the data, of which the file holds \(dataByteCount): it was cut short or its header is wrong"
        case .overlap(let other): "shares bytes with tensor \(quoted(other))"
        case .hole(let range): "leaves the bytes \(range.lowerBound) to \(range.upperBound) of the data to no tensor"
        }
    }

    private var filePredicate: String {
        switch self {
        case .system(let operation, let reason): "could not be \(operation): \(reason)"
        case .notAFile: "is not a regular file"
        case .tooShort(let byteCount): "has \(byteCount) bytes, too few for a safetensors file: it was cut short"
        case .headerLength(let length, let limit):
            "claims a header of \(length) bytes where at most \(limit) are possible: it is no safetensors file or was cut short"
        case .headerNotJSON(let reason): "has a header that is no valid JSON object: \(reason)"
        case .noCheckpoint(let stem, let pickles) where pickles.isEmpty:
            "holds neither \(stem).safetensors nor \(stem).safetensors.index.json"
        case .noCheckpoint(_, let pickles):
            "holds weights only as pickle (\(pickles.joined(separator: ", "))), which can run code when it is opened and is not"
                + " read: convert them with transformers' save_pretrained(directory, safe_serialization=True)"
        default: ""
        }
    }

    private var namePredicate: String {
        switch self {
        case .noSuchTensor: "does not exist"
        case .writtenTwice: "was written twice"
        case .unwritten(let names):
            "lacks the bytes of \(names.count) declared tensors, the first \(quoted(names.first ?? ""))"
        case .reservedName: "has a name that the format keeps for itself"
        case .shardOutsideDirectory(let shard): "names the shard \(quoted(shard)), which is no file of the directory"
        case .notInShard(let shard): "is not in \(quoted(shard)), where the index places it"
        case .inTwoShards(let first, let second): "is in both \(quoted(first)) and \(quoted(second))"
        default: ""
        }
    }
}

/// A name from a file as it may stand in a sentence: quoted, on one line, and of bounded length.
func quoted(_ name: String) -> String {
    let limit = 120
    let isLong = name.unicodeScalars.count > limit
    return String(String.UnicodeScalarView(name.unicodeScalars.prefix(limit))).debugDescription + (isLong ? "…" : "")
}
