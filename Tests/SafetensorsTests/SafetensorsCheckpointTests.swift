import Foundation
import TestSupport
import Testing

@testable import Safetensors

@Suite struct SafetensorsCheckpointTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func writeTensors(_ count: Int, largestShardByteCount: Int) throws {
        let tensors = (0..<count).map { SafetensorsTensor(name: "t\($0)", dtype: .uint8, shape: [$0 + 1]) }
        let writer = try SafetensorsCheckpointWriter(
            directory: directory.url,
            tensors: tensors,
            largestShardByteCount: largestShardByteCount
        )
        for (number, tensor) in tensors.enumerated().reversed() {
            try [UInt8](repeating: UInt8(number), count: number + 1).withUnsafeBytes {
                try writer.write($0, to: tensor.name)
            }
        }
        try writer.finish()
    }

    /// A shard of one-byte tensors.
    private func writeShard(_ name: String, _ tensors: [String]) throws {
        let entries = tensors.enumerated().map { position, tensor in
            "\"\(tensor)\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\(position),\(position + 1)]}"
        }
        _ = try directory.write(
            name,
            header: "{\(entries.joined(separator: ","))}",
            dataByteCount: tensors.count
        )
    }

    private func writeIndex(_ weightMap: String) throws {
        _ = try directory.write("model.safetensors.index.json", bytes: Array("{\"weight_map\":\(weightMap)}".utf8))
    }

    private func openError() -> SafetensorsError? {
        #expect(throws: SafetensorsError.self) { try SafetensorsCheckpoint(directory: directory.url) }
    }

    @Test("A checkpoint in shards reads as one in a single file does")
    func shards() throws {
        try writeTensors(5, largestShardByteCount: 4)
        let names = try directory.fileNames
        #expect(names.count == 5)
        #expect(names.contains("model-00004-of-00004.safetensors"))
        let sharded = try SafetensorsCheckpoint(directory: directory.url)
        #expect(sharded.files.map { $0.entries.map(\.name) } == [["t0", "t1"], ["t2"], ["t4"], ["t3"]])
        for number in 0..<5 {
            let bytes = try sharded.withUnsafeBytes(of: "t\(number)") { Array($0) }
            #expect(bytes == [UInt8](repeating: UInt8(number), count: number + 1))
        }
        #expect(sharded.tensor(named: "t3")?.file.url.lastPathComponent == "model-00004-of-00004.safetensors")
        #expect(sharded.tensor(named: "t5") == nil)
        #expect(throws: SafetensorsError(path: directory.url.path, tensor: "t5", .noSuchTensor)) {
            try sharded.withUnsafeBytes(of: "t5") { _ in }
        }
    }

    @Test("A new checkpoint takes the place of an older one of the other layout")
    func replacing() throws {
        try writeTensors(2, largestShardByteCount: 100)
        #expect(try directory.fileNames == ["model.safetensors"])
        try writeTensors(3, largestShardByteCount: 3)
        #expect(try SafetensorsCheckpoint(directory: directory.url).entries.count == 3)
        try writeTensors(2, largestShardByteCount: 100)
        #expect(try SafetensorsCheckpoint(directory: directory.url).entries.count == 2)
        #expect(try !directory.fileNames.contains("model.safetensors.index.json"))
    }

    @Test("The index is the text that transformers writes")
    func indexText() throws {
        try writeTensors(2, largestShardByteCount: 2)
        let url = directory.url.appending(path: "model.safetensors.index.json")
        let expected = """
            {
              "metadata": {
                "total_parameters": 3,
                "total_size": 3
              },
              "weight_map": {
                "t0": "model-00001-of-00002.safetensors",
                "t1": "model-00002-of-00002.safetensors"
              }
            }

            """
        #expect(try String(contentsOf: url, encoding: .utf8) == expected)
    }

    @Test("A model without tensors is one file")
    func empty() throws {
        try writeTensors(0, largestShardByteCount: 1)
        #expect(try SafetensorsCheckpoint(directory: directory.url).entries.isEmpty)
    }

    @Test(
        "An index cannot lead out of its directory",
        arguments: ["../other.safetensors", "/etc/passwd", "a/../../b", "", ".", "a//b", "a/\\u0000"]
    )
    func outside(shard: String) throws {
        try writeIndex("{\"a\":\"\(shard)\"}")
        guard case .shardOutsideDirectory? = openError()?.problem else {
            Issue.record("\(shard) was refused for another reason")
            return
        }
    }

    @Test("An index that disagrees with its shards is refused")
    func disagreement() throws {
        try writeIndex(#"{"a":"one.safetensors","b":"two.safetensors"}"#)
        guard case .system(operation: "opened", _)? = openError()?.problem else {
            Issue.record("a missing shard was not reported as such")
            return
        }
        try writeShard("one.safetensors", ["a"])
        try writeShard("two.safetensors", ["c"])
        #expect(openError()?.problem == .notInShard("two.safetensors"))
        try writeShard("two.safetensors", ["b", "a"])
        #expect(openError()?.problem == .inTwoShards("one.safetensors", "two.safetensors"))
        #expect(openError()?.tensor == "a")
        try writeShard("two.safetensors", ["b", "c"])
        #expect(try SafetensorsCheckpoint(directory: directory.url).entries.map(\.name) == ["a", "b", "c"])
    }

    @Test("An index of a wrong form is refused", arguments: ["[]", "{}", "null", #"{"a":1}"#, #"{"a":"x","a":"y"}"#])
    func malformedIndex(weightMap: String) throws {
        try writeIndex(weightMap)
        switch openError()?.problem {
        case .malformed?, .headerNotJSON?: break
        case let problem: Issue.record("\(weightMap) was refused for \(String(describing: problem))")
        }
    }

    @Test("Pickle files are refused with the way to convert them, and an empty directory by what it lacks")
    func pickles() throws {
        let path = directory.url.path
        #expect(
            openError()?.description == "\(path) holds neither model.safetensors nor model.safetensors.index.json."
        )
        _ = try directory.write("pytorch_model.bin", bytes: [0x80, 2])
        #expect(openError()?.problem == .noCheckpoint(stem: "model", pickles: ["pytorch_model.bin"]))
        #expect(openError()?.description.contains("save_pretrained") == true)
        let missing = directory.url.appending(path: "missing")
        #expect(throws: SafetensorsError.self) { try SafetensorsCheckpoint(directory: missing) }
    }
}

@Suite(.enabled(if: SharedFixtures.arePresent, "\(SharedFixtures.reason)"))
struct RecordedSafetensorsTests {
    @Test("Every recorded file and checkpoint opens, and each is what the format's library would write again")
    func recorded() throws {
        let shared = try #require(SharedFixtures.directory)
        let paths = try #require(FileManager.default.enumerator(atPath: shared.path))
        var count = 0
        for case let path as String in paths where path.hasSuffix(".safetensors") {
            let file = try SafetensorsFile(url: shared.appending(path: path))
            let again = try SafetensorsHeader(
                layingOut: file.entries.map { SafetensorsTensor(name: $0.name, dtype: $0.dtype, shape: $0.shape) },
                metadata: file.metadata,
                path: path
            )
            #expect(again.entries == file.entries, "\(path)")
            count += 1
        }
        #expect(count > 0)
        let sharded = shared.appending(path: "fixtures/models/llama_sharded_bf16")
        #expect(try SafetensorsCheckpoint(directory: sharded).files.count == 3)
    }
}
