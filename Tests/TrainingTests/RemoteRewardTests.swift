import Configuration
import Foundation
import JSONText
import Synchronization
import TestSupport
import Testing
import Tokenizers
import Torch

@testable import Training

@Suite("Rewards from an endpoint")
struct RemoteRewardTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    private func configuration(_ addresses: [String], output: String = "run") throws -> TrainConfiguration {
        var configuration = try workshop.configuration(.ppo, output: output)
        try workshop.addTokenizer(to: configuration.model.model)
        configuration.reinforcement.rewardModels = []
        configuration.reinforcement.rewardURLs = [RewardAddress(addresses)]
        // A machine that is busy with other tests must not look like a server that stalls.
        configuration.reinforcement.rewardTimeout = 60
        configuration.reinforcement.rewardAttempts = 2
        configuration.reinforcement.savesRollouts = true
        configuration.loop.maxSteps = 5
        return configuration
    }

    /// The texts of a call.
    private static func texts(_ call: LoopbackServer.Call, _ key: String = "query") -> [String] {
        (try? JSON(parsing: Array(call.body.utf8)))?[key]?.array?.compactMap(\.string) ?? []
    }

    /// An endpoint that rewards each text by its length.
    private static func lengths(_ key: String = "rewards", scale: Double = 0.01) throws -> LoopbackServer {
        try LoopbackServer { call in
            let rewards = texts(call).map { JSON.number(scale * Double($0.count)) }
            return .answer(body: JSON.object(members(key, .array(rewards))).serialized())
        }
    }

    private static func members(_ key: String, _ value: JSON) -> JSONObject {
        var object = JSONObject()
        object[key] = value
        return object
    }

    private func decoded(_ run: TrainedRun, _ directory: String) throws -> [(prompt: String, text: String)] {
        let columns = try run.tensors("rollouts/step-1.safetensors")
        let tokens = columns["tokens"]?.integers ?? []
        let offsets = columns["sequence_offsets"]?.integers ?? []
        let tokenizer = try Tokenizer(directory: URL(filePath: directory))
        return (columns["prompt_lengths"]?.integers ?? []).enumerated().map { row, length in
            let ids = Array(tokens[offsets[row]..<offsets[row + 1]])
            return (tokenizer.decode(Array(ids.prefix(length))), tokenizer.decode(ids))
        }
    }

    @Test(
        "whole texts with their special tokens are sent, and several endpoints are summed",
        arguments: ["rewards", "scores"]
    )
    func protocolOfOpenRLHF(key: String) throws {
        let (first, second) = (try Self.lengths(key), try Self.lengths(key, scale: 1))
        let configuration = try configuration([first.address + "/get_reward", second.address])
        let run = try workshop.train(configuration)
        let rows = try decoded(run, configuration.model.model)
        let call = try #require(first.calls.first)
        #expect(call.path == "/get_reward")
        #expect(Self.texts(call) == rows.map(\.text) && Self.texts(call, "prompts") == rows.map(\.prompt))
        #expect(rows.contains { $0.text.hasSuffix("</s>") })
        let scores = try run.tensors("rollouts/step-1.safetensors")["scores"]?.doubles ?? []
        #expect(scores.count == 8)
        #expect(zip(scores, rows).allSatisfy { abs($0 - 1.01 * Double($1.text.count)) < 1e-4 })
        #expect(first.calls.count == 2 && second.calls.count == 2)
    }

    @Test("lists of lists are paid at their tokens")
    func tokenLevel() throws {
        let lengths = Mutex<[String: Int]>([:])
        let server = try LoopbackServer { call in
            let known = lengths.withLock { $0 }
            let rewards = Self.texts(call).map { text in
                JSON.array((0..<(known[text] ?? 0)).map { .number(0.5 + Double($0)) })
            }
            return .answer(body: JSON.object(Self.members("rewards", .array(rewards))).serialized())
        }
        // How long responses are is learnt from a run whose rollout is the same.
        var configuration = try configuration([try Self.lengths().address], output: "first")
        configuration.loop.maxSteps = 1
        configuration.reinforcement.klCoefficient = 0
        configuration.reinforcement.rewardCoefficient = 2
        let first = try workshop.train(configuration)
        let columns = try first.tensors("rollouts/step-1.safetensors")
        let offsets = columns["sequence_offsets"]?.integers ?? []
        let prompts = columns["prompt_lengths"]?.integers ?? []
        let counts = prompts.indices.map { offsets[$0 + 1] - offsets[$0] - prompts[$0] }
        let texts = try decoded(first, configuration.model.model).map(\.text)
        lengths.withLock { known in for (text, count) in zip(texts, counts) { known[text] = count } }
        configuration.reinforcement.rewardURLs = [RewardAddress([server.address])]
        configuration.loop.output += "-tokens"
        let run = try workshop.train(configuration)
        let paid = try run.tensors("rollouts/step-1.safetensors")["rewards"]?.doubles ?? []
        let expected: [Double] = counts.flatMap { count in (0..<count).map { token in 1 + 2 * Double(token) } }
        #expect(paid == expected)
        let scores = try run.tensors("rollouts/step-1.safetensors")["scores"]?.doubles ?? []
        // Σ (½ + t) of n tokens is n²/2.
        #expect(scores == counts.map { Double($0 * $0) / 2 })
    }

    @Test("rewards of tokens are refused where the estimator compares whole responses")
    func comparedTokens() throws {
        let server = try LoopbackServer { call in
            let rewards = Self.texts(call).map { _ in JSON.array([.number(1)]) }
            return .answer(body: JSON.object(Self.members("rewards", .array(rewards))).serialized())
        }
        var configuration = try configuration([server.address])
        configuration.reinforcement.advantage = .leaveOneOut
        configuration.reinforcement.sampling.samplesPerPrompt = 2
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.description.contains("compares whole responses") == true, "\(error?.description ?? "")")
    }

    static let badReplies: [(LoopbackServer.Reply, String)] = [
        (.answer(body: #"{"rewards": [1, 2]}"#), "2 rewards came for 8 responses"),
        (.answer(body: #"{"rewards": [1, 2, 3, 4, 5, 6, 7, null]}"#), "the reward of response 8 is null"),
        (.answer(body: #"{"rewards": [1, 2, 3, 4, 5, 6, 1e99, 8]}"#), "response 7 is"),
        (.answer(body: #"{"rewards": ["1", 2, 3, 4, 5, 6, 7, 8]}"#), #"response 1 is "1""#),
        (.answer(body: #"{"rewards": [NaN]}"#), "not JSON"),
        (.answer(body: #"{"reward": 1}"#), "no list of"), (.answer(body: "[1]"), "no list of"),
        (.answer(body: #"{"rewards": [1, 2, 3, 4, 5, 6, 7, [8]]}"#), "response 1 has one reward"),
        (.answer(body: #"{"rewards": [[], 2, 3, 4, 5, 6, 7, 8]}"#), "response 1 has 0 rewards for its"),
        (.answer(status: 404, body: "gone"), "404"), (.answer(status: 500, body: "ill"), "500"),
        (.stall, "within 0.5 s"), (.bytes("no HTTP"), "after 2 attempts"),
        (.breakOff(body: #"{"rewards": [1]}"#), "after 2 attempts"),
    ]

    @Test("an endpoint that is down or talks nonsense stops the run with a sentence", arguments: badReplies.indices)
    func nonsense(index: Int) throws {
        let (reply, sentence) = Self.badReplies[index]
        let server = try LoopbackServer { _ in reply }
        var configuration = try configuration([server.address])
        if case .stall = reply { configuration.reinforcement.rewardTimeout = 0.5 }
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("rto resume") == true && error?.exitStatus == .data)
        // Nothing was trained.
        let run = TrainedRun(url: URL(filePath: workshop.path("run")))
        #expect(try run.fileNames == ["recipe.yaml", "tokens"])
    }

    @Test("after a failure the run goes on where it stopped, to the same bits")
    func resuming() throws {
        var configuration = try configuration([try Self.lengths().address])
        configuration.reinforcement.emaDecay = 0.5
        let whole = try workshop.train(configuration)
        let failing = try LoopbackServer { call in
            if call.number == 1 || call.number == 2 { return .answer(status: 503, body: "later") }
            let rewards = Self.texts(call).map { JSON.number(0.01 * Double($0.count)) }
            return .answer(body: JSON.object(Self.members("rewards", .array(rewards))).serialized())
        }
        configuration.reinforcement.rewardURLs = [RewardAddress([failing.address])]
        configuration.loop.output += "-failing"
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.description.contains("503") == true && error?.description.contains("after step 4") == true)
        let run = TrainedRun(url: URL(filePath: configuration.loop.output))
        #expect(try run.fileNames.contains("checkpoint-4"))
        try resume(run: run.path)
        #expect(try run.modelBytes == whole.modelBytes)
        #expect(try run.repeatableMetrics == whole.repeatableMetrics)
    }

    @Test("one failure is tried again and nobody notices")
    func retry() throws {
        let server = try LoopbackServer { call in
            guard call.number > 0 else { return .answer(status: 502, body: "once") }
            return .answer(body: #"{"rewards": [1, 2, 3, 4, 5, 6, 7, 8]}"#)
        }
        let run = try workshop.train(try configuration([server.address]))
        #expect(try run.metrics.count == 5 && server.calls.count == 3)
    }

    @Test("an endpoint needs texts")
    func noTokenizer() throws {
        let configuration = try configuration(["http://127.0.0.1:9"])
        try FileManager.default.removeItem(atPath: configuration.model.model + "/tokenizer.json")
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.description.contains("--reward-url is sent texts") == true)
        #expect(!FileManager.default.fileExists(atPath: workshop.path("run")))
    }

    @Test("addresses are separated by commas, too")
    func addresses() throws {
        let words = ["--model", "m", "--data", "d", "--output", "o", "--remote-rm-url", "http://a/r, https://b"]
        guard case .run(let configuration) = try SettingReader(defaults: TrainConfiguration(stage: .ppo)).read(words)
        else {
            throw TrainingError("no run")
        }
        #expect(configuration.reinforcement.rewardAddresses == ["http://a/r", "https://b"])
        // Without a reward model the critic starts from the policy.
        #expect(configuration.criticDirectory == "m")
    }
}
