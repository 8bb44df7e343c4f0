// The flags of KTO, distillation and reward models, and which of them go together.
extension TrainConfiguration {
    static var unpaired: [Setting<Self>] {
        [
            .value("beta", \.unpaired.beta, in: .positive, "How strongly the reference model holds"),
            .value(
                "desirable-weight",
                \.unpaired.desirableWeight,
                in: .notNegative,
                "The weight of responses whose label is true"
            ),
            .value(
                "undesirable-weight",
                \.unpaired.undesirableWeight,
                in: .notNegative,
                "The weight of responses whose label is false"
            ),
        ]
    }

    static var distillation: [Setting<Self>] {
        [
            .value(
                "teacher-model",
                \.distillation.teacherModel,
                input: .model,
                "The model whose distributions are learned"
            ),
            .value(
                "kd-coefficient",
                \.distillation.coefficient,
                in: .from(0, through: 1),
                "The teacher's weight; the completion's is the rest"
            ),
        ]
    }

    static var rewardLoss: [Setting<Self>] {
        [
            .value("loss", \.rewardLoss.loss, "The loss on the gap of two rewards"),
            .flag("margin-loss", \.rewardLoss.usesMargin, "Let chosen win by the row's margin; none is 0"),
        ]
    }

    /// Throws where the objective of the stage lacks something or contradicts itself.
    func checkObjective() throws(ConfigurationError) {
        switch stage {
        case .dpo: try checkPreferences()
        case .kto where loop.batchSize < 2:
            throw .combination(
                "--batch-size must be at least 2: \(command) measures the divergence on prompts with the next row's response"
            )
        case .kd where distillation.teacherModel.isEmpty:
            throw .combination("\(command) needs a model to learn from: --teacher-model DIRECTORY")
        case .reward where rewardLoss.usesMargin && rewardLoss.loss == .logexp:
            throw .combination("--margin-loss has an effect only with --loss sigmoid")
        default: break
        }
    }
}
