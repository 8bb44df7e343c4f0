import Foundation
import Safetensors

/// A file of rows of tokens, each of which is read by itself, wherever it lies: nothing of the file is held in memory.
///
/// It is a safetensors file of two tensors. `words` are the rows one after another, each as its file's number, its line, what it
/// wrote of itself and a digest; `index` has for each row the number of its first word and the number of its ids, and one more line for the end.
final class TokenFile: Sendable {
    private let url: URL
    private let stream: FileByteStream
    private let wordsOffset: Int
    private let indexOffset: Int
    private let wordCount: Int
    private let vocabularySize: Int
    /// The number of rows.
    let count: Int

    private static let lineByteCount = 16

    /// Opens a file.
    ///
    /// - Parameter vocabularySize: What ids must be below, or nil for any.
    /// - Throws: `DatasetError` where there is none, or it is no such file.
    init(_ url: URL, vocabularySize: Int?) throws(DatasetError) {
        self.url = url
        self.vocabularySize = vocabularySize ?? .max
        let file: SafetensorsFile
        do { file = try SafetensorsFile(url: url) } catch {
            throw DatasetError(path: url.path, .unusableTokens(error.clause))
        }
        guard let words = file.entry(named: "words"), words.dtype == .int32, words.shape.count == 1,
            let index = file.entry(named: "index"), index.dtype == .int64, index.shape.count == 2, index.shape[0] > 0,
            index.shape[1] == 2, file.entries.count == 2
        else { throw DatasetError(path: url.path, .damagedTokens) }
        stream = try FileByteStream(path: url.path)
        let dataOffset = try stream.byteCount() - words.byteRange.count - index.byteRange.count
        wordsOffset = dataOffset + words.byteRange.lowerBound
        indexOffset = dataOffset + index.byteRange.lowerBound
        wordCount = words.shape[0]
        count = index.shape[0] - 1
    }

    /// A row.
    ///
    /// - Parameter paths: The data files by their numbers.
    /// - Throws: `DatasetError` where the file cannot be read, or does not hold what was written.
    func row<Row: StorableRow>(_ number: Int, paths: [String]) throws(DatasetError) -> Row {
        let lines = try self.lines(number, count: 2)
        guard lines[0].word <= lines[1].word else { throw damaged }
        let byteCount = (lines[1].word - lines[0].word) * MemoryLayout<Int32>.size
        let bytes = try read(wordsOffset + lines[0].word * MemoryLayout<Int32>.size, byteCount)
        var words = bytes.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
        guard let digest = words.popLast(), digest == Self.digest(words, number) else { throw damaged }
        var reader = TokenWords.Reader(words, vocabularySize: vocabularySize)
        let row: Row
        do {
            let file = try reader.number()
            guard file < paths.count, let line = Int(exactly: try reader.wide()) else { throw damaged }
            row = try Row(reading: &reader, source: RowLocation(path: paths[file], line: line))
        } catch {
            throw damaged
        }
        guard reader.isAtEnd, row.tokenCount == lines[0].tokenCount else { throw damaged }
        return row
    }

    /// The word behind those of a row, by which damage is found that leaves a row possible, or in another's place.
    static func digest(_ words: [Int32], _ number: Int) -> Int32 {
        var digest = ContentDigest()
        withUnsafeBytes(of: number) { digest.add($0) }
        words.withUnsafeBytes { digest.add($0) }
        return Int32(truncatingIfNeeded: digest.value ^ digest.value >> 32)
    }

    /// Hands out the numbers of ids of all rows, in their order.
    func forEachTokenCount(_ body: (Int) -> Void) throws(DatasetError) {
        let step = 1 << 16
        for first in stride(from: 0, to: count, by: step) {
            for line in try lines(first, count: min(step, count - first)) { body(line.tokenCount) }
        }
    }

    private func lines(_ first: Int, count: Int) throws(DatasetError) -> [(word: Int, tokenCount: Int)] {
        let bytes = try read(indexOffset + first * Self.lineByteCount, count * Self.lineByteCount)
        let numbers = bytes.withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
        return try (0..<count).map { (line) throws(DatasetError) in
            let (word, tokenCount) = (Int(numbers[2 * line]), Int(numbers[2 * line + 1]))
            guard (0...wordCount).contains(word), (0...wordCount).contains(tokenCount) else { throw damaged }
            return (word, tokenCount)
        }
    }

    private func read(_ offset: Int, _ count: Int) throws(DatasetError) -> [UInt8] {
        let bytes = try stream.bytes(at: offset, count: count)
        guard bytes.count == count else { throw damaged }
        return bytes
    }

    private var damaged: DatasetError { DatasetError(path: url.path, .damagedTokens) }
}

/// Writes a file of rows of tokens; it appears under its name when it is whole.
final class TokenFileWriter {
    /// The header has one length, whatever it says: it is written when the lengths of what follows it are known.
    private static let headerByteCount = 512

    private let url: URL
    private let file: AtomicFile
    private var pending: [Int32] = []
    private var wordCount = 0
    private var index: [Int64] = []
    private var numbers: [String: Int] = [:]
    /// The data files by their numbers.
    private(set) var paths: [String] = []
    /// The digest of all rows so far.
    private(set) var digest = ContentDigest()

    init(_ url: URL) throws(DatasetError) {
        self.url = url
        do { file = try AtomicFile(url: url) } catch { throw DatasetError(path: url.path, .tokens(error.clause)) }
        try write([UInt8](repeating: UInt8(ascii: " "), count: Self.headerByteCount))
    }

    func append(_ row: some StorableRow) throws(DatasetError) {
        var words = TokenWords()
        words.append(number(of: row.source.path))
        words.append(wide: UInt64(row.source.line))
        row.write(to: &words)
        let mark = TokenFile.digest(words.words, index.count / 2)
        words.append(mark: mark)
        withUnsafeBytes(of: mark) { digest.add($0) }
        index += [Int64(wordCount), Int64(row.tokenCount)]
        wordCount += words.words.count
        pending += words.words
        if pending.count > 1 << 18 { try flush() }
    }

    private func number(of path: String) -> Int {
        if let number = numbers[path] { return number }
        numbers[path] = paths.count
        paths.append(path)
        return paths.count - 1
    }

    private func flush() throws(DatasetError) {
        try write(pending)
        pending.removeAll(keepingCapacity: true)
    }

    /// Writes the index and the header, and gives the file its name.
    func finish() throws(DatasetError) {
        let rowCount = index.count / 2
        index += [Int64(wordCount), 0]
        // The index stands at a multiple of its numbers' size.
        if wordCount % 2 == 1 {
            pending.append(0)
            wordCount += 1
        }
        try flush()
        try write(index)
        let wordsEnd = wordCount * MemoryLayout<Int32>.size
        let indexEnd = wordsEnd + index.count * MemoryLayout<Int64>.size
        let text =
            #"{"words":{"dtype":"I32","shape":[\#(wordCount)],"data_offsets":[0,\#(wordsEnd)]},"#
            + #""index":{"dtype":"I64","shape":[\#(rowCount + 1),2],"data_offsets":[\#(wordsEnd),\#(indexEnd)]}}"#
        let length = UInt64(Self.headerByteCount - 8)
        let header = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array(text.utf8)
        do throws(SafetensorsError) {
            try header.withUnsafeBufferPointer { (bytes) throws(SafetensorsError) in
                try file.write(UnsafeRawBufferPointer(bytes), at: 0)
            }
            try file.commit()
        } catch {
            throw DatasetError(path: url.path, .tokens(error.clause))
        }
    }

    private func write<Number: BitwiseCopyable>(_ numbers: [Number]) throws(DatasetError) {
        do throws(SafetensorsError) {
            try numbers.withUnsafeBufferPointer { (numbers) throws(SafetensorsError) in
                try file.append(UnsafeRawBufferPointer(numbers))
            }
        } catch {
            throw DatasetError(path: url.path, .tokens(error.clause))
        }
    }
}

extension SafetensorsError {
    /// What it says behind the name of the file.
    var clause: String {
        let text = description.hasPrefix(path + ": ") ? String(description.dropFirst(path.count + 2)) : description
        return text.withoutFinalPeriod
    }
}
