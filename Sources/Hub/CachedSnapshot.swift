import Foundation
import Safetensors

/// What a cache holds of a commit.
struct CachedSnapshot {
    /// How much of a part is there.
    enum State: Equatable {
        /// Every file that the commit has of it.
        case whole
        /// What the files that are there ask for; which ones the commit has is not written down.
        case apparentlyWhole
        /// Not all: what is missing.
        case partial(missing: [String])
    }

    private let cache: RepositoryCache
    private let commit: String
    private let part: RepositoryPart

    init(_ cache: RepositoryCache, _ commit: String, _ part: RepositoryPart) {
        (self.cache, self.commit, self.part) = (cache, commit, part)
    }

    /// How much of the part is there.
    var state: State {
        get throws {
            guard FileManager.default.fileExists(atPath: folder.path) else { return .partial(missing: ["every file"]) }
            if let listing = cache.listing(of: commit) {
                let missing = try self.missing(of: listing)
                return missing.isEmpty ? .whole : .partial(missing: missing)
            }
            let present = RepositoryListing(commit: commit, files: filesPresent)
            if let missing = missing(from: present) { return .partial(missing: missing) }
            return .apparentlyWhole
        }
    }

    private var folder: URL { cache.snapshot(commit) }

    /// Files of the part that the commit has and the snapshot lacks.
    private func missing(of listing: RepositoryListing) throws -> [String] {
        let selection = FileSelection(listing: listing, part: part, name: cache.name.text)
        let missing = try selection.first().filter { !cache.holds($0, of: commit) }
        guard missing.isEmpty, let index = selection.index else { return missing.map(\.path) }
        return try selection.shards(index: folder.appending(path: index)).filter { !cache.holds($0, of: commit) }.map(
            \.path
        )
    }

    /// What the files that are there say is missing, nil where nothing is.
    private func missing(from present: RepositoryListing) -> [String]? {
        let selection = FileSelection(listing: present, part: part, name: cache.name.text)
        switch part {
        case .tokenizer:
            let isThere =
                present.holds(ModelFileNames.adapter)
                || present.files.contains { file in
                    ["tokenizer.json", "tokenizer.model"].contains(file.path) || file.path.hasSuffix(".tiktoken")
                }
            return isThere ? nil : ["the tokenizer"]
        case .model:
            guard present.holds(ModelFileNames.configuration) || present.holds(ModelFileNames.adapter) else {
                return [ModelFileNames.configuration]
            }
            guard (try? selection.first()) != nil else { return ["the weights"] }
            guard let index = selection.index else { return nil }
            guard let shards = try? SafetensorsCheckpoint.shardNames(inIndex: folder.appending(path: index)) else {
                return [index]
            }
            let missing = shards.filter { !present.holds($0) }
            return missing.isEmpty ? nil : missing
        case .rows:
            guard let found = try? selection.first() else { return ["the rows"] }
            let missing = Self.gaps(found.map(\.path))
            return missing.isEmpty ? nil : missing
        }
    }

    /// Files that others say are there: `train-00000-of-00003.parquet` has two neighbours.
    private static func gaps(_ names: [String]) -> [String] {
        let pattern = /^(.*-)(\d{5})-of-(\d{5})(.*)$/
        var missing: Set<String> = []
        for name in names {
            guard let match = name.wholeMatch(of: pattern), let count = Int(match.3), count <= 10_000 else { continue }
            for number in 0..<count {
                let digits = String(number)
                let neighbour =
                    "\(match.1)\(String(repeating: "0", count: 5 - digits.count))\(digits)-of-\(match.3)\(match.4)"
                if !names.contains(neighbour) { missing.insert(neighbour) }
            }
        }
        return missing.sorted()
    }

    /// The files of the snapshot whose contents are there.
    private var filesPresent: [RepositoryFile] {
        let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
        return paths.sorted().map { RepositoryFile(path: $0) }.filter { cache.holds($0, of: commit) }
    }
}
