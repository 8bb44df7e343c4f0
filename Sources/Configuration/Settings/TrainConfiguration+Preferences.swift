// The losses on pairs: their flags, and which of them go together.
extension TrainConfiguration {
    static var preference: [Setting<Self>] {
        let beta = "β, how strongly the reference holds; λ of orpo; of simpo 2.5"
        return [
            .value("loss", \.preference.loss, "The loss on pairs"),
            .value("beta", \.preference.beta, in: .positive, beta).defaulting { $0.preference.loss.beta },
            .value(
                "label-smoothing",
                \.preference.labelSmoothing,
                in: .from(0, below: 0.5),
                "The assumed share of swapped pairs (dpo, simpo)"
            ),
            .value("length-alpha", \.preference.lengthAlpha, in: .notNegative, "α: the price of a token (rdpo)"),
            .value(
                "simpo-gamma",
                \.preference.simpoGamma,
                in: .notNegative,
                "γ: by how much the chosen reward should win (simpo)"
            ),
            .flag("simpo-hinge", \.preference.simpoHinge, "A hinge in place of the logistic loss (simpo)"),
            .value("tdpo-alpha", \.preference.tdpoAlpha, in: .notNegative, "α: the weight of divergences (tdpo2)"),
            .flag("ipo-average", \.preference.ipoAverage, "Log-ratios a token in place of sums (ipo)"),
            .value(
                "nll-coefficient",
                \.preference.nllCoefficient,
                in: .notNegative,
                "The weight of the chosen response's likelihood beside any loss"
            ),
        ]
    }

    /// Throws where a setting of another loss is given, or a reference model that nobody asks.
    func checkPreferences() throws(ConfigurationError) {
        let usual = defaults.preference
        try check(preference.labelSmoothing != usual.labelSmoothing, "label-smoothing", of: [.dpo, .simpo])
        try check(preference.lengthAlpha != usual.lengthAlpha, "length-alpha", of: [.rdpo])
        try check(preference.simpoGamma != usual.simpoGamma, "simpo-gamma", of: [.simpo])
        try check(preference.simpoHinge, "simpo-hinge", of: [.simpo])
        try check(preference.tdpoAlpha != usual.tdpoAlpha, "tdpo-alpha", of: [.tdpo2])
        try check(preference.ipoAverage, "ipo-average", of: [.ipo])
        if preference.simpoHinge && preference.labelSmoothing != 0 {
            throw .combination("--label-smoothing has no effect with --simpo-hinge, whose loss is not logistic")
        }
        if preference.loss.isReferenceFree && model.referenceModel != nil {
            throw .combination(
                "--reference-model has no effect with --loss \(preference.loss.rawValue), which needs none"
            )
        }
    }

    private func check(
        _ isGiven: Bool,
        _ name: String,
        of losses: [PreferenceObjective]
    ) throws(ConfigurationError) {
        guard isGiven, !losses.contains(preference.loss) else { return }
        let names = joined(losses.map { "--loss " + $0.rawValue }, with: "or")
        throw .combination("--\(name) has an effect only with \(names)")
    }
}
