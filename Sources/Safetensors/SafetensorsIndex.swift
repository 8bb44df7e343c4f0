import Foundation
import JSONText

/// The table that says in which shard of a checkpoint each tensor lies: `model.safetensors.index.json`.
struct SafetensorsIndex {
    /// Tensor names and the file names of their shards.
    let weightMap: [(name: String, shard: String)]
    /// The bytes of all tensors together.
    let byteCount: Int
    /// The elements of all tensors together.
    let elementCount: Int

    /// The shards' file names, sorted.
    var shardNames: [String] { Set(weightMap.map(\.shard)).sorted() }

    /// The file's text, with keys sorted as transformers writes it.
    func encoded() -> [UInt8] {
        var map = JSONObject()
        for (name, shard) in weightMap.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            map[name] = .string(shard)
        }
        let index: JSON = [
            "metadata": ["total_parameters": .integer(elementCount), "total_size": .integer(byteCount)],
            "weight_map": .object(map),
        ]
        return Array((index.serialized(pretty: true) + "\n").utf8)
    }
}

extension SafetensorsIndex {
    /// Reads an index and checks that it names files of its own directory only.
    init(contentsOf url: URL) throws(SafetensorsError) {
        let path = url.path
        let file = try MappedFile(path: path)
        let json: JSON
        do {
            json = try JSON(parsing: file.bytes, options: JSONParsingOptions(refusesDuplicateKeys: true))
        } catch {
            throw SafetensorsError(path: path, .headerNotJSON(reason: error.description))
        }
        guard let map = json["weight_map"]?.object, !map.isEmpty else {
            let expected = "an object of tensor names and shard files"
            throw SafetensorsError(path: path, .malformed(field: "weight_map", expected: expected))
        }
        var weightMap: [(name: String, shard: String)] = []
        for (name, value) in map.members {
            guard let shard = value.string else {
                throw SafetensorsError(
                    path: path,
                    tensor: name,
                    .malformed(field: "its place in weight_map", expected: "a file name")
                )
            }
            guard Self.staysInside(shard) else { throw SafetensorsError(path: path, .shardOutsideDirectory(shard)) }
            weightMap.append((name, shard))
        }
        self.init(
            weightMap: weightMap,
            byteCount: json["metadata"]?["total_size"]?.integer ?? 0,
            elementCount: json["metadata"]?["total_parameters"]?.integer ?? 0
        )
    }

    /// Whether a shard's name is a path that cannot leave the directory; links in the directory may, as those of a download cache do.
    private static func staysInside(_ shard: String) -> Bool {
        let components = shard.split(separator: "/", omittingEmptySubsequences: false)
        return !shard.utf8.contains(0) && !components.contains { $0.isEmpty || $0 == "." || $0 == ".." }
    }

    /// Checks that every tensor is in the shard that the index says, and in no other.
    ///
    /// A tensor that only its shard knows of is none of the index's business: whoever loads the model decides about it.
    func check(against files: [SafetensorsFile], path: String) throws(SafetensorsError) {
        let byShard = Dictionary(uniqueKeysWithValues: zip(shardNames, files))
        for (name, shard) in weightMap where byShard[shard]?.entry(named: name) == nil {
            throw SafetensorsError(path: path, tensor: name, .notInShard(shard))
        }
        let places = zip(shardNames, files).flatMap { shard, file in file.entries.map { ($0.name, shard) } }
        let first = NameTable(places.map(\.0))
        for (position, (name, shard)) in places.enumerated() {
            guard let other = first[name], other != position else { continue }
            throw SafetensorsError(path: path, tensor: name, .inTwoShards(places[other].1, shard))
        }
    }
}
