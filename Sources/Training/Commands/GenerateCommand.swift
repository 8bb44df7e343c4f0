import Configuration
import Datasets
import Foundation
import JSONText
import Models
import Tokenizers
import Torch

/// Completes prompts: one JSON object a completion, in the order of the prompts, to a file or standard output.
public func generate(_ configuration: GenerateConfiguration) throws {
    let device = try chosenDevice(configuration.compute)
    let precision = configuration.compute.precision.dtype
    let directory = configuration.model.model
    let model = try LanguageModel.load(
        URL(filePath: directory),
        .sampling(precision, on: device),
        precision: precision
    )
    let vocabulary = model.configuration.vocabularySize
    let tokenizer = try loadTokenizer(configuration.model.tokenizerDirectory, vocabularySize: vocabulary)
    let prompts = try configuration.data.reader(
        configuration.data.sources,
        tokenizer: tokenizer,
        vocabularySize: vocabulary,
        seed: configuration.seed
    ).prompts(maximumLength: configuration.maxPromptLength)
    report(prompts.report, "prompts")
    let sampling = configuration.sampling
    let parameters = SamplingParameters(
        maxNewTokens: sampling.maxNewTokens,
        minNewTokens: sampling.minNewTokens,
        temperature: sampling.temperature,
        topK: sampling.topK,
        topP: sampling.topP,
        isGreedy: configuration.isGreedy,
        stopTokens: try stopTokens(directory, model.configuration, tokenizer)
    )
    var generator = try SequenceGenerator(model, parameters, concurrency: configuration.batchSize)
    let stops = try StopTexts(configuration.stop, tokenizer)
    if !stops.isEmpty { generator.endsCompletion = { stops.isReached($0) } }
    let writer = CompletionWriter(configuration, tokenizer: tokenizer, stops: stops)
    let sampler = PromptSampler(
        generator: generator,
        prompts: try behindTag(configuration, prompts.rows, tokenizer),
        samples: sampling.samplesPerPrompt,
        seed: configuration.seed
    )
    try sampler.write(to: configuration, writer)
}

/// The prompts, with the reward that is asked for behind each.
private func behindTag(
    _ configuration: GenerateConfiguration,
    _ prompts: [TokenizedPrompt],
    _ tokenizer: Tokenizer?
) throws -> [TokenizedPrompt] {
    guard let text = configuration.rewardTag else { return prompts }
    guard let tokenizer else {
        throw TrainingError("--csft-prompt needs a tokenizer, and the model's directory has none")
    }
    let ids = RewardTag(written: text).ids(tokenizer)
    return prompts.map { $0.continued(by: ids) }
}

/// Prompts and what samples their completions.
private struct PromptSampler {
    let generator: SequenceGenerator
    let prompts: [TokenizedPrompt]
    let samples: Int
    let seed: Int

    /// Writes a line for each sample, in the order of the prompts; those that stand already are not sampled again.
    func write(to configuration: GenerateConfiguration, _ writer: CompletionWriter) throws {
        guard let path = configuration.output else {
            return try sample(writer, from: 0) { try writeToStandardOutput($0) }
        }
        let file = try CompletionFile(path: path, recipe: try recipe(configuration))
        if file.isComplete { return note("\(path): is complete, there is nothing to do") }
        if file.lineCount > 0 { note("\(path): going on after \(file.lineCount) completions") }
        try sample(writer, from: file.lineCount) { try file.append($0) }
        try file.finish()
    }

    private func sample(_ writer: CompletionWriter, from first: Int, _ write: (String) throws -> Void) throws {
        var lines = OrderedLines(from: first)
        _ = try generator.generate(
            prompts.map(\.ids),
            samplesPerPrompt: samples,
            seed: UInt64(bitPattern: Int64(seed)),
            startingAt: first
        ) { index, completion in
            try lines.put(writer.line(prompts[index / samples], completion), at: index, write)
        }
    }

    /// Everything that decides the lines; what only decides how fast they come is left out.
    private func recipe(_ configuration: GenerateConfiguration) throws -> String {
        let directory = configuration.model.model
        var configuration = namingInputs(configuration)
        configuration.output = nil
        configuration.batchSize = configuration.defaults.batchSize
        configuration.compute.threads = nil
        configuration.compute.device = .auto
        var digest = ContentDigest()
        for prompt in prompts {
            digest.add(prompt.ids.flatMap { String($0).utf8 + [UInt8(ascii: " ")] })
            digest.add(JSON.object(prompt.row).serialized().utf8)
        }
        let model = try ContentDigest.model(URL(filePath: directory))
        return ConfigurationText.printed(configuration)
            + "\n# digest of the prompts: \(digest.text)\n# digest of the model: \(model.text)\n"
    }
}

/// Texts that end a completion, looked for in what the last tokens decode to.
struct StopTexts {
    private let texts: [String]
    private let tokenizer: Tokenizer?
    private let window: Int

    init(_ texts: [String], _ tokenizer: Tokenizer?) throws {
        guard texts.isEmpty || tokenizer != nil else {
            throw TrainingError("--stop needs a tokenizer, and the model's directory has none")
        }
        self.texts = texts
        self.tokenizer = tokenizer
        // A token is at least one byte of text, so a stop lies within as many tokens as it has bytes.
        window = (texts.map(\.utf8.count).max() ?? 0) + 1
    }

    var isEmpty: Bool { texts.isEmpty }

    func isReached(_ tokens: [Int]) -> Bool {
        guard let tokenizer else { return false }
        let tail = tokenizer.decode(Array(tokens.suffix(window)), skipSpecialTokens: false)
        return texts.contains { tail.contains($0) }
    }

    /// The text before the first stop in it.
    func cut(_ text: String) -> String {
        let places = texts.compactMap { text.range(of: $0)?.lowerBound }
        return places.min().map { String(text[..<$0]) } ?? text
    }
}

/// Writes the line of one completion.
private struct CompletionWriter {
    let configuration: GenerateConfiguration
    let tokenizer: Tokenizer?
    let stops: StopTexts

    init(_ configuration: GenerateConfiguration, tokenizer: Tokenizer?, stops: StopTexts) {
        self.configuration = configuration
        self.tokenizer = tokenizer
        self.stops = stops
    }

    func line(_ prompt: TokenizedPrompt, _ completion: Completion) -> String {
        var object = prompt.row
        if let tokenizer {
            let text = tokenizer.decode(completion.tokens, skipSpecialTokens: true)
            object["completion"] = .string(stops.cut(text))
        }
        // The ids that were read, so that nobody need make them again of text.
        object["prompt_ids"] = .array(prompt.ids.map { .integer($0) })
        object["completion_ids"] = .array(completion.tokens.map { .integer($0) })
        object["finish_reason"] = .string(completion.isFinished ? "stop" : "length")
        if configuration.logProbabilities {
            object["log_probabilities"] = .array(completion.logProbabilities.map { .number(Double($0)) })
        }
        return JSON.object(object).serialized() + "\n"
    }
}
