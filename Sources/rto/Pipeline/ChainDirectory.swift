import PocketWorld

/// Where one chain of trainings keeps its files: data, runs and samples.
struct ChainDirectory {
    let path: String
    /// The model that fine-tuning starts from; many chains may share it.
    let pretrained: String
    /// The policy that all methods start from.
    let policy: String

    /// A chain of the pocket world, pretrained by itself or elsewhere.
    init(_ path: String, pretrained: String? = nil) {
        self.path = path
        self.pretrained = pretrained ?? path + "/runs/pretrain"
        policy = path + "/runs/sft"
    }

    /// A chain that starts from a policy that somebody else made.
    init(_ path: String, policy: String) {
        self.path = path
        pretrained = policy
        self.policy = policy
    }

    /// The untrained model with its tokenizer.
    var model: String { path + "/world/model" }
    /// Judged pairs to learn from, and others to measure what was learned.
    var preferences: String { path + "/world/preferences.jsonl" }
    var heldOutPreferences: String { path + "/world/preferences-held-out.jsonl" }

    /// A file of the world's corpus.
    func world(_ file: WorldCorpus.File) -> String { path + "/world/" + file.rawValue }

    /// The first so many of the prompts for reinforcement learning.
    func prompts(_ count: Int) -> String { path + "/world/prompts-\(count).jsonl" }

    /// The run directory of a stage.
    func run(_ name: String) -> String { path + "/runs/" + name }

    /// A file of sampled completions.
    func samples(_ name: String) -> String { path + "/samples/" + name + ".jsonl" }

    /// Makes the folders.
    func make() throws {
        for folder in [path + "/world", path + "/runs", path + "/samples"] { try makeFolder(folder) }
    }
}
