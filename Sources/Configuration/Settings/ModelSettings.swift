/// The checkpoints that a stage starts from.
public struct ModelSettings: Equatable, Sendable {
    /// The Hugging Face model directory to train or to run; must be given.
    public var model = ""
    /// A directory whose tokenizer is used instead of the model's own.
    public var tokenizer: String?
    /// The frozen model that log-ratios and the KL penalty are measured against; `nil` is ``model`` as it starts.
    public var referenceModel: String?

    /// Creates the defaults.
    public init() {}

    /// The directory of the reference model: the one given, else the starting point of the model itself.
    public var referenceDirectory: String { referenceModel ?? model }

    /// The directory the tokenizer is read from: the one given, else the model's.
    public var tokenizerDirectory: String { tokenizer ?? model }
}

/// One of several models whose numbers are summed: `path` or `path@weight`.
public struct WeightedModel: Equatable, Sendable {
    /// The model's directory.
    public var path: String
    /// What its numbers are multiplied by.
    public var weight: Double

    /// Creates a choice that counts once, unless a weight is given.
    public init(path: String, weight: Double = 1) {
        self.path = path
        self.weight = weight
    }
}

extension WeightedModel: SettingConvertible {
    /// Reads what a data source is written as.
    public init(settingText text: String) throws(ValueProblem) {
        let source = try DataSource(settingText: text)
        self.init(path: source.path, weight: source.weight ?? 1)
    }

    /// `path` or, where the weight is not 1, `path@weight`.
    public var settingText: String { DataSource(path: path, weight: weight == 1 ? nil : weight).settingText }
    /// The path without the weight.
    public var inputPath: String { path }
    /// Another path with the same weight.
    public func replacingInputPath(_ path: String) -> WeightedModel { WeightedModel(path: path, weight: weight) }
    /// What an error says is wanted.
    public static var noun: String { "a path" }
    /// What help shows in the place of a value.
    public static var placeholder: String { "path[@weight]" }
}

/// How and where tensors are computed.
public struct ComputeSettings: Equatable, Sendable {
    /// The number format of weights and activations; losses and optimizer state are float32 in either case.
    public var precision = Precision.float32
    /// The device to compute on.
    public var device = DeviceChoice.auto
    /// How many threads compute; `nil` is one for each core.
    public var threads: Int?
    /// Recompute activations in the backward pass instead of keeping them: less memory, about a third more time.
    public var gradientCheckpointing = false

    /// Creates the defaults.
    public init() {}
}

/// The number format of a model's weights and activations.
public enum Precision: String, SettingChoice {
    case float32, bfloat16
}

/// The device to compute on, or the wish that the program choose.
public enum DeviceChoice: String, SettingChoice {
    case auto, cpu, cuda
}
