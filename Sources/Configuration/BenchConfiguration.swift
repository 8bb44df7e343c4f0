/// Everything that `rto bench` needs to know.
public struct BenchConfiguration: Sendable, Equatable {
    /// The directory of the model to measure; `nil` makes a random one of ``shape``.
    public var model: String?
    /// The shape of the random model; `nil` is 8M.
    public var shape: BenchShape?
    /// The sizes of the shape `custom`; they start at those of 8M.
    public var custom = ModelSizes.million8
    /// The number format, the device and the threads.
    public var compute = ComputeSettings()
    /// What is measured.
    public var work = BenchWork.allCases
    /// Sequences that are decoded or scored together; sequences or pairs of an optimizer step.
    public var batchSize = 16
    /// Sequences or pairs that follow one prompt.
    public var samplesPerPrompt = 1
    /// Tokens of each prompt.
    public var promptTokens = 128
    /// Tokens of each response.
    public var newTokens = 64
    /// The most tokens in one forward and backward pass.
    public var microBatchTokens = 2048
    /// How often each kind of work is measured, after once that does not count.
    public var repetitions = 3
    /// Print one JSON object instead of lines.
    public var printsJSON = false

    /// The sizes of the random model; meaningless where ``model`` is given.
    public var sizes: ModelSizes { shape == .custom ? custom : (shape ?? .million8).sizes }

    /// The most tokens that a measurement makes up: more than any machine decodes at once.
    static let tokenLimit = 1 << 24

    /// Creates the defaults.
    public init() {}
}

/// A kind of work that `rto bench` measures.
public enum BenchWork: String, SettingChoice {
    /// Reading prompts and sampling their continuations.
    case generate
    /// Log-probabilities of responses, without gradient.
    case score
    /// Optimizer steps of supervised fine-tuning.
    case sft
    /// Optimizer steps of direct preference optimisation, the pass of the reference model included.
    case dpo
}

extension BenchConfiguration: Configurable, Computing {
    /// "rto bench".
    public var command: String { "rto bench" }
    /// What the command does.
    public var overview: String {
        "Measure tokens per second, arithmetic, bandwidth and memory here, against what this machine can do. "
            + "'rto bench table' compares the methods."
    }
    /// The command with nothing given.
    public var defaults: BenchConfiguration { BenchConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<BenchConfiguration>] {
        [
            SettingGroup("Model", Self.models),
            SettingGroup("Work", Self.measured),
            SettingGroup(
                "Computing",
                Setting.compute + [
                    .flag(
                        "gradient-checkpointing",
                        \.compute.gradientCheckpointing,
                        "Keep only each layer's input in training, and compute the rest twice"
                    )
                ]
            ),
        ]
    }

    private static var models: [Setting<Self>] {
        [
            .optional("model", \.model, input: .model, "The Hugging Face model to measure"),
            .optional("shape", \.shape, "Measure a random model of this shape; none is 8M"),
            .value("hidden-size", \.custom.hidden, in: .positive, "The width of --shape custom"),
            .value("intermediate-size", \.custom.intermediate, in: .positive, "The feed-forward width of it"),
            .value("layers", \.custom.layers, in: .positive, "The decoder layers of it"),
            .value("heads", \.custom.heads, in: .positive, "The query heads of it"),
            .value("key-value-heads", \.custom.keyValueHeads, in: .positive, "The key-value heads of it"),
            .value("vocabulary-size", \.custom.vocabulary, in: .positive, "The rows of its embedding"),
        ]
    }

    private static var measured: [Setting<Self>] {
        [
            .list("work", \.work, "What to measure; may be repeated, and is everything where not given"),
            .value("batch", \.batchSize, in: .positive, "Sequences decoded or scored together, pairs of a step"),
            .value("samples-per-prompt", \.samplesPerPrompt, in: .positive, "How many of them share a prompt"),
            .value("prompt-tokens", \.promptTokens, in: .positive, "Tokens of each prompt"),
            .value("new-tokens", \.newTokens, in: .atLeast(2), "Tokens of each response"),
            .value("micro-batch-tokens", \.microBatchTokens, in: .positive, "The most tokens in one pass"),
            .value("repetitions", \.repetitions, in: .from(1, through: 1000), "Measurements, after one to warm up"),
            .flag("json", \.printsJSON, "Print one JSON object"),
        ]
    }

    /// Throws where settings contradict each other, or ask for more tokens than anybody measures with.
    public func checkCombinations() throws(ConfigurationError) {
        if model != nil && shape != nil {
            throw .combination("--model and --shape say twice what to measure; give one of them")
        }
        if shape != .custom && custom != defaults.custom {
            throw .combination("--hidden-size and the other sizes have an effect only with --shape custom")
        }
        guard !work.isEmpty else {
            throw .combination("rto bench needs something to measure: --work \(BenchWork.noun)")
        }
        if batchSize % samplesPerPrompt != 0 {
            throw .combination("--batch \(batchSize) must be a multiple of --samples-per-prompt \(samplesPerPrompt)")
        }
        let (length, isTooLong) = promptTokens.addingReportingOverflow(newTokens)
        let (tokens, isTooMuch) = length.multipliedReportingOverflow(by: batchSize)
        guard !isTooLong, !isTooMuch, tokens <= Self.tokenLimit / (repetitions + 1) else {
            throw .combination(
                "--batch \(batchSize) of --prompt-tokens \(promptTokens) and --new-tokens \(newTokens), repeated, are more "
                    + "than \(Self.tokenLimit) tokens; lower one of them"
            )
        }
        if shape == .custom { try custom.check() }
    }
}
