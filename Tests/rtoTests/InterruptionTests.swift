import Foundation
import JSONText
import Models
import TestSupport
import Testing

/// The program at work on a small model, and what ends it.
@Suite("Interruptions")
struct InterruptionTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let configuration: JSON = [
            "architectures": ["LlamaForCausalLM"], "vocab_size": 32, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 1, "num_attention_heads": 2, "eos_token_id": 2,
        ]
        let model = directory.url.appending(path: "model")
        try FileManager.default.createDirectory(at: model, withIntermediateDirectories: false)
        try LanguageModel.fresh(ModelConfiguration(configuration, path: "config.json"), seed: 1)
            .save(to: model, dtype: .float32)
        let row = #"{"input_ids":[1,5,6,7,8,2],"prompt_length":1}"# + "\n"
        try directory.write("rows.jsonl", String(repeating: row, count: 8))
        try directory.write("prompts.jsonl", String(repeating: #"{"prompt_ids":[1,5]}"# + "\n", count: 400))
    }

    private func path(_ name: String) -> String { directory.url.appending(path: name).path }

    private func training(_ output: String) -> String {
        "exec $RTO train sft --model model --data rows.jsonl --batch-size 4 --epochs 300 --learning-rate 0.01 "
            + "--device cpu --threads 1 --output \(output) 2> \(output).log"
    }

    @Test(
        "a signal ends a run after a checkpoint, from which it goes on without its data",
        arguments: [SIGINT, SIGTERM]
    )
    func signals(signal: Int32) throws {
        let process = try directory.shell(training("run"))
        while !FileManager.default.fileExists(atPath: path("run/metrics.jsonl")), process.isRunning {
            usleep(5000)  // not an asynchronous wait: that would stand behind the tests that wait for processes
        }
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationStatus == 128 + signal)
        let left = try FileManager.default.contentsOfDirectory(atPath: path("run"))
        #expect(left.count { $0.hasPrefix("checkpoint-") } == 1 && !left.contains("config.json"))
        #expect(try String(contentsOfFile: path("run.log"), encoding: .utf8).contains("rto resume run"))
        #expect(left.contains("tokens"))
        #expect(try directory.run("mv rows.jsonl away && $RTO resume run 2> resumed.log && mv away rows.jsonl") == 0)
        #expect(try String(contentsOfFile: path("resumed.log"), encoding: .utf8).contains("rows.jsonl is gone"))
        #expect(try directory.run(training("whole")) == 0)
        #expect(try !FileManager.default.contentsOfDirectory(atPath: path("run")).contains("tokens"))
        let (resumed, whole) = (path("run/model.safetensors"), path("whole/model.safetensors"))
        #expect(FileManager.default.contentsEqual(atPath: resumed, andPath: whole))
    }

    @Test("a reader that goes away is an error in one sentence for results, and nothing for reports")
    func streams() throws {
        let generate = "$RTO generate --model model --data prompts.jsonl --max-new-tokens 24 --device cpu --threads 1"
        let status = try directory.run("{ \(generate) 2> complaint; echo $? > status; } | head -n 1 > first")
        #expect(status == 0)
        #expect(try String(contentsOfFile: path("status"), encoding: .utf8) == "65\n")
        let complaint = try String(contentsOfFile: path("complaint"), encoding: .utf8)
        #expect(complaint.split(separator: "\n").last?.hasPrefix("rto: standard output cannot be written") == true)
        #expect(try directory.run("\(generate) --output all.jsonl 2>&-") == 0)
        #expect(try directory.run("{ \(generate) --output again.jsonl; echo $? > status; } 2>&1 | true") == 0)
        #expect(try String(contentsOfFile: path("status"), encoding: .utf8) == "0\n")
        #expect(FileManager.default.contentsEqual(atPath: path("all.jsonl"), andPath: path("again.jsonl")))
    }
}
