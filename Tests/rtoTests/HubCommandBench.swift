import Foundation
import JSONText
import Models
import TestSupport
import Testing

/// A directory in which commands run whose hub is the test's own server, and what that server has.
struct HubCommandBench {
    static let commit = String(repeating: "c0ffee00", count: 5)
    static let later = String(repeating: "beef0123", count: 5)
    /// The settings of a short training, but for its model, its data and its output.
    static let shortly = "--epochs 1 --batch-size 8 --max-length 8 --device cpu --threads 1 "

    let directory: TemporaryDirectory
    let server: HubServer

    init(_ repositories: HubServer.Repository...) throws {
        directory = try TemporaryDirectory()
        server = try HubServer(repositories)
    }

    /// The status with which a script ends.
    func run(_ script: String, _ environment: [String: String] = [:]) throws -> Int32 {
        let usual = [
            "HF_HOME": directory.url.path + "/hf", "HF_ENDPOINT": server.address, "HF_TOKEN": "hf_secret",
            "HF_HUB_OFFLINE": "0", "HF_HUB_CACHE": "", "HUGGINGFACE_HUB_CACHE": "", "TRANSFORMERS_OFFLINE": "",
        ]
        return try directory.run(script, usual.merging(environment) { $1 })
    }

    func text(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }

    func data(_ name: String) throws -> Data { try Data(contentsOf: directory.url.appending(path: name)) }

    /// A tiny model; with a tokenizer it reads text.
    static func model(
        _ id: String = "org/tiny",
        _ commit: String = commit,
        seed: UInt64 = 1,
        hasTokenizer: Bool = false
    ) throws -> HubServer.Repository {
        let configuration: JSON = [
            "architectures": ["LlamaForCausalLM"], "hidden_size": 16, "intermediate_size": 24,
            "vocab_size": .integer(hasTokenizer ? TinyTokenizer.vocabularySize : 32), "num_hidden_layers": 1,
            "num_attention_heads": 2, "eos_token_id": .integer(hasTokenizer ? TinyTokenizer.end : 2),
        ]
        let shape = try ModelConfiguration(configuration, path: "config.json")
        let folder = try TemporaryDirectory()
        try LanguageModel.fresh(shape, seed: seed).save(to: folder.url, dtype: .float32)
        if hasTokenizer { _ = try TinyTokenizer.make(in: folder) }
        var files: [String: [UInt8]] = ["README.md": [1]]
        for name in try folder.fileNames { files[name] = Array(try Data(contentsOf: folder.url.appending(path: name))) }
        return HubServer.Repository(id, commit: commit, files, large: ["model.safetensors"])
    }

    /// Rows of tokens.
    static func rows(
        _ id: String = "org/rows",
        _ commit: String = commit,
        firstToken: Int = 3
    ) -> HubServer.Repository {
        let lines = (0..<16).map { #"{"input_ids":[1,\#(firstToken + $0),4,5,2],"prompt_length":2}"# + "\n" }
        return HubServer.Repository(id, commit: commit, kind: "datasets", ["rows.jsonl": Array(lines.joined().utf8)])
    }

    /// Writes an adapter's directory, trained on the hub's `org/tiny`, that names its base as told.
    func writeAdapter(_ name: String, revision: String?) throws {
        let words = "$RTO train sft --model org/tiny --data org/rows --lora-rank 2 --max-steps 1 "
        if !FileManager.default.fileExists(atPath: directory.url.path + "/trained") {
            #expect(try run(words + Self.shortly + "--output trained 2> log") == 0)
        }
        #expect(try run("mkdir \(name) && cp trained/*.json trained/*.safetensors \(name)") == 0)
        let file = name + "/adapter_config.json"
        let commit = try #require(try text(file).firstMatch(of: /"revision": "(.*)"/)?.output.1)
        let named = revision.map { "\"\($0)\"" } ?? "null"
        try directory.write(file, text(file).replacingOccurrences(of: "\"\(commit)\"", with: named))
    }
}
