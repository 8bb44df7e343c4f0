import Foundation
import Safetensors
import TestSupport
import Testing

private let python = TestPython.path(importing: "torch", "safetensors")

@Suite(
    .enabled(
        if: python != nil,
        "no Python that imports torch and safetensors: name one in $RTO_TEST_PYTHON, or make .venv-test and install them there"
    )
)
struct PythonAgreementTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Runs a script in the test's directory and returns what it prints.
    private func run(_ script: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments = ["-c", script]
        process.currentDirectoryURL = directory.url
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: text, as: UTF8.self)
    }

    @Test("What Python writes is read here, and written again here it is the same file byte for byte")
    func fromPython() throws {
        _ = try run(
            """
            import torch
            from safetensors.torch import save_file
            torch.manual_seed(0)
            tensors = {f"layers.{i}.w": torch.randn(3, i) for i in range(12)}
            tensors |= {"h": torch.randn(5).half(), "b": torch.randn(2, 2).bfloat16(), "d": torch.randn(1).double()}
            tensors |= {"m": torch.tensor([True, False, True]), "é\\"\\n": torch.arange(4, dtype=torch.int32)}
            tensors |= {"s": torch.tensor(3), "u": torch.arange(3, dtype=torch.uint8), "i": torch.tensor([-1]).short()}
            tensors |= {"f8": torch.randn(7).to(torch.float8_e4m3fn), "c": torch.randn(2, dtype=torch.complex64)}
            save_file(tensors, "python.safetensors", {"format": "pt"})
            """
        )
        let file = try SafetensorsFile(url: directory.url.appending(path: "python.safetensors"))
        let copy = directory.url.appending(path: "swift.safetensors")
        let tensors = file.entries.reversed().map {
            SafetensorsTensor(name: $0.name, dtype: $0.dtype, shape: $0.shape)
        }
        let writer = try SafetensorsWriter(url: copy, tensors: tensors, metadata: file.metadata)
        for entry in file.entries { try file.withUnsafeBytes(of: entry) { try writer.write($0, to: entry.name) } }
        try writer.finish()
        #expect(try Data(contentsOf: file.url) == Data(contentsOf: copy))
    }

    @Test("A checkpoint in shards is read by Python")
    func shardsToPython() throws {
        let tensors = (0..<6).map { SafetensorsTensor(name: "t\($0)", dtype: .float32, shape: [$0, 2]) }
        let writer = try SafetensorsCheckpointWriter(
            directory: directory.url,
            tensors: tensors,
            largestShardByteCount: 48
        )
        for (number, tensor) in tensors.enumerated() {
            let values = (0..<number * 2).map { Float($0) + Float(number) / 8 }
            try values.withUnsafeBytes { try writer.write($0, to: tensor.name) }
        }
        try writer.finish()
        let printed = try run(
            """
            import json
            from safetensors.torch import load_file
            index = json.load(open("model.safetensors.index.json"))["weight_map"]
            for name, shard in sorted(index.items()):
                tensor = load_file(shard)[name]
                print(name, list(tensor.shape), tensor.flatten().tolist()[-1:])
            """
        )
        let expected = (0..<6).map { number in
            "t\(number) [\(number), 2] [\(number == 0 ? "" : "\(Float(number * 2 - 1) + Float(number) / 8)")]\n"
        }
        #expect(printed == expected.joined())
    }
}
