/// What the settings of a command are called, here and elsewhere.
struct SettingNames<Root: Configurable> {
    private let settings: [String: Setting<Root>]
    private let configuration: Root

    init(_ configuration: Root) {
        self.configuration = configuration
        settings = Dictionary(configuration.settings.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The setting that a name stands for, and whether the name negates it (`no-greedy`, or `shuffle` for `no-shuffle`).
    func find(_ name: String, at origin: SettingOrigin) throws(ConfigurationError) -> (Setting<Root>, isNegated: Bool) {
        // A command's own word comes before the same word of another program.
        if let setting = settings[dashed(name)] { return (setting, false) }
        let name = canonicalName(name)
        if let setting = settings[name] { return (setting, false) }
        let opposite = name.hasPrefix("no-") ? String(name.dropFirst(3)) : "no-" + name
        if let setting = settings[opposite], setting.form == .flag { return (setting, true) }
        if splitNames.contains(name) { throw .splitApart(origin) }
        if reporterNames.contains(name), settings["report-to"] != nil { throw .reporterApart(origin) }
        let elsewhere = configuration.commands(having: name)
        if !elsewhere.isEmpty {
            throw .inapplicable(origin, command: configuration.command, elsewhere: elsewhere)
        }
        let known =
            configuration.settings.map(\.name) + (origin.noun == "flag" ? ["config", "print-config", "help"] : [])
        throw .unknownSetting(origin, nearest: origin.spelled(nearestName(to: name, among: known)))
    }
}

/// The name of a setting in this program: dashes instead of underscores, and our word for OpenRLHF's and TRL's.
func canonicalName(_ name: String) -> String {
    namesElsewhere[dashed(name)] ?? dashed(name)
}

private func dashed(_ name: String) -> String { String(name.map { $0 == "_" ? "-" : $0 }) }

/// Flags of OpenRLHF, of the RTO authors' code and of TRL, by our names for them.
private let namesElsewhere = [
    "pretrain": "model",
    "dpo-pretrain": "dpo-model",
    "reward-pretrain": "reward-model",
    "critic-pretrain": "critic-model",
    "prompt-data": "data",
    "dpo-reward-scale": "token-reward-scale",
    "dpo-reward-clip": "token-reward-clip",
    "init-kl-coef": "kl-coefficient",
    "actor-learning-rate": "learning-rate",
    "train-batch-size": "batch-size",
    "generate-max-len": "max-new-tokens",
    "prompt-max-len": "max-prompt-length",
    "max-len": "max-length",
    "eps-clip": "clip-range",
    "value-clip": "value-clip-range",
    "lambd": "lambda",
    "save-path": "output",
    "model-name-or-path": "model",
    "dataset-name": "data",
    "output-dir": "output",
    "num-train-epochs": "epochs",
    "loss-type": "loss",
    "nll-loss-coef": "nll-coefficient",
    "kd-coef": "kd-coefficient",
    "max-completion-length": "max-new-tokens",
    "prompts": "data",
    "remote-rm-url": "reward-url",
    "n-samples-per-prompt": "samples-per-prompt",
    "advantage-estimator": "advantage",
    "use-kl-loss": "kl-in-loss",
    "pretrain-data": "ptx-data",
    "ptx-coef": "ptx-coefficient",
    "lora-r": "lora-rank",
    "target-modules": "lora-targets",
    "lora-target-modules": "lora-targets",
    "use-rslora": "lora-rank-stabilized",
]

/// Flags by which other programs choose a split, which stands behind the path here.
private let splitNames: Set<String> = [
    "train-split", "eval-split", "prompt-split", "dataset-split", "dataset-train-split", "dataset-test-split",
]

/// Flags by which OpenRLHF chooses who is told of metrics, each a flag of its own with a value of another meaning.
private let reporterNames: Set<String> = ["use-tensorboard", "use-wandb"]

/// The likeliest of the known names for a mistyped one: a name that it abbreviates, else the one fewest typing errors away.
public func nearestName(to name: String, among known: [String]) -> String {
    func distance(_ candidate: String) -> Int {
        let abbreviates = candidate.hasPrefix(name) || candidate.split(separator: "-").contains(name[...])
        return !name.isEmpty && abbreviates ? 1 : typingErrors(from: Array(name.utf8), to: Array(candidate.utf8))
    }
    return known.map { ($0, distance($0)) }.min { $0.1 < $1.1 }?.0 ?? name
}

/// How many insertions, deletions, replacements and swaps of neighbours turn one word into the other.
private func typingErrors(from word: [UInt8], to other: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...other.count)
    for row in word.indices {
        var current = [row + 1]
        for column in other.indices {
            let replaced = last[column] + (word[row] == other[column] ? 0 : 1)
            var best = min(replaced, last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, word[row] == other[column - 1], word[row - 1] == other[column] {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current.append(best)
        }
        (beforeLast, last) = (last, current)
    }
    return last[other.count]
}
