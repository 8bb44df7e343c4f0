/// How long a stage trains, in which pieces, and what it writes on the way.
public struct LoopSettings: Equatable, Sendable {
    /// The run directory; must be given.
    public var output = ""
    /// Sequences (SFT, KD, KTO), pairs (reward, DPO) or rollouts (PPO, RTO) per optimizer step, all ranks together.
    public var batchSize: Int
    /// The most tokens in one forward and backward pass; a longer sequence is a pass of its own.
    public var microBatchTokens = 2048
    /// Passes over the data.
    public var epochs = 1
    /// The optimizer step after which training ends, if the epochs do not end before.
    public var maxSteps: Int?
    /// The seed of every random choice.
    public var seed = 42
    /// Optimizer steps between two lines of progress; metrics are recorded at every step.
    public var logEvery = 1
    /// Optimizer steps between two evaluations; `nil` evaluates at the end of each epoch.
    public var evaluateEvery: Int?
    /// Optimizer steps between two checkpoints; `nil` writes only the final model.
    public var saveEvery: Int?
    /// How many checkpoints are kept, the newest ones; 0 keeps all.
    public var keepCheckpoints = 3
    /// What else than `metrics.jsonl` the metrics of every step are written for.
    public var reportTo: [MetricsReader] = []

    /// Creates the defaults of a stage: the batches of appendix D of the RTO paper, for KTO and distillation those of OpenRLHF's
    /// scripts.
    public init(stage: Stage) {
        batchSize =
            switch stage {
            case .dpo, .kd: 256
            case .kto: 64
            case .sft, .reward, .ppo, .rto: 128
            }
    }
}

/// A program that shows metrics while a run writes them.
public enum MetricsReader: String, SettingChoice {
    /// TensorBoard, which reads event files of the run directory.
    case tensorBoard = "tensorboard"

    /// All that there are.
    public static var synonyms: [String: MetricsReader] { ["all": .tensorBoard] }
    /// What transformers reports to otherwise.
    public static var elsewhere: [String] {
        [
            "aim", "azure-ml", "clearml", "codecarbon", "comet-ml", "dagshub", "dvclive", "flyte", "mlflow", "neptune",
            "swanlab", "trackio", "wandb",
        ]
    }
    /// What an error says is wanted.
    public static var noun: String { "tensorboard or none" }
}
