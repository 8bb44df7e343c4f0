import Foundation

/// A directory of data files, laid out as Hugging Face does or in any simpler way.
///
/// All data files below it belong to it, in the order of their paths, but for what is hidden (a name that begins with a dot) and the
/// descriptions that the library `datasets` writes. Files of different splits are never mixed: where there are several splits, one
/// must be named. Nor are files of different folders, which are several data sets, or copies of one, more often than parts of one.
struct DataDirectory {
    private let path: String
    private let places: [Place]

    /// A file below the directory.
    private struct Place {
        /// The names from the directory to the file.
        let components: [String]
        let split: DataSplit

        var name: String { components.joined(separator: "/") }
        var folder: String { components.dropLast().joined(separator: "/") }
    }

    /// Files that lie beside data and hold none.
    private static let descriptions: Set<String> = [
        "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json",
    ]

    /// Looks through a directory.
    ///
    /// - Throws: `DatasetError` where it, or a directory in it, cannot be listed.
    init(_ path: String) throws(DatasetError) {
        self.path = path
        var places: [[String]] = []
        try Self.visit(URL(filePath: path), [], above: [], &places)
        self.places = places.map { Place(components: $0, split: DataSplit(of: $0)) }
    }

    /// Adds the files below a directory that are data by their names, here or elsewhere.
    private static func visit(
        _ directory: URL,
        _ components: [String],
        above: Set<String>,
        _ places: inout [[String]]
    ) throws(DatasetError) {
        // A link may lead to a directory that lies above it.
        let resolved = directory.resolvingSymlinksInPath().path
        if above.contains(resolved) { return }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        } catch {
            throw DatasetError(path: directory.path, .unreadable(reason: "the directory cannot be listed"))
        }
        let visible = names.filter { !$0.hasPrefix(".") && !descriptions.contains($0) }
        for name in visible.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let url = directory.appending(path: name)
            var isDirectory: ObjCBool = false
            // A link that leads nowhere is no directory: it counts as the file that its name says.
            _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
            if isDirectory.boolValue {
                try visit(url, components + [name], above: above.union([resolved]), &places)
            } else if DatasetFile.isFormatOfOthers(name) || (try? DatasetFile(path: name)) != nil {
                places.append(components + [name])
            }
        }
    }

    /// The files of a split, or of all where there is but one and none is named.
    ///
    /// - Throws: `DatasetError` where there are none, where the split is not there or not the only one, where its files lie in
    ///   several folders, where some of them are of a form that is not read or of both kinds that are, where one is missing or a link
    ///   that leads nowhere, and where two are one.
    func files(of split: String?) throws(DatasetError) -> [DatasetFile] {
        let splits = Set(places.map(\.split.name))
        let names = splits.compactMap(\.self).sorted()
        guard !places.isEmpty else { throw DatasetError(path: path, .noFiles) }
        if let split, !splits.contains(split) { throw DatasetError(path: path, .noSplit(split, present: names)) }
        if split == nil && splits.count > 1 {
            let strays = places.first { $0.split.name == nil }?.name
            throw DatasetError(path: path, .severalSplits(names, fileOfNone: strays))
        }
        let chosen = places.filter { split == nil || $0.split.name == split }
        let folders = Set(chosen.map(\.folder)).sorted()
        if folders.count > 1 { throw DatasetError(path: path, .severalFolders(folders, split: chosen[0].split.name)) }
        try checkShards(chosen)
        var files: [DatasetFile] = []
        var nameOfFile: [String: String] = [:]
        for place in chosen {
            let url = URL(filePath: path).appending(path: place.name)
            files.append(try DatasetFile(path: url.path))
            guard FileManager.default.fileExists(atPath: url.path) else {
                throw DatasetError(path: url.path, .unreadable(reason: "it is a link to a file that is not there"))
            }
            let resolved = url.resolvingSymlinksInPath().path
            if let other = nameOfFile[resolved] { throw DatasetError(path: path, .oneFileTwice(other, place.name)) }
            nameOfFile[resolved] = place.name
        }
        if let other = files.first(where: { ($0.format == .parquet) != (files[0].format == .parquet) }) {
            // Likely the same rows twice.
            throw DatasetError(path: path, .severalKinds(files[0].name, other.name))
        }
        return files
    }

    /// Refuses files that are numbered as some of several where the others are not there.
    private func checkShards(_ places: [Place]) throws(DatasetError) {
        var numbers: [[String]: [Int: String]] = [:]
        for place in places {
            guard let shard = place.split.shard else { continue }
            let whole = place.components.dropLast() + [shard.name, "\(shard.count)"]
            if let other = numbers[Array(whole), default: [:]].updateValue(place.name, forKey: shard.number) {
                throw DatasetError(path: path, .oneShardTwice(other, place.name))
            }
        }
        for (whole, numbers) in numbers {
            guard let count = whole.last.flatMap({ Int($0) }), numbers.count < count else { continue }
            throw DatasetError(path: path, .missingShards(numbers.values.min() ?? "", found: numbers.count, of: count))
        }
    }

    /// The files that belong to the splits of some of the directory's files.
    ///
    /// - Parameter known: Paths of files, which need not be there any more.
    func paths(besides known: Set<String>) -> [String] {
        let found = places.map { (path: URL(filePath: path).appending(path: $0.name).path, split: $0.split.name) }
        let root = URL(filePath: path).path + "/"
        let splits = Set(
            known.filter { $0.hasPrefix(root) }.map {
                DataSplit(of: $0.dropFirst(root.count).split(separator: "/").map(String.init)).name
            }
        )
        return found.filter { splits.contains($0.split) }.map(\.path)
    }
}

extension DatasetFile {
    fileprivate var name: String { URL(filePath: path).lastPathComponent }
}

/// To which split of a data set a file belongs, as far as its path tells.
struct DataSplit {
    /// The name of the split, for instance `train_prefs`; nil where the path has none.
    let name: String?
    /// Which of several numbered files it is, and of how many; nil for a file that is not numbered so.
    let shard: (name: String, number: Int, count: Int)?

    private static let words: Set<String> = [
        "train", "training", "test", "testing", "eval", "evaluation", "validation", "valid", "val", "dev",
    ]

    /// The split of a file below a directory, by the names from there on.
    ///
    /// A file that is numbered as one of several, `train_prefs-00000-of-00002.parquet`, says its split in front of the number. Else a
    /// name says it from the first of the usual words on, without a number at its end: `ultra_train-1.jsonl` is of `train`. The
    /// file's own name goes before the folders', and inner folders go before outer ones.
    init(of components: [String]) {
        let folders = Array(components.dropLast())
        let stem = Self.withoutEndings(components.last ?? "")
        let match = stem.wholeMatch(of: /(.+?)[-_.]?([0-9]{5})-of-([0-9]{5}).*/)
        shard = match.flatMap { match in
            guard let number = Int(match.2), let count = Int(match.3) else { return nil }
            return (String(match.1), number, count)
        }
        name =
            match.map { String($0.1) } ?? Self.name(in: stem)
            ?? folders.reversed().lazy.compactMap(Self.name(in:)).first
    }

    private static func withoutEndings(_ file: String) -> String {
        String(
            file.replacing(
                /(\.(jsonl|ndjson|json|parquet|csv|tsv|arrow|feather|gz|zst|bz2|xz|zip|lz4))+$/.ignoresCase(),
                with: ""
            )
        )
    }

    /// The part of a name from the first of the usual words on.
    private static func name(in text: String) -> String? {
        let parts = text.split(omittingEmptySubsequences: false) { !$0.isLetter }
        guard let part = parts.first(where: { words.contains($0.lowercased()) }) else { return nil }
        // By hand: an expression that takes digits and what parts them in any number of ways tries them all on a long name.
        let name = text[part.startIndex...]
        guard name.last?.isNumber == true else { return String(name) }
        let end = name.lastIndex { !$0.isNumber && !"-_. ".contains($0) } ?? part.startIndex
        return String(name[...end])
    }
}
