/// What is wrong with a data file, a row of it, or the way it is to be read.
public struct DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path of the file or directory.
    public let path: String
    /// The line on which the row begins, counted from 1, or nil where the problem is with the whole.
    public let line: Int?
    /// What is wrong.
    public let problem: Problem

    init(path: String, _ problem: Problem) {
        self.path = path
        line = nil
        self.problem = problem
    }

    init(location: RowLocation, _ problem: Problem) {
        path = location.path
        line = location.line
        self.problem = problem
    }

    /// The problems there are.
    public enum Problem: Equatable, Sendable {
        /// The file cannot be opened or read to its end.
        case unreadable(reason: String)
        /// The file's name ends in none of the known ways.
        case unknownFormat(isKnownToOthers: Bool)
        /// A directory holds no data file.
        case noFiles
        /// A directory holds none of the split that was named.
        case noSplit(String, present: [String])
        /// A directory holds several splits, or one beside a file of none, and none was named.
        case severalSplits([String], fileOfNone: String?)
        /// The files of a split, or of none, lie in several folders, as those of several data sets and copies do.
        case severalFolders([String], split: String?)
        /// A directory holds Parquet files beside files of text, for instance these two.
        case severalKinds(String, String)
        /// A file lies in a directory under two names.
        case oneFileTwice(String, String)
        /// Two files have one number of those that are numbered as one of several.
        case oneShardTwice(String, String)
        /// Of files that are numbered as one of several, this one for instance, only some are there.
        case missingShards(String, found: Int, of: Int)
        /// The input template does not have exactly one place for the prompt.
        case inputTemplate(placeCount: Int)
        /// A file of tokens that a run keeps cannot be written.
        case tokens(String)
        /// A file of tokens that a run keeps cannot be opened, or is cut.
        case unusableTokens(String)
        /// What a run keeps of its data is not what was written.
        case damagedTokens
        /// A data file is no longer what a run was started on.
        case changed
        /// The files hold no row at all.
        case noRows
        /// No row could be used, for the reasons that the report counts.
        case noUsableRows(report: String)
        /// The part of the rows that is wanted, one of two, has none.
        case emptyPart(HeldOut, rowCount: Int)
        /// The weight of a source is so small that the mixture has no row of it.
        case outsideMixture(rowsUsed: Int)
        /// The row, or the list of rows around it, is not JSON.
        case notJSON(reason: String)
        /// The row is another kind of JSON value than an object.
        case notAnObject(found: String)
        /// The row lacks a key that was asked for.
        case missingKey(String, present: [String])
        /// The row has none of the forms that the task reads.
        case unknownForm(expected: String, present: [String])
        /// The value of a key is of the wrong kind.
        case wrongKind(key: String, expected: String, found: String)
        /// A token id is none of the vocabulary's.
        case outsideVocabulary(id: Int, key: String, vocabularySize: Int)
        /// The row contradicts itself, in a way that the sentence says.
        case inconsistent(String)
        /// The row holds text and there is no tokenizer, or messages and no chat template.
        case cannotRender(String)
    }

    /// One sentence: where, what, and what to do where that is known.
    public var description: String {
        "\(line.map { "\(RowLocation(path: path, line: $0))" } ?? path): \(problem.sentence)."
    }
}

extension DatasetError.Problem {
    private static let tokenRemedy = "remove the folder \"tokens\" of the run, and it reads its data again"

    fileprivate var sentence: String {
        switch self {
        case .unreadable(let reason): "the data cannot be read: \(reason)"
        case .unknownFormat(isKnownToOthers: true):
            "this format is not read; convert it to .parquet, .jsonl or .json, or to either of these with .gz or .zst behind"
        case .unknownFormat(isKnownToOthers: false), .noFiles:
            "data files end in .parquet, .jsonl or .json, these two also with .gz or .zst behind, and this is none and holds none"
        case .noSplit, .severalSplits, .severalFolders, .severalKinds, .oneFileTwice, .oneShardTwice, .missingShards:
            directorySentence
        case .inputTemplate(let count):
            "an input template has exactly one {} where the prompt goes, and this one has \(count)"
        case .tokens(let reason): "the tokens of the data cannot be kept here: \(reason)"
        case .unusableTokens(let reason):
            "the tokens that the run keeps cannot be used: \(reason); \(Self.tokenRemedy)"
        case .damagedTokens:
            "what the run keeps of its data is damaged; \(Self.tokenRemedy)"
        case .changed:
            "the data are no longer those that the run was started on; give it back what it had, or start a new run"
        case .noRows: "there are no rows"
        case .noUsableRows(let report): "no row can be used: \(report)"
        case .emptyPart(let heldOut, let count):
            "holding out a share of \(heldOut.share) of \(count) rows leaves none "
                + (heldOut.part == .training ? "to train on; hold out less" : "to evaluate on; hold out more")
        case .outsideMixture(let count):
            "its weight is so small that the mixture of \(count) rows has none of it; raise the weight or leave it out"
        default: rowSentence
        }
    }

    private var directorySentence: String {
        switch self {
        case .noSplit(let split, let present):
            "there is no split \(quoted(split)) in the directory; its splits are \(listed(present))"
                + suggestion(for: split, among: present)
        case .severalSplits(let splits, let stray):
            "the directory holds the splits \(listed(splits))"
                + (stray.map { " and \(quoted($0)), which is of none" } ?? "")
                + "; name one behind a colon, as in PATH:\(splits.first { $0.hasPrefix("train") } ?? splits.first ?? "")"
        case .severalFolders(let folders, let split):
            (split.map { "the split \(quoted($0)) lies" } ?? "the data files lie")
                + " in the folders \(listed(folders.map { $0.isEmpty ? "." : $0 })), as several data sets or copies of one do;"
                + " name the folders or files that are meant instead of the whole directory"
        case .severalKinds(let first, let second):
            "the directory holds Parquet files beside others (\(quoted(first)), \(quoted(second))), perhaps the same rows twice;"
                + " name the files that are meant"
        case .oneFileTwice(let first, let second):
            "\(quoted(first)) and \(quoted(second)) are one file, whose rows would be read twice; name the one that is meant"
        case .oneShardTwice(let first, let second):
            "\(quoted(first)) and \(quoted(second)) have the same number, perhaps the same rows twice; name the files that are meant"
        case .missingShards(let name, let found, let count):
            "of the \(count) files that \(quoted(name)) is one of, \(found) \(found == 1 ? "is" : "are") there;"
                + " get the others, or name the files that are meant"
        default: ""
        }
    }

    private var rowSentence: String {
        switch self {
        case .notJSON(let reason): "the row is not valid JSON: \(reason)"
        case .notAnObject(let found): "a row must be a JSON object, and this one is \(found)"
        case .missingKey(let key, let present):
            "the row has no \(quoted(key)); its keys are \(listed(present))" + suggestion(for: key, among: present)
        case .unknownForm(let expected, let present):
            "the row has none of the forms \(expected); its keys are \(listed(present))"
        case .wrongKind(let key, let expected, let found): "\(quoted(key)) must be \(expected), and is \(found)"
        case .outsideVocabulary(let id, let key, let size):
            "\(quoted(key)) holds the id \(id), and the model's ids are 0 to \(size - 1)"
        case .inconsistent(let sentence), .cannotRender(let sentence): sentence
        default: ""
        }
    }

    private func listed(_ keys: [String]) -> String {
        let shown = keys.prefix(12).map(quoted).joined(separator: ", ")
        return keys.isEmpty ? "none" : keys.count > 12 ? shown + ", …" : shown
    }

    private func suggestion(for key: String, among present: [String]) -> String {
        let distances = present.filter { $0.utf8.count <= 64 }.map { ($0, editDistance(key, $0)) }
        guard let (nearest, distance) = distances.min(by: { $0.1 < $1.1 }), distance <= max(1, key.count / 2) else {
            return ""
        }
        return "; did you mean \(quoted(nearest))?"
    }
}

/// The number of letters to insert, remove or replace to get from one word to another.
private func editDistance(_ first: String, _ second: String) -> Int {
    let second = Array(second)
    var distances = Array(0...second.count)
    for (row, letter) in first.enumerated() {
        var diagonal = distances[0]
        distances[0] = row + 1
        for (column, other) in second.enumerated() {
            let replaced = diagonal + (letter == other ? 0 : 1)
            diagonal = distances[column + 1]
            distances[column + 1] = min(replaced, distances[column] + 1, diagonal + 1)
        }
    }
    return distances[second.count]
}

/// A text from a file as it may stand in a sentence: quoted, on one line, and of bounded length.
func quoted(_ text: String) -> String {
    let limit = 80
    let isLong = text.unicodeScalars.count > limit
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit))).debugDescription + (isLong ? "…" : "")
}
