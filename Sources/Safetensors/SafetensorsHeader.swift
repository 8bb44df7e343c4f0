import JSONText

/// What the head of a safetensors file says: where each tensor lies, and texts about the whole.
struct SafetensorsHeader: Sendable {
    /// The key that no tensor may have.
    static let metadataKey = "__metadata__"
    /// The bytes of the header's length, in front of it.
    static let prefixByteCount = 8
    /// The longest header that the format allows, in bytes.
    static let longestByteCount = 100_000_000

    /// The tensors in the order of their bytes.
    let entries: [SafetensorsEntry]
    let metadata: [String: String]
    private let positions: NameTable

    /// Takes entries that are known to fill the data without gap or overlap.
    init(entries: [SafetensorsEntry], metadata: [String: String]) {
        self.entries = entries
        self.metadata = metadata
        positions = NameTable(entries.map(\.name))
    }

    /// The bytes of all tensors together.
    var dataByteCount: Int { entries.last?.byteRange.upperBound ?? 0 }

    /// The tensor of that name, compared byte for byte.
    subscript(name: String) -> SafetensorsEntry? { positions[name].map { entries[$0] } }

    func position(of name: String) -> Int? { positions[name] }
}

extension SafetensorsHeader {
    /// Lays tensors out as the format's own library does: by descending alignment, then by name.
    ///
    /// That order keeps each element at a multiple of its size, since the header's end is at a multiple of eight.
    init(
        layingOut tensors: [SafetensorsTensor],
        metadata: [String: String],
        path: String
    ) throws(SafetensorsError) {
        var entries: [SafetensorsEntry] = []
        var end = 0
        for tensor in tensors.sorted(by: Self.precedes) {
            let isRepeated = entries.last.map { $0.name.utf8.elementsEqual(tensor.name.utf8) } ?? false
            guard !isRepeated else { throw SafetensorsError(path: path, tensor: tensor.name, .duplicateName) }
            guard tensor.name != Self.metadataKey else {
                throw SafetensorsError(path: path, tensor: tensor.name, .reservedName)
            }
            guard tensor.shape.allSatisfy({ $0 >= 0 }) else {
                let problem = SafetensorsError.Problem.malformed(field: "shape", expected: "whole numbers from 0")
                throw SafetensorsError(path: path, tensor: tensor.name, problem)
            }
            guard let count = tensor.dtype.byteCount(ofShape: tensor.shape),
                !end.addingReportingOverflow(count).overflow
            else { throw SafetensorsError(path: path, tensor: tensor.name, .shapeOverflow(tensor.dtype, tensor.shape)) }
            entries.append(
                SafetensorsEntry(
                    name: tensor.name,
                    dtype: tensor.dtype,
                    shape: tensor.shape,
                    byteRange: end..<end + count
                )
            )
            end += count
        }
        self.init(entries: entries, metadata: metadata)
    }

    private static func precedes(_ left: SafetensorsTensor, _ right: SafetensorsTensor) -> Bool {
        if left.dtype != right.dtype { return left.dtype.alignmentRank > right.dtype.alignmentRank }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }

    /// The head of the file: the length of the JSON text, and that text padded with spaces to a multiple of eight bytes.
    func encoded() -> [UInt8] {
        var object = JSONObject()
        if !metadata.isEmpty {
            var members = JSONObject()
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { members[key] = .string(value) }
            object[Self.metadataKey] = .object(members)
        }
        for entry in entries {
            object[entry.name] = [
                "dtype": .string(entry.dtype.rawValue),
                "shape": .array(entry.shape.map(JSON.integer)),
                "data_offsets": [.integer(entry.byteRange.lowerBound), .integer(entry.byteRange.upperBound)],
            ]
        }
        var text = Array(JSON.object(object).serialized().utf8)
        text += Array(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
    }
}

/// Finds names by their bytes, since `String ==` takes some distinct names for equal.
struct NameTable: Sendable {
    private let positions: [[UInt8]: Int]

    /// Numbers names from 0; of equal ones the first counts.
    init(_ names: [String]) {
        positions = Dictionary(
            names.enumerated().map { (Array($0.element.utf8), $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    subscript(name: String) -> Int? { positions[Array(name.utf8)] }
}
