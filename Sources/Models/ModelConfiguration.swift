import Foundation
import JSONText

/// What `config.json` says of a decoder: its shape and the differences between families, as data.
public struct ModelConfiguration: Sendable {
    /// The number of rows of the embedding.
    public let vocabularySize: Int
    /// The width of the residual stream.
    public let hiddenSize: Int
    /// The width of the feed-forward layer.
    public let intermediateSize: Int
    /// The number of decoder layers.
    public let layerCount: Int
    /// The number of query heads.
    public let headCount: Int
    /// The number of key-value heads, a divisor of `headCount`.
    public let keyValueHeadCount: Int
    /// The width of a head.
    public let headDimension: Int
    /// ε of the root-mean-square norms.
    public let normEpsilon: Double
    /// Positions in attention.
    public let rotary: RotaryConfiguration
    /// Whether the head is the embedding.
    public let tiesEmbeddings: Bool
    /// Whether the four projections of attention have biases.
    public let attentionBias: Bool
    /// Whether the three projections of the feed-forward layer have biases.
    public let feedForwardBias: Bool
    /// The deviation of fresh weights.
    public let initializerRange: Double
    /// What the reward model's scores are normalised by, where the file holds them.
    public var rewardStatistics: (mean: Double, deviation: Double)?
    /// Ids that end a sequence.
    public let endOfSequence: [Int]
    /// The file as it was read, to be written back with what training changes.
    public let source: JSONObject

    static let causalArchitecture = "LlamaForCausalLM"
    static let rewardArchitectures = ["LlamaForSequenceClassification", "RewardModel"]

    /// Whether the file describes a reward model.
    public var isRewardModel: Bool {
        let names = source["architectures"]?.array?.compactMap(\.string) ?? []
        return names.contains { Self.rewardArchitectures.contains($0) }
    }

    /// Reads `config.json` of a model directory.
    ///
    /// - Throws: `ModelError` for a missing or malformed file, an unknown architecture and settings that no code here obeys.
    public init(directory: URL) throws(ModelError) { try self.init(ModelPlace(directory)) }

    /// Reads `config.json` of a model; an adapter of a reward model has one of its own.
    public init(_ place: ModelPlace) throws(ModelError) {
        let url = place.file("config.json") ?? place.directory.appending(path: "config.json")
        guard let data = FileManager.default.contents(atPath: url.path) else {
            throw FileManager.default.fileExists(atPath: url.path)
                ? ModelError(url.path, "the file cannot be read; are you allowed to?")
                : ModelError(url.path, "there is no such file; a model is a Hugging Face directory with a config.json")
        }
        do {
            try self.init(JSON(parsing: [UInt8](data)), path: url.path)
        } catch let error as JSONError {
            throw ModelError(url.path, "\(error)")
        } catch let error as ModelError {
            throw error
        } catch {
            throw ModelError(url.path, "\(error)")
        }
    }

    /// Takes the settings from the parsed file.
    public init(_ json: JSON, path: String) throws(ModelError) {
        guard let object = json.object else { throw ModelError(path, "is \(json.kind), not an object") }
        let fields = ConfigurationFields(object, path: path)
        try Self.checkArchitecture(fields)
        source = object
        vocabularySize = try fields.size("vocab_size")
        hiddenSize = try fields.size("hidden_size")
        intermediateSize = try fields.size("intermediate_size")
        layerCount = try fields.size("num_hidden_layers", atMost: 1 << 16)
        headCount = try fields.size("num_attention_heads")
        keyValueHeadCount = try fields.size("num_key_value_heads", default: headCount)
        guard headCount % keyValueHeadCount == 0 else {
            throw ModelError(
                path,
                "num_attention_heads \(headCount) is no multiple of num_key_value_heads \(keyValueHeadCount)"
            )
        }
        headDimension = try fields.size("head_dim", default: hiddenSize / headCount, atMost: 1 << 16)
        guard headDimension % 2 == 0 else { throw ModelError(path, "head_dim \(headDimension) is odd") }
        normEpsilon = try fields.positive("rms_norm_eps", default: 1e-6)
        rotary = try RotaryConfiguration(fields, headDimension: headDimension)
        tiesEmbeddings = try fields.flag("tie_word_embeddings", default: false)
        attentionBias = try fields.flag("attention_bias", default: false)
        feedForwardBias = try fields.flag("mlp_bias", default: false)
        initializerRange = try fields.positive("initializer_range", default: 0.02)
        endOfSequence = try fields.ids("eos_token_id")
        if object["mean"] != nil || object["std"] != nil {
            rewardStatistics = (try fields.number("mean"), try fields.positive("std", default: nil))
        }
        for (key, expected) in [("hidden_act", "silu")] where object[key]?.string ?? expected != expected {
            throw ModelError(path, "\(key) is \"\(object[key]?.string ?? "")\", supported is \"\(expected)\"")
        }
        if let dropout = object["attention_dropout"]?.number, dropout != 0 {
            throw ModelError(
                path,
                "attention_dropout is \(dropout); training without dropout is supported, set it to 0"
            )
        }
    }

    private static func checkArchitecture(_ fields: ConfigurationFields) throws(ModelError) {
        let names = fields.object["architectures"]?.array?.compactMap(\.string) ?? []
        let known = [causalArchitecture] + rewardArchitectures
        guard let name = names.first ?? fields.object["model_type"]?.string else {
            throw ModelError(fields.path, "names no architecture (\"architectures\" is missing)")
        }
        guard known.contains(name) || (names.isEmpty && name == "llama") else {
            throw ModelError(
                fields.path,
                "architecture \"\(name)\" is not supported; supported are \(known.joined(separator: ", "))"
            )
        }
        if fields.object["quantization_config"] != nil {
            throw ModelError(
                fields.path,
                "the checkpoint is quantised, which is not supported; use the original weights"
            )
        }
    }
}

/// Typed reading of a configuration's members, with errors that name file, member, expected and found.
struct ConfigurationFields {
    let object: JSONObject
    let path: String

    init(_ object: JSONObject, path: String) {
        self.object = object
        self.path = path
    }

    private func member(_ key: String) -> JSON? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    /// A whole number from 1 to a limit, which also holds for what stands in for a missing one.
    func size(
        _ key: String,
        default standard: Int? = nil,
        atMost limit: Int = Int(Int32.max)
    ) throws(ModelError) -> Int {
        guard let value = member(key) ?? standard.map(JSON.integer) else {
            throw ModelError(path, "\"\(key)\" is missing")
        }
        guard let size = value.integer, size > 0, size <= limit else {
            throw ModelError(path, "\"\(key)\" must be a whole number from 1 to \(limit), found \(value.serialized())")
        }
        return size
    }

    func number(_ key: String, default standard: Double? = nil) throws(ModelError) -> Double {
        guard let value = member(key) else {
            guard let standard else { throw ModelError(path, "\"\(key)\" is missing") }
            return standard
        }
        guard let number = value.number, number.isFinite else {
            throw ModelError(path, "\"\(key)\" must be a number, found \(value.serialized())")
        }
        return number
    }

    func positive(_ key: String, default standard: Double?) throws(ModelError) -> Double {
        let number = try number(key, default: standard)
        guard number > 0 else { throw ModelError(path, "\"\(key)\" must be greater than zero, found \(number)") }
        return number
    }

    func flag(_ key: String, default standard: Bool) throws(ModelError) -> Bool {
        guard let value = member(key) else { return standard }
        guard let flag = value.bool else {
            throw ModelError(path, "\"\(key)\" must be true or false, found \(value.serialized())")
        }
        return flag
    }

    /// One id or a list of ids; none if the member is missing.
    func ids(_ key: String) throws(ModelError) -> [Int] {
        guard let value = member(key) else { return [] }
        let ids = value.array.map { $0.compactMap(\.integer) } ?? value.integer.map { [$0] } ?? []
        guard !ids.isEmpty, ids.count == value.array?.count ?? 1, ids.allSatisfy({ $0 >= 0 }) else {
            throw ModelError(path, "\"\(key)\" must be a token id or a list of them, found \(value.serialized())")
        }
        return ids
    }
}
