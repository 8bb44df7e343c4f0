import JSONText
import Tokenizers

/// The rows of a data set as tokens, and what became of those that are not among them.
public struct TokenizedDataset<Row: Sendable>: Sendable {
    /// The rows in the order of the sources.
    public let rows: [Row]
    /// The counts, for the user to see.
    public let report: DatasetReport
}

/// How rows are read and made into tokens.
public struct DatasetOptions: Sendable {
    /// The names of the columns.
    public var keys = DatasetKeys()
    /// A chat template to use instead of the tokenizer's.
    public var chatTemplate: String?
    /// What prompts of plain text are put into.
    public var inputTemplate: InputTemplate?
    /// The number of ids that the model has; each id of a row must be below it.
    public var vocabularySize: Int?
    /// Whether bad rows are counted and passed over, where otherwise the first one ends the reading.
    public var skipsBadRows = false
    /// Whether pairs have margins, which must be numbers where they are there.
    public var readsMargins = false
    /// What a mixture's parts are drawn from.
    public var seed: UInt64 = 0
    /// Which part of the prompts is wanted; nil is all of them.
    public var heldOut: HeldOut?

    /// Told now and then how many rows have been read.
    public var progress: (@Sendable (Int) -> Void)?

    /// Reads as rows usually are read: by their shape, each of them required to be good.
    public init() {}
}

/// Reads data files and makes tokens of their rows.
///
/// Files are read row by row, so that no more is held than the tokens and, for prompts, the rows themselves. Lengths are kept as the
/// reference keeps them: a prompt that leaves fewer than three tokens for its response is dropped with its row, and a response that does
/// not fit is cut at its end, where the end of sequence then takes the last place.
public struct DatasetReader: Sendable {
    let sources: [DatasetSource]
    let options: DatasetOptions
    let forms: RowForms
    let rowTokenizer: RowTokenizer

    /// Prepares to read; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - sources: The files and directories, in the order in which their rows come.
    ///   - tokenizer: What makes ids of text; rows of ids need none.
    ///   - options: How rows are read.
    public init(sources: [DatasetSource], tokenizer: Tokenizer?, options: DatasetOptions = DatasetOptions()) {
        self.sources = sources
        self.options = options
        forms = RowForms(keys: options.keys)
        rowTokenizer = RowTokenizer(
            tokenizer: tokenizer,
            chatTemplate: options.chatTemplate,
            inputTemplate: options.inputTemplate
        )
    }

    /// The rows as prompts to be answered, each with its whole row.
    ///
    /// - Parameter maximumLength: The most tokens of a prompt, or nil for any number; longer ones are dropped.
    /// - Throws: `DatasetError` as `rows(_:maximumLength:)` does, and for a column that no row can hold.
    public func prompts(maximumLength: Int? = nil) throws(DatasetError) -> TokenizedDataset<TokenizedPrompt> {
        try rows(of: ColumnChoice()) { (row, report) throws(DatasetError) in
            try prompt(row, maximumLength, &report)
        }
    }
}
