import Foundation
import JSONText

/// The data files of the pocket world, as a user would write them for `rto train`.
///
/// Completions begin with a space, as the tokenizer decodes them and as prompt and completion can be put together. No prompt
/// occurs twice, neither within a file nor in two of them.
public struct WorldCorpus: Sendable {
    /// How many rows each file has.
    public struct Sizes: Sendable, Equatable {
        /// True texts for pretraining.
        public var pretraining = 6400
        /// Responses of mixed quality for fine-tuning.
        public var fineTuning = 4096
        /// Prompts for which pairs of responses are sampled and judged.
        public var preferences = 4096
        /// Pairs held out to measure the accuracy of what was learned from the others.
        public var heldOutPreferences = 512
        /// Prompts for reinforcement learning.
        public var reinforcement = 4096
        /// Prompts on which policies are compared.
        public var evaluation = 512

        /// The sizes of the quickstart.
        public init() {}

        /// Nothing but texts for pretraining.
        public init(pretrainingOnly count: Int) {
            (pretraining, fineTuning, preferences, heldOutPreferences) = (count, 0, 0, 0)
            (reinforcement, evaluation) = (0, 0)
        }
    }

    /// One of the files.
    public enum File: String, CaseIterable, Sendable {
        /// `{"prompt", "completion"}` with true texts.
        case pretraining = "pretrain.jsonl"
        /// `{"prompt", "completion"}` with responses of mixed quality.
        case fineTuning = "sft.jsonl"
        /// `{"prompt"}` to sample pairs of responses for.
        case preferencePrompts = "preference-prompts.jsonl"
        /// `{"prompt"}` to sample held-out pairs for.
        case heldOutPreferencePrompts = "preference-prompts-held-out.jsonl"
        /// `{"prompt"}` for reinforcement learning.
        case reinforcementPrompts = "prompts.jsonl"
        /// `{"prompt"}` to compare policies on.
        case evaluationPrompts = "evaluation-prompts.jsonl"
    }

    /// The world that the texts are drawn from.
    public let world: World
    /// The seed on which all rows depend.
    public let seed: UInt64
    /// How many rows each file has.
    public let sizes: Sizes

    /// A corpus that will be drawn from a world by a seed.
    public init(world: World = World(), seed: UInt64, sizes: Sizes = Sizes()) {
        self.world = world
        self.seed = seed
        self.sizes = sizes
    }

    /// Writes all files into an existing directory.
    ///
    /// - Throws: `PocketWorldError.cannotWrite` naming the file, or `tooFewPrompts` where the world is too small.
    public func write(to directory: URL) throws(PocketWorldError) {
        var source = SceneSource(world: world, random: WorldRandom(seed: seed, purpose: "prompts"))
        for file in File.allCases {
            let scenes = try source.scenes(count(of: file))
            try TextFile.write(rows: rows(of: file, scenes), to: directory.appending(path: file.rawValue))
        }
    }

    /// Writes judged pairs as rows `{"prompt", "chosen", "rejected"}`.
    ///
    /// - Throws: `PocketWorldError.cannotWrite` naming the file.
    public static func write(_ pairs: [PreferencePair], to url: URL) throws(PocketWorldError) {
        let rows = pairs.map { pair -> JSON in
            ["prompt": .string(pair.prompt), "chosen": .string(pair.chosen), "rejected": .string(pair.rejected)]
        }
        try TextFile.write(rows: rows, to: url)
    }

    private func count(of file: File) -> Int {
        switch file {
        case .pretraining: sizes.pretraining
        case .fineTuning: sizes.fineTuning
        case .preferencePrompts: sizes.preferences
        case .heldOutPreferencePrompts: sizes.heldOutPreferences
        case .reinforcementPrompts: sizes.reinforcement
        case .evaluationPrompts: sizes.evaluation
        }
    }

    private func rows(of file: File, _ scenes: [Scene]) -> [JSON] {
        var random = WorldRandom(seed: seed, purpose: file.rawValue)
        return scenes.map { scene in
            let prompt = JSON.string(scene.prompt)
            switch file {
            case .pretraining:
                return ["prompt": prompt, "completion": .string(" " + world.trueText(about: scene, using: &random))]
            case .fineTuning:
                return ["prompt": prompt, "completion": .string(" " + world.response(to: scene, using: &random))]
            case .preferencePrompts, .heldOutPreferencePrompts, .reinforcementPrompts, .evaluationPrompts:
                return ["prompt": prompt]
            }
        }
    }
}

/// Scenes of which no two are equal.
private struct SceneSource {
    let world: World
    var random: WorldRandom
    private var seen: Set<Scene> = []

    init(world: World, random: WorldRandom) {
        self.world = world
        self.random = random
    }

    /// New scenes; drawing goes on until they are, so at most half of all possible scenes are ever handed out.
    mutating func scenes(_ count: Int) throws(PocketWorldError) -> [Scene] {
        let attributeCount = world.settings.attributeCount
        let wanted = seen.count + count
        guard wanted <= Scene.count(attributeCount: attributeCount) / 2
        else { throw .tooFewPrompts(wanted: wanted, attributeCount: attributeCount) }
        var scenes: [Scene] = []
        while scenes.count < count {
            let scene = world.scene(using: &random)
            if seen.insert(scene).inserted { scenes.append(scene) }
        }
        return scenes
    }
}
