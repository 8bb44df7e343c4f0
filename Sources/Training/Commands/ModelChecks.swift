import Configuration
import Foundation
import Models
import Tokenizers
import Torch

/// The device a command computes on.
///
/// - Throws: `TrainingError` where CUDA is asked for and not to be had.
func chosenDevice(_ settings: ComputeSettings) throws -> Device {
    try LibTorch.open()
    if let threads = settings.threads { LibTorch.threads = threads }
    switch settings.device {
    case .cpu: return .cpu
    case .cuda:
        do {
            guard try LibTorch.openCUDA() > 0 else {
                throw TrainingError("--device cuda: this machine has no CUDA device")
            }
        } catch let error as LibTorchError {
            throw TrainingError(
                "--device cuda: the CUDA part of LibTorch does not load (\(error.reason)); use --device cpu, or set LIBTORCH to a "
                    + "build for CUDA"
            )
        }
        return .cuda(0)
    case .auto:
        guard let count = try? LibTorch.openCUDA(), count > 0 else { return .cpu }
        return .cuda(0)
    }
}

extension Precision {
    /// The type that models compute in.
    var dtype: DType { self == .bfloat16 ? .bfloat16 : .float32 }
}

/// The tokenizer of a directory, or of the base of an adapter there, or nil where it has none and rows are tokenised already.
///
/// - Throws: an error where its ids exceed the model's embedding.
func loadTokenizer(_ directory: String, vocabularySize: Int) throws -> Tokenizer? {
    guard let place = try ModelPlace(URL(filePath: directory)).tokenizerDirectory else { return nil }
    let tokenizer = try Tokenizer(directory: place)
    guard tokenizer.vocabularySize <= vocabularySize else {
        throw TrainingError(
            "\(directory): the tokenizer knows \(tokenizer.vocabularySize) ids, the model's embedding has "
                + "\(vocabularySize) rows; model and tokenizer do not belong together"
        )
    }
    return tokenizer
}

/// A model that scores another one's ids must know them: equal tokenizers, or equal sizes where one has none.
func checkVocabulary(
    of directory: String,
    _ configuration: ModelConfiguration,
    role: String,
    matches policy: ModelConfiguration,
    _ tokenizer: Tokenizer?
) throws {
    guard let tokenizer, let other = try loadTokenizer(directory, vocabularySize: configuration.vocabularySize) else {
        guard configuration.vocabularySize == policy.vocabularySize else {
            throw TrainingError(
                "\(directory): the \(role) has a vocabulary of \(configuration.vocabularySize) ids, the policy one of "
                    + "\(policy.vocabularySize); they must share it"
            )
        }
        return
    }
    let size = max(tokenizer.vocabularySize, other.vocabularySize)
    if let id = (0..<size).first(where: {
        Array((tokenizer.token($0) ?? "").utf8) != Array((other.token($0) ?? "").utf8)
    }) {
        throw TrainingError(
            "\(directory): the \(role) has another vocabulary than the policy: id \(id) is "
                + "\"\(other.token(id) ?? "")\" there and \"\(tokenizer.token(id) ?? "")\" here"
        )
    }
}

/// Ids that end a response: of generation_config.json, config.json and the tokenizer.
func stopTokens(_ directory: String, _ configuration: ModelConfiguration, _ tokenizer: Tokenizer?) throws -> Set<Int> {
    let listed = try Companions.endOfSequence(in: URL(filePath: directory))
    return Set(listed + configuration.endOfSequence + [tokenizer?.endOfSequence].compactMap { $0 })
}
