/// A low-rank adapter that is trained in the place of a model's weights (Hu et al., arXiv 2106.09685).
///
/// The defaults are those of the reference implementation.
public struct LoRASettings: Equatable, Sendable {
    /// The rank of the change of each weight; 0 trains the weights themselves, or the adapter that the model's directory holds.
    public var rank = 0
    /// α: the change is multiplied by α/rank, or by α/√rank where it is rank-stabilised.
    public var alpha = 16.0
    /// The share of an adapter's inputs that training sets to zero.
    public var dropout = 0.0
    /// Names of the layers that get an adapter, or ends of their paths.
    public var targets = [allLinear]
    /// Whether the change is multiplied by α/√rank (Kalajdzievski, arXiv 2312.03732).
    public var isRankStabilized = false

    /// The target that stands for every linear layer of the decoder; the head is none of them.
    public static let allLinear = "all-linear"

    /// Creates the defaults.
    public init() {}
}

extension TrainConfiguration {
    static var lora: [Setting<Self>] {
        [
            .value(
                "lora-rank",
                \.lora.rank,
                in: .from(0, through: 1 << 16),
                "Train adapters of this rank; 0 trains all"
            ),
            .value("lora-alpha", \.lora.alpha, in: .positive, "α: adapters are multiplied by α/rank"),
            .value("lora-dropout", \.lora.dropout, in: .from(0, below: 1), "The share of their inputs that is dropped"),
            .list("lora-targets", \.lora.targets, "A layer that gets one, or all-linear; may be repeated"),
            .flag("lora-rank-stabilized", \.lora.isRankStabilized, "Multiply them by α/√rank instead (rsLoRA)"),
        ]
    }

    func checkLoRA() throws(ConfigurationError) {
        if lora.rank == 0 && lora != defaults.lora {
            throw .combination("--lora-alpha and the settings beside it have an effect only with --lora-rank")
        }
        if let joined = lora.targets.first(where: { $0.contains(",") }) {
            throw .combination("--lora-targets names one layer and is given once for each, not \"\(joined)\"")
        }
        if lora.targets.isEmpty || (lora.targets.count > 1 && lora.targets.contains(LoRASettings.allLinear)) {
            throw .combination("--lora-targets is either \(LoRASettings.allLinear) or names of layers, at least one")
        }
    }
}
