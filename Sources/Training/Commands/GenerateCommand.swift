import Configuration
import Datasets
import Foundation
import JSONText
import Models
import Safetensors
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
    let output = try OrderedOutput(path: configuration.output)
    let samples = sampling.samplesPerPrompt
    func put(_ index: Int, _ completion: Completion) throws {
        try output.put(writer.line(prompts.rows[index / samples], completion), at: index)
    }
    _ = try generator.generate(
        prompts.rows.map(\.ids),
        samplesPerPrompt: samples,
        seed: UInt64(bitPattern: Int64(configuration.seed)),
        finished: put
    )
    try output.finish()
}

/// Texts that end a completion, looked for in what the last tokens decode to.
struct StopTexts {
    private let texts: [String]
    private let tokenizer: Tokenizer?
    private let window: Int

    init(_ texts: [String], _ tokenizer: Tokenizer?) throws {
        guard texts.isEmpty || tokenizer != nil else {
            throw TrainingError("--stop needs a tokenizer, and the model's directory has no tokenizer.json")
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
        object["completion_ids"] = .array(completion.tokens.map { .integer($0) })
        object["finish_reason"] = .string(completion.isFinished ? "stop" : "length")
        if configuration.logProbabilities {
            object["log_probabilities"] = .array(completion.logProbabilities.map { .number(Double($0)) })
        }
        return JSON.object(object).serialized() + "\n"
    }
}

/// Lines that become ready out of order, written in order: to a file that appears when complete, or to standard output.
final class OrderedOutput {
    private let file: AtomicFile?
    private var waiting: [Int: String] = [:]
    private var next = 0

    init(path: String?) throws {
        file = try path.map { try AtomicFile(url: URL(filePath: $0)) }
    }

    func put(_ line: String, at index: Int) throws {
        waiting[index] = line
        while let ready = waiting.removeValue(forKey: next) {
            next += 1
            if let file {
                try file.append(Array(ready.utf8))
            } else {
                try writeToStandardOutput(ready)
            }
        }
    }

    func finish() throws { try file?.commit() }
}

/// Writes to standard output; a closed pipe or a full disk is an error and not a trap.
func writeToStandardOutput(_ text: String) throws {
    guard writeAll(Array(text.utf8), to: STDOUT_FILENO) else {
        throw TrainingError("standard output cannot be written: \(String(cString: strerror(errno)))")
    }
}
