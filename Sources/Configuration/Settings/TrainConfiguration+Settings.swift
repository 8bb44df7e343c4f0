// Every flag of `rto train` but those of PPO and RTO, declared once.
extension TrainConfiguration {
    static func models(_ stage: Stage) -> [Setting<Self>] {
        var settings: [Setting<Self>] = [
            .value("model", \.model.model, input: .model, "The Hugging Face model to start from"),
            .tokenizer,
        ]
        if stage == .dpo || stage == .kto || stage.isReinforcement {
            settings.append(
                .optional(
                    "reference-model",
                    \.model.referenceModel,
                    input: .model,
                    "The frozen reference; none is the model as it starts"
                )
            )
        }
        return settings
    }

    static func data(_ stage: Stage) -> [Setting<Self>] {
        var settings: [Setting<Self>] = [
            .list(
                "data",
                \.data.sources,
                input: .data,
                "Files or directories of rows, with a share of the mixture; may be repeated"
            )
        ]
        if !stage.isReinforcement {
            settings += [
                .list("eval-data", \.data.evaluation, input: .data, "Rows to evaluate on; may be repeated"),
                .optional(
                    "eval-share",
                    \.data.evaluationShare,
                    in: .above(0, through: 0.5),
                    "The share of the prompts of --data to evaluate on instead"
                ),
            ]
        }
        return settings + [maxLength(stage)] + Setting.prompts + columns(stage) + [
            .skipBadRows,
            .flag("no-shuffle", \.data.keepsOrder, "Keep the rows in the order of the files"),
        ]
    }

    private static func maxLength(_ stage: Stage) -> Setting<Self> {
        guard stage.isReinforcement else {
            return .value(
                "max-length",
                \.data.requiredMaxLength,
                in: .tokens(atLeast: 2),
                "The most tokens of a sequence"
            )
        }
        let summary = "The most tokens of prompt and response together"
        return .optional("max-length", \.data.maxLength, in: .tokens(atLeast: 2), summary)
    }

    private static func columns(_ stage: Stage) -> [Setting<Self>] {
        switch stage {
        case .sft, .kd: [.inputKey, outputKey]
        case .kto: [.inputKey, outputKey, .optional("label-key", \.data.labelKey, "The column of the label")]
        case .ppo, .rto: [.inputKey]
        case .reward, .dpo:
            [
                .optional("chosen-key", \.data.chosenKey, "The column of the preferred response"),
                .optional("rejected-key", \.data.rejectedKey, "The column of the other response"),
            ]
        }
    }

    private static var outputKey: Setting<Self> {
        .optional("output-key", \.data.outputKey, "The column of the answer")
    }

    static func optimization(_ stage: Stage) -> [Setting<Self>] {
        var settings: [Setting<Self>] = [
            .value("batch-size", \.loop.batchSize, in: .positive, batchSummary(stage)),
            .value("micro-batch-tokens", \.loop.microBatchTokens, in: .positive, "The most tokens in one pass"),
            .value("epochs", \.loop.epochs, in: .positive, "Passes over the data"),
            .optional("max-steps", \.loop.maxSteps, in: .positive, "Stop after this many optimizer steps"),
            .value("learning-rate", \.optimizer.learningRate, in: .positive, "The highest learning rate"),
        ]
        if stage.isReinforcement {
            settings.append(
                .value("critic-learning-rate", \.reinforcement.criticLearningRate, in: .positive, "The critic's")
            )
        }
        settings += [
            .value("lr-schedule", \.optimizer.schedule, "How the learning rate moves after warm-up"),
            .value("warmup-ratio", \.optimizer.warmupRatio, in: .from(0, through: 1), "The share of steps for warm-up"),
            .value("min-lr-ratio", \.optimizer.minimumRatio, in: .from(0, through: 1), "Where cosine-with-min-lr ends"),
            .value("weight-decay", \.optimizer.weightDecay, in: .notNegative, "AdamW's decoupled decay"),
            .value("adam-beta1", \.optimizer.beta1, in: .from(0, below: 1), "AdamW's decay of the mean gradient"),
            .value("adam-beta2", \.optimizer.beta2, in: .from(0, below: 1), "AdamW's decay of the mean square"),
            .value("adam-epsilon", \.optimizer.epsilon, in: .positive, "AdamW's term against division by zero"),
            .value(
                "max-grad-norm",
                \.optimizer.maxGradientNorm,
                in: .notNegative,
                "Clip the gradient's norm; 0 never clips"
            ),
        ]
        if stage == .sft || stage == .kd || stage.isReinforcement {
            settings.append(
                .value("loss-normalization", \.optimizer.lossNormalization, "What weighs the same in the loss")
            )
        }
        return settings
    }

    static var gradientCheckpointing: Setting<Self> {
        .flag(
            "gradient-checkpointing",
            \.compute.gradientCheckpointing,
            "Recompute activations instead of keeping them"
        )
    }

    static func run(_ stage: Stage) -> [Setting<Self>] {
        var settings: [Setting<Self>] = [
            .value("output", \.loop.output, "The run directory, a model directory in the end"),
            .value("seed", \.loop.seed, in: .notNegative, "The seed of every random choice"),
            .value("log-every", \.loop.logEvery, in: .positive, "Steps between two lines of progress"),
        ]
        if !stage.isReinforcement {
            settings.append(
                .optional(
                    "eval-every",
                    \.loop.evaluateEvery,
                    in: .positive,
                    "Steps between evaluations; none is each epoch"
                )
            )
        }
        return settings + [
            .optional("save-every", \.loop.saveEvery, in: .positive, "Steps between checkpoints; none writes none"),
            .value(
                "keep-checkpoints",
                \.loop.keepCheckpoints,
                in: .notNegative,
                "How many checkpoints to keep; 0 keeps all"
            ),
            .list("report-to", \.loop.reportTo, "Write the metrics for this program, too: event files in --output"),
        ]
    }

    private static func batchSummary(_ stage: Stage) -> String {
        switch stage {
        case .sft, .kd: "Sequences per optimizer step"
        case .kto: "Responses per optimizer step"
        case .reward, .dpo: "Pairs per optimizer step"
        case .ppo, .rto: "Rollouts per optimizer step"
        }
    }
}

extension DataSettings {
    /// The limit of a stage that cannot do without one.
    fileprivate var requiredMaxLength: Int {
        get { maxLength ?? DataSettings().maxLength ?? 2048 }
        set { maxLength = newValue }
    }
}
