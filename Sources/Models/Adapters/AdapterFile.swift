import Foundation
import Hub
import JSONText
import Safetensors

/// `adapter_config.json`, as PEFT writes it, of an adapter that this program can compute.
struct AdapterFile {
    static let name = "adapter_config.json"
    /// What PEFT puts in front of the names of a model's tensors.
    static let prefix = "base_model.model."
    /// The file of an adapter's tensors, without its extension.
    static let stem = "adapter_model"

    let settings: AdapterSettings
    /// Where the base model lies, as the file says.
    let base: String?
    /// The repository that this names, where it could be one on a hub.
    let baseOnHub: RepositoryName?

    /// Layers that are saved whole beside an adapter: PEFT's names of a reward model's head.
    private static let heads: Set<String> = ["score", "classifier", "value_head"]

    /// Members that say how an adapter came to be, and not what it computes.
    private static let history: Set<String> = [
        "peft_version", "task_type", "base_model_name_or_path", "revision", "inference_mode", "auto_mapping",
        "loftq_config", "eva_config", "corda_config", "lora_ga_config", "runtime_config", "megatron_core",
        "qalora_group_size",
    ]
    private static let understood: Set<String> = [
        "peft_type", "r", "lora_alpha", "lora_dropout", "target_modules", "use_rslora", "bias", "modules_to_save",
        "init_lora_weights",
    ]
    /// Ways to start an adapter that leave the base as it is; `true` is the usual one.
    private static let harmlessStarts: Set<String> = ["gaussian", "eva", "orthogonal"]

    /// Reads the file of a directory.
    ///
    /// - Throws: `ModelError` for a malformed file and for variants of LoRA that are not supported, by their names.
    init(directory: URL) throws(ModelError) {
        let url = directory.appending(path: Self.name)
        guard let data = FileManager.default.contents(atPath: url.path) else {
            throw ModelError(url.path, "the file cannot be read; are you allowed to?")
        }
        let object: JSONObject
        do {
            let json = try JSON(parsing: [UInt8](data))
            guard let found = json.object else { throw ModelError(url.path, "is \(json.kind), not an object") }
            object = found
        } catch let error as ModelError {
            throw error
        } catch {
            throw ModelError(url.path, "\(error)")
        }
        let fields = ConfigurationFields(object, path: url.path)
        guard object["peft_type"]?.string == "LORA" else {
            throw ModelError(
                url.path,
                "peft_type is \(object["peft_type"]?.serialized() ?? "missing"); supported is LORA"
            )
        }
        try Self.checkVariants(object, url.path)
        settings = AdapterSettings(
            rank: try fields.size("r", atMost: 1 << 16),
            alpha: try fields.positive("lora_alpha", default: 8),
            dropout: try Self.dropout(fields),
            targets: try Self.targets(object, url.path),
            isRankStabilized: try fields.flag("use_rslora", default: false)
        )
        base = object["base_model_name_or_path"]?.string
        let revision = object["revision"]?.string.map { "@" + $0 } ?? ""
        baseOnHub = base.flatMap { RepositoryName($0 + revision, kind: .model) }
    }

    private static func dropout(_ fields: ConfigurationFields) throws(ModelError) -> Double {
        let dropout = try fields.number("lora_dropout", default: 0)
        guard (0..<1).contains(dropout) else {
            throw ModelError(fields.path, "lora_dropout must be from 0 to below 1, found \(dropout)")
        }
        return dropout
    }

    private static func targets(_ object: JSONObject, _ path: String) throws(ModelError) -> [String]? {
        if object["target_modules"]?.string == "all-linear" { return nil }
        guard let list = object["target_modules"]?.array, !list.isEmpty,
            let names = Optional(list.compactMap(\.string)), names.count == list.count
        else {
            let found = object["target_modules"]?.serialized() ?? "nothing"
            throw ModelError(path, "target_modules must be a list of layers or \"all-linear\", found \(found)")
        }
        let outer = names.first { name in
            ["embed_tokens", "lm_head"].contains { name == $0 || name.hasSuffix("." + $0) }
        }
        if let outer {
            throw ModelError(path, "target_modules names \"\(outer)\"; supported are adapters of the decoder's layers")
        }
        return names
    }

    /// Refuses every member that changes what an adapter computes and that no code here obeys.
    private static func checkVariants(_ object: JSONObject, _ path: String) throws(ModelError) {
        func refuse(_ key: String, _ supported: String) -> ModelError {
            ModelError(path, "\(key) is \(object[key]?.serialized() ?? "null"); supported is \(supported)")
        }
        if let bias = object["bias"], bias.string != "none" { throw refuse("bias", "\"none\"") }
        let saved = object["modules_to_save"]?.array ?? []
        guard saved.allSatisfy({ $0.string.map(heads.contains) == true }) else {
            throw refuse("modules_to_save", "the head of a reward model, \"score\"")
        }
        if let start = object["init_lora_weights"]?.string, !harmlessStarts.contains(start.lowercased()) {
            throw refuse("init_lora_weights", "a start that leaves the base model as it is")
        }
        for (key, value) in object.members where !history.contains(key) && !understood.contains(key) {
            let isNeutral =
                value.isNull || value.bool == false || value.string == "" || value.array?.isEmpty == true
                || value.object?.members.isEmpty == true
            if !isNeutral { throw refuse(key, "plain and rank-stabilised LoRA, without it") }
        }
    }

    /// The text of the file for an adapter of the given layers, and of a head where one is saved with it.
    ///
    /// A base that was found under a name on a hub is named so, with its commit, and any other by its path.
    static func text(_ settings: AdapterSettings, base: URL, layers: [String], savesHead: Bool) -> String {
        let alpha = Int(exactly: settings.alpha).map(JSON.integer) ?? .number(settings.alpha)
        let path = base.standardizedFileURL.absoluteURL.path
        let repository = LocatedRepositories.name(of: path)
        let members: JSON = [
            "base_model_name_or_path": .string(repository?.id ?? path),
            "revision": repository.map { .string($0.revision) } ?? .null, "bias": "none",
            "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true, "lora_alpha": alpha,
            "lora_dropout": .number(settings.dropout),
            "modules_to_save": savesHead ? ["score"] : nil, "peft_type": "LORA", "r": .integer(settings.rank),
            "target_modules": .array((settings.targets ?? layers).map(JSON.string)),
            "task_type": savesHead ? "SEQ_CLS" : "CAUSAL_LM", "use_dora": false,
            "use_rslora": .bool(settings.isRankStabilized),
        ]
        return members.serialized(pretty: true) + "\n"
    }
}
