import Configuration
import Datasets
import Foundation
import JSONText
import Models
import TestSupport
import Testing
import Tokenizers
import Torch

@testable import Training

/// The three data loops of the reference implementation on a real model: sampled → scored → chosen → trained on.
@Suite(
    "Data loops",
    .enabled(if: SharedFixtures.contains("models/stories260K"), "stories260K is not in ../shared/models")
)
struct DataLoopTests {
    let workshop: Workshop
    let tokenizer: Tokenizer
    private let model = SharedFixtures.url("models/stories260K").path

    init() throws {
        try LibTorch.open()
        workshop = try Workshop()
        tokenizer = try Tokenizer(directory: SharedFixtures.url("models/stories260K"))
    }

    private var generation: GenerateConfiguration {
        get throws {
            let prompts = ["Once upon a time", "Lily saw a", "The big red ball", "Tom and his dog", "One day, a"]
            let rows = prompts.enumerated().map { "{\"number\":\($0),\"prompt\":\"\($1)\"}\n" }
            var configuration = GenerateConfiguration()
            configuration.model.model = model
            configuration.data.sources = [
                DataSource(path: try workshop.directory.write("prompts.jsonl", rows.joined()))
            ]
            configuration.sampling.maxNewTokens = 12
            configuration.sampling.samplesPerPrompt = 4
            configuration.output = workshop.path("sampled.jsonl")
            configuration.compute.device = .cpu
            return configuration
        }
    }

    private func rows(_ path: String) throws -> [JSONObject] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try #require(try JSON(parsing: Array($0.utf8)).object)
        }
    }

    private func ids(_ row: JSONObject, _ key: String) -> [Int] { row[key]?.array?.compactMap(\.integer) ?? [] }

    /// The rows of a reward model's scores, and the path of the file.
    private func scored(_ data: String, budget: Int = 2048, output: String = "scored") throws -> (String, [JSONObject])
    {
        let reward = workshop.path("reward")
        if !FileManager.default.fileExists(atPath: reward) {
            let judge = try ScoreModel.load(URL(filePath: model), .frozen(), freshHead: 7)
            try FileManager.default.createDirectory(atPath: reward, withIntermediateDirectories: true)
            try judge.save(to: URL(filePath: reward), dtype: .float32)
        }
        var configuration = ScoreConfiguration()
        configuration.rewardModel = reward
        configuration.data.sources = [DataSource(path: data)]
        configuration.output = workshop.path(output + ".jsonl")
        configuration.microBatchTokens = budget
        configuration.compute.device = .cpu
        try score(configuration)
        let path = workshop.path(output + ".jsonl")
        return (path, try rows(path))
    }

    private func select(_ choice: CompletionChoice, _ data: String) throws -> String {
        var configuration = PairsConfiguration()
        configuration.selection = choice
        configuration.data = [data]
        configuration.output = workshop.path(choice.rawValue + ".jsonl")
        if choice == .conditional {
            configuration.model = model
            configuration.normalizesReward = true
        }
        try pairs(configuration)
        return workshop.path(choice.rawValue + ".jsonl")
    }

    private func reader(_ path: String) -> DatasetReader {
        DatasetReader(sources: [DatasetSource(path: path)], tokenizer: tokenizer)
    }

    private func trains(_ stage: Configuration.Stage, on data: String) throws -> Bool {
        var configuration = TrainConfiguration(stage: stage)
        configuration.model.model = model
        configuration.data.sources = [DataSource(path: data)]
        configuration.loop.output = workshop.path("run-" + URL(filePath: data).lastPathComponent)
        configuration.loop.batchSize = 5
        configuration.compute.device = .cpu
        return try workshop.train(configuration).metrics.isEmpty == false
    }

    @Test("every sample is scored on the ids that were sampled, and keeps what its row said")
    func scores() throws {
        try generate(try generation)
        let sampled = try rows(workshop.path("sampled.jsonl"))
        #expect(sampled.map { $0["number"]?.integer } == (0..<20).map { $0 / 4 })
        let (_, scored) = try scored(workshop.path("sampled.jsonl"))
        let plain = sampled.map { row -> JSON in
            ["ids": .array((ids(row, "prompt_ids") + ids(row, "completion_ids")).map(JSON.integer))]
        }
        let path = try workshop.directory.write("plain.jsonl", plain.map { $0.serialized() + "\n" }.joined())
        let (_, single) = try self.scored(path, budget: 1, output: "single")
        for (row, (found, expected)) in zip(sampled, zip(scored, single)) {
            for (key, value) in row.members { #expect(found[key] == value) }
            #expect(found["values"]?.array?.count == expected["ids"]?.array?.count)
            let (one, other) = (found["score"]?.number ?? .nan, expected["score"]?.number ?? .nan)
            #expect(abs(one - other) < 1e-5)
        }
        #expect(Set(scored.map { $0["score"]?.number }).count > 10)
    }

    @Test("a conversation, with its answer inside or beside it, is scored on the ids that training sees")
    func conversations() throws {
        let template = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}"
        var configuration = ScoreConfiguration()
        configuration.data.chatTemplate = try workshop.directory.write(
            "template",
            template + "{% if add_generation_prompt %}<assistant>{% endif %}"
        )
        let reader = try ScoredRowReader(configuration.data, tokenizer: tokenizer, vocabularySize: 512)
        let place = RowLocation(path: "rows", line: 3)
        func read(_ text: String) throws -> ScoredRow {
            try reader.read(try #require(try JSON(parsing: text).object), at: place)
        }
        let question = #"{"role":"user","content":"Who?"}"#
        let whole = try read("{\"messages\":[\(question),{\"role\":\"assistant\",\"content\":\"Lily\"}]}")
        let front = tokenizer.encode("<user>Who?<assistant>", addSpecialTokens: false)
        #expect(Array(whole.ids[..<whole.promptLength]) == front)
        #expect(tokenizer.decode(whole.ids, skipSpecialTokens: true) == "<user>Who?<assistant>Lily")
        for key in ["messages", "context_messages", "prompt"] {
            #expect(try read("{\"\(key)\":[\(question)],\"completion\":\"Lily\"}").ids == whole.ids)
        }
        // What was sampled goes before what its text would become.
        let sampled = "{\"messages\":[\(question)],\"completion\":\"Lily\",\"completion_ids\":[9,8]"
        #expect(try read(sampled + "}").ids == front + [9, 8])
        #expect(try read(sampled + ",\"prompt_ids\":[1,7]}").ids == [1, 7, 9, 8])
        #expect { try read("{\"messages\":[\(question)]}") } throws: { "\($0)".contains("rows:3") }
        #expect { try read("{\"score\":1}") } throws: { "\($0)".hasPrefix("rows:3: a row has ") }
    }

    @Test("rejection sampling trains on the best of what was sampled")
    func best() throws {
        try generate(try generation)
        let (path, scored) = try scored(workshop.path("sampled.jsonl"))
        let data = try select(.best, path)
        let examples = try reader(data).rows(.examples).rows
        #expect(examples.count == 5)
        for (number, example) in examples.enumerated() {
            let own = scored.filter { $0["number"]?.integer == number }
            let best = try #require(own.max { ($0["score"]?.number ?? 0) < ($1["score"]?.number ?? 0) })
            #expect(example.ids == ids(best, "prompt_ids") + ids(best, "completion_ids"))
            #expect(example.promptLength == ids(best, "prompt_ids").count)
        }
        #expect(try trains(.sft, on: data))
    }

    @Test("iterative DPO prefers the best to the worst of what was sampled")
    func preferences() throws {
        try generate(try generation)
        let (path, scored) = try scored(workshop.path("sampled.jsonl"))
        let data = try select(.iterativeDPO, path)
        let found = try reader(data).rows(.pairs).rows
        #expect(found.count == 5)
        for (number, pair) in found.enumerated() {
            let own = scored.filter { $0["number"]?.integer == number }
                .sorted { ($0["score"]?.number ?? 0) < ($1["score"]?.number ?? 0) }
            #expect(pair.prompt == ids(own[0], "prompt_ids"))
            #expect(pair.chosen == ids(own[3], "completion_ids") && pair.rejected == ids(own[0], "completion_ids"))
        }
        #expect(try trains(.dpo, on: data))
    }

    @Test("conditional SFT puts the reward where sampling asks for it")
    func conditional() throws {
        var generation = try generation
        try generate(generation)
        let (path, scored) = try scored(workshop.path("sampled.jsonl"))
        let data = try select(.conditional, path)
        let examples = try reader(data).rows(.examples).rows
        let scale = try #require(RewardScale(scored.compactMap { $0["score"]?.number }))
        #expect(examples.count == 20)
        for (row, example) in zip(scored, examples) {
            let tag = RewardTag(reward: scale(row["score"]?.number ?? .nan))
            let front = ids(row, "prompt_ids") + tag.ids(tokenizer)
            #expect(example.ids == front + ids(row, "completion_ids") && example.promptLength == front.count)
            #expect(tokenizer.decode(example.ids, skipSpecialTokens: true).contains(tag.text))
        }
        #expect(try trains(.sft, on: data))

        generation.rewardTag = "<rm_score>: 5.00"
        generation.output = workshop.path("asked.jsonl")
        try generate(generation)
        let tag = RewardTag(reward: 5).ids(tokenizer)
        for (asked, row) in zip(try rows(workshop.path("asked.jsonl")), scored) {
            #expect(ids(asked, "prompt_ids") == ids(row, "prompt_ids") + tag)
        }
    }

    @Test("sampling that was killed goes on, to the same file, without sampling anything twice")
    func resumedSampling() throws {
        var configuration = try generation
        configuration.logProbabilities = true
        try generate(configuration)
        let whole = try Data(contentsOf: URL(filePath: workshop.path("sampled.jsonl")))
        let ends = whole.indices.filter { whole[$0] == UInt8(ascii: "\n") }
        for (count, batch) in [(0, 3), (ends[0] / 2, 64), (ends[4] + 1, 1), (ends[9] + 40, 7), (whole.count, 64)] {
            try FileManager.default.removeItem(atPath: workshop.path("sampled.jsonl"))
            try whole.prefix(count).write(to: URL(filePath: workshop.path(".sampled.jsonl.partial")))
            configuration.batchSize = batch
            try generate(configuration)
            #expect(try Data(contentsOf: URL(filePath: workshop.path("sampled.jsonl"))) == whole)
        }
        #expect(!FileManager.default.fileExists(atPath: workshop.path(".sampled.jsonl.partial")))
        let before = try FileManager.default.attributesOfItem(atPath: workshop.path("sampled.jsonl"))
        try generate(configuration)
        let after = try FileManager.default.attributesOfItem(atPath: workshop.path("sampled.jsonl"))
        #expect(before[.modificationDate] as? Date == after[.modificationDate] as? Date)
    }

    @Test("sampling by other settings, of other prompts or from other weights does not go on with the file")
    func otherSampling() throws {
        var configuration = try generation
        configuration.model.model = workshop.path("model")
        try FileManager.default.copyItem(atPath: model, toPath: workshop.path("model"))
        try generate(configuration)
        func refusal(_ change: (inout GenerateConfiguration) -> Void = { _ in }) -> String {
            var other = configuration
            change(&other)
            do {
                try generate(other)
                return "nothing"
            } catch {
                return "\(error)"
            }
        }
        #expect(refusal() == "nothing")
        #expect(refusal { $0.sampling.temperature = 0.5 }.contains("temperature: 1 there, temperature: 0.5 here"))
        #expect(refusal { $0.seed = 1 }.contains("seed: 42 there, seed: 1 here"))
        try workshop.directory.write("prompts.jsonl", "{\"prompt\":\"Other\"}\n")
        #expect(refusal().contains("digest of the prompts"))
        _ = try generation
        let shape = try ModelConfiguration(directory: URL(filePath: model))
        try LanguageModel.fresh(shape, seed: 1).save(to: URL(filePath: workshop.path("model")), dtype: .float32)
        #expect(refusal().contains("digest of the model"))
    }
}
