import ChatTemplates
import Configuration
import Datasets
import Foundation
import Models
import Tokenizers
import Torch

/// A language model with all that it takes to answer somebody: its prompts, what ends its answers, and how much it can hold in mind.
struct TalkingModel {
    let model: LanguageModel
    let prompts: PromptTokenizer
    let stopTokens: Set<Int>
    /// The most tokens of prompt and answer.
    let contextLength: Int

    /// Loads a model for sampling.
    ///
    /// - Throws: an error where the directory has no tokenizer, or the model allows fewer tokens than are asked for.
    init(
        _ settings: ModelSettings,
        _ data: DataSettings,
        _ compute: ComputeSettings,
        maxLength: Int?,
        command: String
    ) throws {
        let precision = compute.precision.dtype
        let directory = settings.model
        let model = try LanguageModel.load(
            URL(filePath: directory),
            .sampling(precision, on: try chosenDevice(compute)),
            precision: precision
        )
        let size = model.configuration.vocabularySize
        guard let tokenizer = try loadTokenizer(settings.tokenizerDirectory, vocabularySize: size) else {
            throw TrainingError(
                "\(command) reads and writes text, and \(settings.tokenizerDirectory) has no tokenizer; name one with "
                    + "--tokenizer"
            )
        }
        self.model = model
        do {
            prompts = try PromptTokenizer(
                tokenizer,
                chatTemplate: try data.chatTemplateText(),
                inputTemplate: try data.inputTemplate.map { text throws(DatasetError) in try InputTemplate(text) }
            )
        } catch let error as ChatTemplateError {
            throw TrainingError("\(data.chatTemplate ?? directory): the chat template cannot be used: \(error)")
        }
        stopTokens = try Training.stopTokens(directory, model.configuration, tokenizer)
        contextLength = try model.configuration.contextLength(
            wanted: maxLength,
            standard: ServeConfiguration.longestDefault,
            directory
        )
    }

    /// A session for so many sequences at once, fewer where their keys and values would take more than so many bytes.
    func session(slots: Int, cacheBytes: Int) throws -> GenerationSession {
        let slotBytes = GenerationSession.slotBytes(model, capacity: contextLength)
        guard slotBytes < Int(ProcessInfo.processInfo.physicalMemory) else {
            throw TrainingError(
                "keys and values of \(contextLength) tokens need \(slotBytes) bytes, more than this machine's memory; "
                    + "lower --max-length"
            )
        }
        return GenerationSession(model, slots: max(1, min(slots, cacheBytes / slotBytes)), capacity: contextLength)
    }
}

extension ModelConfiguration {
    /// How many positions the model was made for, where its configuration says so.
    private var ownLength: Int? { source["max_position_embeddings"]?.integer.flatMap { $0 > 1 ? $0 : nil } }

    /// The most tokens of a sequence: the number asked for, else the model's own or the standard one, whichever is less.
    ///
    /// - Throws: `TrainingError` where more are asked for than the model was made for.
    func contextLength(wanted: Int?, standard: Int, _ directory: String) throws -> Int {
        if let wanted, let ownLength, wanted > ownLength {
            throw TrainingError(
                "\(directory): the model takes \(ownLength) tokens, and --max-length asks for \(wanted)"
            )
        }
        return wanted ?? min(ownLength ?? standard, standard)
    }
}
