import Foundation
import TestSupport
import Testing

@testable import Safetensors

@Suite struct SafetensorsWriterTests {
    let directory: TemporaryDirectory
    let url: URL

    init() throws {
        directory = try TemporaryDirectory()
        url = directory.url.appending(path: "model.safetensors")
    }

    private let tensors = [
        SafetensorsTensor(name: "mask", dtype: .bool, shape: [3]),
        SafetensorsTensor(name: "weight", dtype: .float32, shape: [2]),
        SafetensorsTensor(name: "count", dtype: .int64, shape: []),
        SafetensorsTensor(name: "bias", dtype: .float32, shape: [1, 1]),
        SafetensorsTensor(name: "none", dtype: .float16, shape: [0]),
    ]

    private func write(_ bytes: [UInt8], to name: String, _ writer: SafetensorsWriter) throws {
        try bytes.withUnsafeBytes { try writer.write($0, to: name) }
    }

    @Test("What is written in any order is read back, each element at a multiple of its size")
    func roundTrip() throws {
        let writer = try SafetensorsWriter(url: url, tensors: tensors)
        #expect(writer.entries.map(\.name) == ["count", "bias", "weight", "none", "mask"])
        try write([1, 0, 1], to: "mask", writer)
        try write([1, 2, 3, 4, 5, 6, 7, 8], to: "weight", writer)
        try write([9, 10, 11, 12], to: "bias", writer)
        try write([13, 14, 15, 16, 17, 18, 19, 20], to: "count", writer)
        #expect(!FileManager.default.fileExists(atPath: url.path))
        try writer.finish()
        #expect(try directory.fileNames == ["model.safetensors"])
        let file = try SafetensorsFile(url: url)
        #expect(file.entries == writer.entries)
        #expect(file.metadata == ["format": "pt"])
        #expect(try file.withUnsafeBytes(of: "weight") { Array($0) } == [1, 2, 3, 4, 5, 6, 7, 8])
        for entry in file.entries {
            file.withUnsafeBytes(of: entry) { #expect(Int(bitPattern: $0.baseAddress) % entry.dtype.byteSize == 0) }
        }
    }

    @Test("The bytes of a file are those that the format prescribes")
    func bytes() throws {
        let writer = try SafetensorsWriter(
            url: url,
            tensors: [SafetensorsTensor(name: "a", dtype: .uint8, shape: [2])]
        )
        try write([7, 8], to: "a", writer)
        try writer.finish()
        let text =
            #"{"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#
        let padding = (8 - text.utf8.count % 8) % 8
        let head = [UInt8(text.utf8.count + padding), 0, 0, 0, 0, 0, 0, 0] + Array(text.utf8)
        #expect(try Array(Data(contentsOf: url)) == head + Array(repeating: 32, count: padding) + [7, 8])
    }

    @Test("Misuse is an error, and the name then shows nothing")
    func misuse() throws {
        let path = url.path
        let writer = try SafetensorsWriter(url: url, tensors: tensors)
        #expect(throws: SafetensorsError(path: path, tensor: "x", .noSuchTensor)) { try write([], to: "x", writer) }
        let wrong = SafetensorsError.Problem.byteCount(found: 4, expected: 8, .float32, [2])
        #expect(throws: SafetensorsError(path: path, tensor: "weight", wrong)) {
            try write([1, 2, 3, 4], to: "weight", writer)
        }
        try write([1, 1, 1], to: "mask", writer)
        #expect(throws: SafetensorsError(path: path, tensor: "mask", .writtenTwice)) {
            try write([1, 1, 1], to: "mask", writer)
        }
        #expect(throws: SafetensorsError(path: path, .unwritten(["count", "bias", "weight"]))) { try writer.finish() }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("Repeated and reserved names, negative and overflowing shapes are refused")
    func declarations() throws {
        func problem(_ tensors: SafetensorsTensor...) -> SafetensorsError.Problem? {
            #expect(throws: SafetensorsError.self) { try SafetensorsWriter(url: url, tensors: tensors) }?.problem
        }
        let tensor = SafetensorsTensor(name: "a", dtype: .int8, shape: [1])
        #expect(problem(tensor, tensor) == .duplicateName)
        #expect(
            problem(tensor, SafetensorsTensor(name: "a", dtype: .float32, shape: [1])) == .duplicateName
        )
        #expect(problem(SafetensorsTensor(name: "__metadata__", dtype: .int8, shape: [])) == .reservedName)
        #expect(
            problem(SafetensorsTensor(name: "a", dtype: .int64, shape: [.max]))
                == .shapeOverflow(.int64, [.max])
        )
        let half = SafetensorsTensor(name: "b", dtype: .int8, shape: [.max])
        #expect(problem(tensor, half) == .shapeOverflow(.int8, [.max]))
        guard case .malformed? = problem(SafetensorsTensor(name: "a", dtype: .int8, shape: [-1])) else {
            Issue.record("a negative shape was taken")
            return
        }
        #expect(try directory.fileNames.isEmpty)
    }

    @Test("A writer that is dropped leaves no temporary and keeps the older file")
    func dropped() throws {
        try Data([1]).write(to: url)
        do {
            let writer = try SafetensorsWriter(url: url, tensors: tensors)
            try write([1, 1, 1], to: "mask", writer)
            #expect(try directory.fileNames.count == 2)
        }
        #expect(try directory.fileNames == ["model.safetensors"])
        #expect(try Data(contentsOf: url) == Data([1]))
    }

    @Test("A directory that does not exist is an error that names the file")
    func missingDirectory() throws {
        let url = directory.url.appending(path: "missing/model.safetensors")
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsWriter(url: url, tensors: []) }
        #expect(error?.description == "\(url.path) could not be created: No such file or directory.")
    }

    @Test(
        "A full disk is an error that names the file",
        .enabled(if: FullDevice.isPresent, "\(FullDevice.reason)")
    )
    func fullDisk() throws {
        // A link to the device that is always full takes the temporary file's place, and is what is removed.
        let link = directory.url.appending(path: "link")
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: FullDevice.path)
        let file = try AtomicFile(url: url, temporaryPath: link.path, flags: 0)
        let error = #expect(throws: SafetensorsError.self) { try file.append([1, 2, 3]) }
        #expect(error?.description == "\(url.path) could not be written: No space left on device.")
        file.discard()
        #expect(try directory.fileNames.isEmpty)
    }
}

@Suite struct AtomicFileTests {
    @Test("A file is replaced as a whole")
    func replacing() throws {
        let directory = try TemporaryDirectory()
        let url = directory.url.appending(path: "state.json")
        try AtomicFile.write(Array("first, and longer".utf8), to: url)
        let file = try AtomicFile(url: url)
        try file.append(Array("sec".utf8))
        try file.append(Array("ond".utf8))
        #expect(try String(contentsOf: url, encoding: .utf8) == "first, and longer")
        try file.commit()
        #expect(try String(contentsOf: url, encoding: .utf8) == "second")
        #expect(try directory.fileNames == ["state.json"])
    }

    @Test("A place that a directory has taken is an error, and no temporary stays")
    func takenByDirectory() throws {
        let directory = try TemporaryDirectory()
        let url = directory.url.appending(path: "taken")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        #expect(throws: SafetensorsError.self) { try AtomicFile.write([1], to: url) }
        #expect(try directory.fileNames == ["taken"])
    }
}
