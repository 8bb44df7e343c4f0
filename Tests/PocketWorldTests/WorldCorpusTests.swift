import Foundation
import JSONText
import PocketWorld
import TestSupport
import Testing

@Suite("The world's data files")
struct WorldCorpusTests {
    private static let sizes: WorldCorpus.Sizes = {
        var sizes = WorldCorpus.Sizes()
        sizes.pretraining = 40
        sizes.fineTuning = 30
        sizes.preferences = 20
        sizes.heldOutPreferences = 10
        sizes.reinforcement = 15
        sizes.evaluation = 5
        return sizes
    }()

    private func rows(_ file: WorldCorpus.File, in directory: TemporaryDirectory) throws -> [JSON] {
        let text = try String(contentsOf: directory.url.appending(path: file.rawValue), encoding: .utf8)
        return try text.split(separator: "\n").map { try JSON(parsing: String($0)) }
    }

    @Test("hold as many rows as asked for, and no prompt twice")
    func counts() throws {
        let directory = try TemporaryDirectory()
        try WorldCorpus(seed: 1, sizes: Self.sizes).write(to: directory.url)
        let all = try WorldCorpus.File.allCases.map { try rows($0, in: directory) }
        #expect(all.map(\.count) == [40, 30, 20, 10, 15, 5])
        let prompts = all.joined().compactMap { $0["prompt"]?.string }
        #expect(Set(prompts).count == 120)
        #expect(prompts.allSatisfy { (try? Scene(prompt: $0)) != nil })
    }

    @Test("hold completions that begin with a space")
    func completions() throws {
        let directory = try TemporaryDirectory()
        try WorldCorpus(seed: 1, sizes: Self.sizes).write(to: directory.url)
        for file in [WorldCorpus.File.pretraining, .fineTuning] {
            for row in try rows(file, in: directory) {
                #expect(row.object?.members.map(\.key) == ["prompt", "completion"])
                #expect(row["completion"]?.string?.hasPrefix(" ") == true)
                #expect(row["completion"]?.string?.hasPrefix("  ") == false)
            }
        }
    }

    @Test("are the same bytes for the same seed, and others for another")
    func determinism() throws {
        let directories = try [1, 1, 2].map { seed in
            let directory = try TemporaryDirectory()
            try WorldCorpus(seed: UInt64(seed), sizes: Self.sizes).write(to: directory.url)
            return directory
        }
        for file in WorldCorpus.File.allCases {
            let bytes = try directories.map { try Data(contentsOf: $0.url.appending(path: file.rawValue)) }
            #expect(bytes[0] == bytes[1])
            #expect(bytes[0] != bytes[2])
        }
    }

    @Test("keep the rows of one file when another one grows")
    func independence() throws {
        let (first, second) = (try TemporaryDirectory(), try TemporaryDirectory())
        var sizes = Self.sizes
        try WorldCorpus(seed: 3, sizes: sizes).write(to: first.url)
        sizes.evaluation = 50
        try WorldCorpus(seed: 3, sizes: sizes).write(to: second.url)
        #expect(try rows(.fineTuning, in: first) == rows(.fineTuning, in: second))
    }

    @Test("hold judged pairs in the row form of preference data")
    func pairs() throws {
        let directory = try TemporaryDirectory()
        let prompt = "i am ann . describe the ring : tall ."
        var random = WorldRandom(state: 1)
        let texts = [" the size is tall . kind regards .", " leave me \"alone\" ."]
        let responses = texts.map { SampledResponse(text: $0, isFinished: true) }
        let judge = PreferenceJudge(sharpness: .infinity)
        let pair = try #require(try judge.judge(prompt: prompt, responses[1], responses[0], using: &random))
        let url = directory.url.appending(path: "pairs.jsonl")
        try WorldCorpus.write([pair, pair], to: url)
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            try JSON(parsing: String(lines[0])) == [
                "prompt": .string(prompt), "chosen": .string(texts[0]), "rejected": .string(texts[1]),
            ]
        )
    }

    /// One attribute leaves 24 things · 16 names · 60 values = 23,040 prompts, of which half may be drawn.
    @Test("end in an error where the world has too few prompts")
    func tooFewPrompts() throws {
        var settings = World.Settings()
        settings.attributeCount = 1...1
        var sizes = Self.sizes
        sizes.pretraining = 12_000
        let corpus = WorldCorpus(world: World(settings: settings), seed: 1, sizes: sizes)
        let directory = try TemporaryDirectory()
        #expect(throws: PocketWorldError.tooFewPrompts(wanted: 12_000, attributeCount: 1...1)) {
            try corpus.write(to: directory.url)
        }
    }
}
