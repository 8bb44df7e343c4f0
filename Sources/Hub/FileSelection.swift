import Foundation
import Safetensors

/// What of a repository is wanted.
public enum RepositoryPart: Sendable, Hashable {
    /// A model or an adapter: its settings, its tokenizer and its weights.
    case model
    /// A tokenizer alone.
    case tokenizer
    /// The files of rows, and the page that says which of them are which split.
    case rows

    /// What kind of repository has it.
    public var kind: RepositoryName.Kind { self == .rows ? .dataset : .model }
}

/// The names of a model's files beside its weights.
public enum ModelFileNames {
    /// Files that make a tokenizer.
    public static let tokenizer = [
        "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", chatTemplate,
    ]
    /// The file of a chat template, which goes before the one in `tokenizer_config.json`.
    public static let chatTemplate = "chat_template.jinja"
    /// Files that say how to generate.
    public static let generation = ["generation_config.json"]
    static let configuration = "config.json"
    static let adapter = "adapter_config.json"
}

/// Which files of a repository are fetched: what a part needs, and nothing that could run code.
struct FileSelection {
    let listing: RepositoryListing
    let part: RepositoryPart
    /// The repository, as an error names it.
    let name: String

    /// The files that are wanted before any other, since they say what else is.
    ///
    /// - Throws: `HubError` or `SafetensorsError` where the repository has nothing that can be used.
    func first() throws -> [RepositoryFile] {
        switch part {
        case .rows: return try rows()
        case .tokenizer: return companions()
        case .model: return companions() + (try weights())
        }
    }

    /// The name of the file that says in which shards the weights lie, nil where they lie in one file.
    var index: String? {
        guard part == .model, !listing.holds(ModelFileNames.adapter), !listing.holds("model.safetensors") else {
            return nil
        }
        return "model.safetensors.index.json"
    }

    /// The shards that the index names.
    ///
    /// - Throws: `HubError` where the repository lacks one, `SafetensorsError` where the index is malformed.
    func shards(index: URL) throws -> [RepositoryFile] {
        let names = try SafetensorsCheckpoint.shardNames(inIndex: index)
        if let missing = names.first(where: { !listing.holds($0) }) {
            throw HubError("\(name): the index names the shard \(missing), which the repository does not hold")
        }
        return listing.files(named: names)
    }

    /// Files of a model that the repository lacks and that other programs look for each time.
    var absent: [String] {
        part == .rows
            ? []
            : (ModelFileNames.generation + [
                ModelFileNames.chatTemplate, ModelFileNames.adapter, "added_tokens.json", "special_tokens_map.json",
            ]).filter { !listing.holds($0) }
    }

    private func companions() -> [RepositoryFile] {
        let names =
            ModelFileNames.tokenizer + ModelFileNames.generation + [
                ModelFileNames.configuration, ModelFileNames.adapter,
            ]
        return listing.files.filter { file in
            let parts = file.path.split(separator: "/")
            return names.contains(file.path) || parts.count == 1 && file.path.hasSuffix(".tiktoken")
                || parts.count == 2 && parts[0] == "additional_chat_templates" && file.path.hasSuffix(".jinja")
        }
    }

    private func weights() throws -> [RepositoryFile] {
        let isAdapter = listing.holds(ModelFileNames.adapter)
        let stem = isAdapter ? "adapter_model" : "model"
        let candidates = [stem + ".safetensors"] + (isAdapter ? [] : [stem + ".safetensors.index.json"])
        if let found = candidates.first(where: listing.holds) { return listing.files(named: [found]) }
        throw SafetensorsCheckpoint.noCheckpoint(in: name, names: listing.files.map(\.path), stem: stem)
    }

    private static let rowEndings = [".jsonl", ".ndjson", ".json", ".parquet"]
    /// JSON that speaks of rows and holds none.
    private static let descriptions = ["dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json"]

    private func rows() throws -> [RepositoryFile] {
        let found = listing.files.filter { file in
            let parts = file.path.split(separator: "/")
            guard let last = parts.last, !parts.contains(where: { $0.hasPrefix(".") }),
                !Self.descriptions.contains(String(last))
            else { return false }
            var name = last.lowercased()
            for ending in [".gz", ".zst"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
            return Self.rowEndings.contains { name.hasSuffix($0) }
        }
        guard !found.isEmpty else {
            let others = Set(listing.files.map { URL(filePath: $0.path).pathExtension }).subtracting([
                "", "md", "gitattributes",
            ])
            throw HubError(
                "\(name) holds no rows that can be read (.jsonl, .json or .parquet), only "
                    + (others.isEmpty
                        ? "other files" : others.sorted().prefix(5).map { "." + $0 }.joined(separator: ", "))
            )
        }
        return listing.files(named: ["README.md"]) + found
    }
}
