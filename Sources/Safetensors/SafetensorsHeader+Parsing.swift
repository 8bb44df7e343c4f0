import JSONText

extension SafetensorsHeader {
    /// Reads the head of a file and checks all that the format demands of it.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - path: The file's path, for errors.
    init(parsing bytes: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
        let text = try Self.text(in: bytes, path: path)
        let dataByteCount = bytes.count - Self.prefixByteCount - text.count
        var entries: [SafetensorsEntry] = []
        var metadata: [String: String] = [:]
        for (name, value) in try Self.members(of: text, path: path) {
            if name == Self.metadataKey {
                metadata = try Self.metadata(value, path: path)
            } else {
                entries.append(try EntryParser(name: name, path: path).entry(value, dataByteCount: dataByteCount))
            }
        }
        entries = Self.inFileOrder(entries)
        try Self.checkCoverage(by: entries, of: dataByteCount, path: path)
        self.init(entries: entries, metadata: metadata)
    }

    private static func text(
        in bytes: UnsafeRawBufferPointer,
        path: String
    ) throws(SafetensorsError) -> UnsafeRawBufferPointer {
        guard bytes.count > prefixByteCount else {
            throw SafetensorsError(path: path, .tooShort(byteCount: bytes.count))
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let limit = min(longestByteCount, bytes.count - prefixByteCount)
        guard length <= UInt64(limit) else {
            throw SafetensorsError(path: path, .headerLength(length, limit: limit))
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[prefixByteCount..<prefixByteCount + Int(length)])
        guard text.first == UInt8(ascii: "{") else {
            throw SafetensorsError(path: path, .headerNotJSON(reason: "it does not begin with '{'"))
        }
        return text
    }

    private static func members(
        of text: UnsafeRawBufferPointer,
        path: String
    ) throws(SafetensorsError) -> [(key: String, value: JSON)] {
        do {
            let options = JSONParsingOptions(refusesDuplicateKeys: true, depthLimit: 16)
            return try JSON(parsing: text, options: options).object?.members ?? []
        } catch {
            throw SafetensorsError(path: path, .headerNotJSON(reason: error.description))
        }
    }

    private static func metadata(_ value: JSON, path: String) throws(SafetensorsError) -> [String: String] {
        var metadata: [String: String] = [:]
        for (key, text) in value.object?.members ?? [("", .null)] {
            guard let text = text.string else {
                throw SafetensorsError(
                    path: path,
                    .malformed(field: metadataKey, expected: "an object whose values are strings")
                )
            }
            metadata[key] = text
        }
        return metadata
    }

    /// Sorts by place; where empty tensors share one, the header's order decides.
    private static func inFileOrder(_ entries: [SafetensorsEntry]) -> [SafetensorsEntry] {
        entries.enumerated().sorted { left, right in
            let (a, b) = (left.element.byteRange, right.element.byteRange)
            return (a.lowerBound, a.upperBound, left.offset) < (b.lowerBound, b.upperBound, right.offset)
        }.map(\.element)
    }

    private static func checkCoverage(
        by entries: [SafetensorsEntry],
        of dataByteCount: Int,
        path: String
    ) throws(SafetensorsError) {
        var end = 0
        var previous = ""
        for entry in entries {
            let start = entry.byteRange.lowerBound
            guard start >= end else {
                throw SafetensorsError(path: path, tensor: entry.name, .overlap(with: previous))
            }
            guard start == end else { throw SafetensorsError(path: path, tensor: entry.name, .hole(end..<start)) }
            end = entry.byteRange.upperBound
            previous = entry.name
        }
        guard end == dataByteCount else { throw SafetensorsError(path: path, .hole(end..<dataByteCount)) }
    }
}

/// Reads what a header says of one tensor.
private struct EntryParser {
    let name: String
    let path: String

    func entry(_ value: JSON, dataByteCount: Int) throws(SafetensorsError) -> SafetensorsEntry {
        guard let dtypeName = value["dtype"]?.string else { throw malformed("dtype", "a string") }
        guard let dtype = SafetensorsDType(rawValue: dtypeName) else { throw error(.unknownDType(dtypeName)) }
        guard let shape = wholeNumbers(value["shape"]) else {
            throw malformed("shape", "a list of whole numbers from 0")
        }
        guard let offsets = wholeNumbers(value["data_offsets"]), offsets.count == 2, offsets[0] <= offsets[1] else {
            throw malformed("data_offsets", "two whole numbers from 0, the second no smaller than the first")
        }
        guard let expected = dtype.byteCount(ofShape: shape) else { throw error(.shapeOverflow(dtype, shape)) }
        guard offsets[1] - offsets[0] == expected else {
            throw error(.byteCount(found: offsets[1] - offsets[0], expected: expected, dtype, shape))
        }
        guard offsets[1] <= dataByteCount else {
            throw error(.outsideFile(end: offsets[1], dataByteCount: dataByteCount))
        }
        return SafetensorsEntry(name: name, dtype: dtype, shape: shape, byteRange: offsets[0]..<offsets[1])
    }

    private func wholeNumbers(_ value: JSON?) -> [Int]? {
        guard let elements = value?.array else { return nil }
        let numbers = elements.compactMap(\.integer).filter { $0 >= 0 }
        return numbers.count == elements.count ? numbers : nil
    }

    private func malformed(_ field: String, _ expected: String) -> SafetensorsError {
        error(.malformed(field: field, expected: expected))
    }

    private func error(_ problem: SafetensorsError.Problem) -> SafetensorsError {
        SafetensorsError(path: path, tensor: name, problem)
    }
}
