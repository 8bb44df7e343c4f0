import Configuration

extension TableMethod {
    /// The settings that `rto bench table --tune` found.
    var tunedSettings: MethodSettings {
        switch self {
        case .simpo: MethodSettings(learningRate: 5e-4, coefficient: 5)
        case .dpo, .rdpo: MethodSettings(learningRate: 5e-4, coefficient: 0.2)
        case .tdpo2: MethodSettings(learningRate: 5e-4, coefficient: 0.05)
        default: MethodSettings(learningRate: 1e-3, coefficient: 0.1)
        }
    }
}
