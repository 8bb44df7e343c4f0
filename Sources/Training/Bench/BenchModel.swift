import Configuration
import Foundation
import JSONText
import Models
import Torch

/// The model that a benchmark measures: of a directory, or random and made anew each time it is wanted.
struct BenchModel {
    /// What the report calls it.
    let name: String
    let configuration: ModelConfiguration
    private let directory: URL?
    private let precision: DType
    private let device: Device
    private let checkpointsGradients: Bool

    init(_ settings: BenchConfiguration, device: Device) throws {
        directory = settings.model.map { URL(filePath: $0) }
        name = settings.model.map(reportedName) ?? settings.shape?.rawValue ?? BenchShape.million8.rawValue
        precision = settings.compute.precision.dtype
        self.device = device
        checkpointsGradients = settings.compute.gradientCheckpointing
        if let directory {
            configuration = try ModelConfiguration(directory: directory)
        } else {
            configuration = try ModelConfiguration(settings.sizes.members, path: "--shape \(name)")
        }
    }

    /// The elements of all weights, norms and biases.
    var parameterCount: Int { DecoderCost(configuration).parameterCount }

    /// A copy that only samples.
    func sampling() throws -> LanguageModel { try model(.sampling(precision, on: device)) }

    /// A copy that is only evaluated.
    func frozen() throws -> LanguageModel { try model(.frozen(precision, on: device)) }

    /// A copy that is trained.
    func trainable() throws -> LanguageModel {
        var model = try model(.trainable(on: device))
        model.checkpointsGradients = checkpointsGradients
        return model
    }

    private func model(_ preparation: ParameterStore.Preparation) throws -> LanguageModel {
        guard let directory else {
            return try LanguageModel.measured(configuration, preparation, precision: precision)
        }
        return try LanguageModel.load(directory, preparation, precision: precision)
    }

    /// Refuses work whose weights, optimizer state or cache alone are more than this machine's memory.
    ///
    /// - Throws: `TrainingError` naming the memory that is needed.
    func checkMemory(of work: [BenchWork], sequences: Int, length: Int) throws {
        // On a GPU LibTorch itself says what does not fit.
        guard device == .cpu else { return }
        let cost = DecoderCost(configuration)
        let memory = Double(ProcessInfo.processInfo.physicalMemory)
        let element = Double(precision.byteSize)
        for kind in work {
            let needed =
                switch kind {
                case .generate: element * (cost.weights + cost.cacheElements * Double(sequences) * Double(length))
                case .score: element * cost.weights
                // Masters, gradients and AdamW's two moments; DPO has a reference beside them.
                case .sft: 16 * cost.weights
                case .dpo: (16 + element) * cost.weights
                }
            guard needed < memory else {
                throw TrainingError(
                    "--work \(kind.rawValue) of \(name) needs more than \(gigabytes(needed)) of memory, and this machine has "
                        + gigabytes(memory)
                )
            }
        }
    }
}

extension ModelSizes {
    /// `config.json` of a random model.
    fileprivate var members: JSON {
        [
            "architectures": ["LlamaForCausalLM"], "vocab_size": .integer(vocabulary), "hidden_size": .integer(hidden),
            "intermediate_size": .integer(intermediate), "num_hidden_layers": .integer(layers),
            "num_attention_heads": .integer(heads), "num_key_value_heads": .integer(keyValueHeads),
            "tie_word_embeddings": .bool(tiesEmbeddings), "rope_theta": 10000.0, "rms_norm_eps": 1e-5,
        ]
    }
}
