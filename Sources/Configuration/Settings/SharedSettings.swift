// Flags that several commands have, declared once for all of them.

/// A configuration of a command that computes.
public protocol Computing {
    /// The number format, the device, and memory against time.
    var compute: ComputeSettings { get set }
}

/// A configuration of a command that reads rows and makes tokens of them.
public protocol ReadingRows {
    /// The model and its tokenizer.
    var model: ModelSettings { get set }
    /// The rows and what becomes of them.
    var data: DataSettings { get set }
}

/// A configuration of a command that draws tokens from a model.
public protocol Sampling {
    /// How tokens are drawn.
    var sampling: SamplingSettings { get set }
}

extension Setting where Root: Computing {
    static var compute: [Setting] {
        [
            .value("precision", \.compute.precision, "The number format of weights and activations"),
            .value("device", \.compute.device, "The device to compute on"),
            .optional("threads", \.compute.threads, in: .threads, "Threads; none is one for each core"),
        ]
    }
}

extension Setting where Root: ReadingRows {
    static var tokenizer: Setting {
        .optional("tokenizer", \.model.tokenizer, input: .tokenizer, "A tokenizer instead of the model's own")
    }

    static var prompts: [Setting] {
        [
            .optional("chat-template", \.data.chatTemplate, input: .file, "A chat template instead of the model's own"),
            .optional(
                "input-template",
                \.data.inputTemplate,
                in: .template,
                "What a prompt in plain text is put into, at {}"
            ),
            .optional("prompt-key", \.data.promptKey, "The column of the prompt; none goes by the row's shape"),
        ]
    }

    static var inputKey: Setting {
        .optional("input-key", \.data.inputKey, "The column of an instruction")
    }

    static var skipBadRows: Setting {
        .flag("skip-bad-rows", \.data.skipBadRows, "Count and report rows that cannot be read, and go on")
    }
}

extension Setting where Root: Sampling {
    static var sampling: [Setting] {
        [
            .value("samples-per-prompt", \.sampling.samplesPerPrompt, in: .positive, "Responses for each prompt"),
            .value("max-new-tokens", \.sampling.maxNewTokens, in: .tokens(), "The most tokens of a response"),
            .value("temperature", \.sampling.temperature, in: .positive, "What logits are divided by"),
            .value("top-p", \.sampling.topP, in: .above(0, through: 1), "The likeliest mass to draw from"),
            .value("top-k", \.sampling.topK, in: .notNegative, "The likeliest tokens to draw from; 0 is all"),
        ]
    }
}
