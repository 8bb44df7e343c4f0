import Configuration
import Foundation
import JSONText
import Testing
import Torch

@testable import Training

@Suite("Stages of KTO, distillation and reward models")
struct ObjectiveStagesTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    /// What a run is refused with, and that it leaves nothing behind.
    private func refusal(_ configuration: TrainConfiguration) throws -> String {
        let error = try #require(throws: (any Error).self) { _ = try workshop.train(configuration) }
        #expect(!FileManager.default.fileExists(atPath: configuration.loop.output))
        return "\(error)"
    }

    @Test(
        "a label that is none is named with its place",
        arguments: [
            ("3", "\"label\" must be true, false, 1 or 0, and is 3"),
            ("0.5", "\"label\" must be true, false, 1 or 0, and is 0.5"),
            ("\"yes\"", "\"label\" must be true, false, 1 or 0, and is a string"), ("null", "\"label\" must be true"),
        ]
    )
    func badLabels(label: String, sentence: String) throws {
        var configuration = try workshop.configuration(.kto)
        let good = #"{"input_ids":[3,4,5],"prompt_length":1,"label":true}"#
        let bad = #"{"input_ids":[3,4,5],"prompt_length":1,"label":"# + label + "}"
        let path = try workshop.directory.write("bad.jsonl", "\(good)\n\(bad)\n")
        configuration.data.sources = [.init(path: path)]
        #expect(try refusal(configuration).contains("bad.jsonl:2: " + sentence))
    }

    @Test("a missing label is answered with the nearest column")
    func missingLabel() throws {
        var configuration = try workshop.configuration(.kto)
        let path = try workshop.directory.write("bad.jsonl", #"{"input_ids":[3,4,5],"prompt_length":1,"lable":1}"#)
        configuration.data.sources = [.init(path: path)]
        #expect(try refusal(configuration).contains("bad.jsonl:1: the row has no \"label\""))
        #expect(try refusal(configuration).contains("did you mean \"lable\"?"))
    }

    @Test("labels are true and false, 1 and 0, 1.0 and 0.0")
    func labels() throws {
        var configuration = try workshop.configuration(.kto)
        let rows = ["true", "false", "1", "0", "1.0", "0.0"].map {
            "{\"input_ids\":[3,4,5,6],\"prompt_length\":2,\"label\":\($0)}\n"
        }
        configuration.data.sources = [.init(path: try workshop.directory.write("l.jsonl", rows.joined()))]
        configuration.loop.batchSize = 6
        let metrics = try workshop.train(configuration).metrics[0]
        // The rows are alike, so equal numbers of good and bad ones have equal rewards.
        #expect(metrics["rewards/margins"] == 0)
    }

    @Test("a batch of good responses alone has no reward of bad ones")
    func onlyGood() throws {
        var configuration = try workshop.configuration(.kto)
        let rows = (0..<4).map { "{\"input_ids\":[3,4,5,\($0 + 6)],\"prompt_length\":2,\"label\":1}\n" }
        configuration.data.sources = [.init(path: try workshop.directory.write("l.jsonl", rows.joined()))]
        let metrics = try workshop.train(configuration).metrics[0]
        #expect(metrics["rewards/chosen"] != nil && metrics["rewards/rejected"] == nil)
        #expect((metrics["kl"] ?? -1) >= 0)
    }

    @Test("a single held-out response has no other one to be mismatched with")
    func singleEvaluationRow() throws {
        var configuration = try workshop.configuration(.kto)
        configuration.data.evaluation = [try workshop.labelled(1, name: "held-out")]
        #expect(try refusal(configuration).contains("one usable row to evaluate on is too few"))
    }

    @Test("at policy = reference KTO costs one half and measures no divergence")
    func start() throws {
        var configuration = try workshop.configuration(.kto)
        configuration.model.referenceModel = nil
        configuration.loop.maxSteps = 1
        let metrics = try workshop.train(configuration).metrics[0]
        #expect(abs((metrics["loss"] ?? 0) - 0.5) < 1e-6 && abs(metrics["kl"] ?? 1) < 1e-5)
    }

    @Test("distillation without the teacher's weight is supervised fine-tuning")
    func withoutTeacher() throws {
        var configuration = try workshop.configuration(.kd)
        configuration.distillation.coefficient = 0
        let distilled = try workshop.train(configuration)
        var plain = try workshop.configuration(.sft, output: "sft")
        plain.optimizer.lossNormalization = configuration.optimizer.lossNormalization
        #expect(try largestDifference(distilled, try workshop.train(plain)) < 1e-6)
    }

    @Test("a student comes nearer to its teacher, and a teacher stays where it is under itself")
    func nearer() throws {
        var configuration = try workshop.configuration(.kd)
        configuration.distillation.coefficient = 1
        configuration.loop.epochs = 10
        let metrics = try workshop.train(configuration).metrics
        let (first, last) = (try #require(metrics.first?["teacher_kl"]), try #require(metrics.last?["teacher_kl"]))
        #expect(last < first * 0.9)
        configuration.distillation.teacherModel = configuration.model.model
        configuration.loop.output = workshop.path("self")
        configuration.loop.maxSteps = 1
        let same = try workshop.train(configuration).metrics[0]
        #expect(abs(same["teacher_kl"] ?? 1) < 1e-6 && (same["grad_norm"] ?? 1) < 1e-5)
    }

    @Test("a teacher of other ids is refused")
    func otherVocabulary() throws {
        var configuration = try workshop.configuration(.kd)
        configuration.distillation.teacherModel = try workshop.languageModel("large", seed: 3, ["vocab_size": 40])
        #expect(try refusal(configuration).contains("the teacher has a vocabulary of 40 ids, the policy one of 32"))
    }

    @Test("a margin that is no number is named, and margins that nobody has are asked for")
    func badMargins() throws {
        var configuration = try workshop.configuration(.reward)
        configuration.rewardLoss.usesMargin = true
        #expect(try refusal(configuration).contains("--margin-loss finds no margin"))
        let row = #"{"prompt_ids":[3],"chosen_ids":[4,5],"rejected_ids":[6],"margin":"wide"}"#
        configuration.data.sources = [.init(path: try workshop.directory.write("m.jsonl", row))]
        #expect(try refusal(configuration).contains("m.jsonl:1: \"margin\" must be a finite number, and is a string"))
        // Nobody asks a column for its numbers that has no effect.
        configuration.rewardLoss.usesMargin = false
        configuration.loop.batchSize = 1
        #expect(try workshop.train(configuration).metrics.count == 1)
    }

    @Test("a margin asks for more: the loss rises by as much as the linear part of it says")
    func margins() throws {
        func loss(_ margin: String, uses: Bool, _ objective: RewardObjective = .sigmoid) throws -> Double {
            var configuration = try workshop.configuration(.reward, output: UUID().uuidString)
            let row = #"{"prompt_ids":[3],"chosen_ids":[4,5],"rejected_ids":[6],"margin":"# + margin + "}"
            configuration.data.sources = [.init(path: try workshop.directory.write("m.jsonl", row))]
            configuration.rewardLoss.usesMargin = uses
            configuration.rewardLoss.loss = objective
            configuration.loop.batchSize = 1
            return try #require(try workshop.train(configuration).metrics.first?["loss"])
        }
        let without = try loss("1000", uses: false)
        #expect(try loss("0", uses: true) == without)
        #expect(try loss("1000", uses: false, .logexp) == without)
        // −log σ(g − m) → m − g, and g = −log(e^loss − 1).
        #expect(abs(try loss("1000", uses: true) - (1000 + log(exp(without) - 1))) < 1e-3)
    }

    @Test(
        "prompts that leave no room are dropped and counted, never cut",
        arguments: [Configuration.Stage.sft, .reward, .dpo, .kto, .kd]
    )
    func longPrompts(stage: Configuration.Stage) throws {
        var configuration = try workshop.configuration(stage)
        let ids = { (count: Int) in JSON.array((0..<count).map { .integer(3 + $0) }) }
        // A prompt of 17 tokens leaves three of twenty for a response, one of 18 leaves two.
        let rows = [17, 18, 3, 25].map { count -> String in
            let row: JSON =
                stage == .reward || stage == .dpo
                ? ["prompt_ids": ids(count), "chosen_ids": ids(6), "rejected_ids": ids(2)]
                : ["input_ids": ids(count + 4), "prompt_length": .integer(count), "label": true]
            return row.serialized() + "\n"
        }
        configuration.data.sources = [.init(path: try workshop.directory.write("long.jsonl", rows.joined()))]
        configuration.data.maxLength = 20
        configuration.loop.batchSize = 2
        configuration.loop.microBatchTokens = 1
        let run = try RunDirectory(
            new: configuration.loop.output,
            recipe: Recipe(configuration: configuration, commandLine: [], versions: [])
        )
        let built = try StageBuilder(configuration: configuration, run: run, checkpoint: nil, device: .cpu).build()
        #expect(built.rowCount == 2)
        // The whole prompt and what fits of the response: of a pair the prompt is there once.
        #expect(built.largestMicroBatch?.tokens == (stage == .reward || stage == .dpo ? 17 + 3 + 2 : 20))
    }
}
