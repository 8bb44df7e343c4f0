/// Which rows are read, and how they become tokens.
public struct DataSettings: Equatable, Sendable {
    /// The files or directories to train on, each with its share of the mixture.
    public var sources: [DataSource] = []
    /// The files or directories to evaluate on; empty for no evaluation.
    public var evaluation: [String] = []
    /// The share of the prompts of ``sources`` that is kept from training and evaluated on; `nil` trains on all.
    public var evaluationShare: Double?
    /// The most tokens of a whole sequence; `nil` (PPO and RTO only) leaves it to the limits of prompt and response.
    public var maxLength: Int? = 2048
    /// A file whose chat template is used instead of the model's own.
    public var chatTemplate: String?
    /// What a prompt of plain text is put into, at `{}`, instead of the model's chat template.
    public var inputTemplate: String?
    /// The column of the prompt; `nil` recognises it by the row's shape, as for all columns here.
    public var promptKey: String?
    /// The column of the preferred response.
    public var chosenKey: String?
    /// The column of the other response.
    public var rejectedKey: String?
    /// The column of an instruction in plain text.
    public var inputKey: String?
    /// The column of the answer to it.
    public var outputKey: String?
    /// The column that says whether a response is a good one (KTO).
    public var labelKey: String?
    /// Count and report rows that cannot be read, instead of stopping at the first one.
    public var skipBadRows = false
    /// Keep the rows in the order of the files.
    public var keepsOrder = false

    /// Creates the defaults.
    public init() {}

    /// ``sources`` of a command that takes every row, without weights.
    var paths: [String] {
        get { sources.map(\.path) }
        set { sources = newValue.map { DataSource(path: $0) } }
    }

    /// The text of the ``chatTemplate`` file; nothing where none is named.
    ///
    /// - Throws: ``ConfigurationError`` where the file cannot be read.
    public func chatTemplateText() throws(ConfigurationError) -> String? {
        guard let chatTemplate else { return nil }
        return try textFile(chatTemplate)
    }
}

/// One file or directory of a data mixture: `path` or `path@weight`.
public struct DataSource: Equatable, Sendable {
    /// The file, or the directory, of several splits one behind a colon.
    public var path: String
    /// Its share of the mixture relative to the other sources' shares; `nil` beside sources with a share counts as 1, and takes
    /// every row where none has one.
    public var weight: Double?

    /// Creates a source, with its share if it has one.
    public init(path: String, weight: Double? = nil) {
        self.path = path
        self.weight = weight
    }
}

extension DataSource: SettingConvertible {
    /// Reads `path` or `path@weight`; an `@` that no number follows belongs to the path, and so does a commit's whole hash behind it.
    public init(settingText text: String) throws(ValueProblem) {
        guard !text.isEmpty else { throw .wrong(expected: Self.noun) }
        guard let mark = text.lastIndex(of: "@"), let weight = Double(text[text.index(after: mark)...]),
            !Self.isCommit(text[text.index(after: mark)...])
        else {
            self.init(path: text)
            return
        }
        guard mark > text.startIndex, weight.isFinite, weight > 0 else {
            throw .wrong(expected: "path or path@weight with a weight more than 0")
        }
        self.init(path: String(text[..<mark]), weight: weight)
    }

    /// Whether a text is a commit's hash, which could be all digits.
    private static func isCommit(_ text: Substring) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    /// `path` or `path@weight`.
    public var settingText: String {
        path + (weight.map { "@" + $0.settingText } ?? "")
    }

    /// The path without the weight.
    public var inputPath: String { path }
    /// Another path with the same weight.
    public func replacingInputPath(_ path: String) -> DataSource { DataSource(path: path, weight: weight) }
    /// What an error says is wanted.
    public static var noun: String { "a path" }
    /// What help shows in the place of a value.
    public static var placeholder: String { "path[:split][@weight]" }
}
