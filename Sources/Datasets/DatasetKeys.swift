/// The names of the columns, where rows do not use the usual ones; nil recognises a row by its shape.
public struct DatasetKeys: Sendable, Equatable {
    /// The prompt of preferences, and of any row where `input` says nothing.
    public var prompt: String?
    /// The preferred response or dialogue, by default `chosen`.
    public var chosen: String?
    /// The other response or dialogue, by default `rejected`.
    public var rejected: String?
    /// The prompt, conversation or text to learn from or to answer.
    public var input: String?
    /// The response to `input`, by default `completion`.
    public var output: String?
    /// Whether an unpaired response is a good one, by default `label`.
    public var label: String?

    /// The usual columns, but for those that are named.
    public init(
        prompt: String? = nil,
        chosen: String? = nil,
        rejected: String? = nil,
        input: String? = nil,
        output: String? = nil,
        label: String? = nil
    ) {
        self.prompt = prompt
        self.chosen = chosen
        self.rejected = rejected
        self.input = input
        self.output = output
        self.label = label
    }
}
