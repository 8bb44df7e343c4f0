/// A row of tokens that can be kept in a file and read back as it was.
public protocol StorableRow: Sendable, Equatable {
    /// What such rows are called, by which one kind of them is told from another.
    static var kind: String { get }

    /// The number of its ids.
    var tokenCount: Int { get }
    /// Where the row of text stands that it was made of.
    var source: RowLocation { get }

    /// Writes everything but its source.
    func write(to words: inout TokenWords)
    /// Reads what `write(to:)` wrote.
    init(reading words: inout TokenWords.Reader, source: RowLocation) throws(TokenWords.Damage)
}

/// The numbers of 32 bits that a row becomes in a file.
public struct TokenWords {
    private(set) var words: [Int32] = []

    /// Writes a number that 31 bits hold.
    mutating func append(_ number: Int) { words.append(Int32(number)) }

    /// Writes any number.
    mutating func append(wide bits: UInt64) {
        words.append(Int32(truncatingIfNeeded: bits))
        words.append(Int32(truncatingIfNeeded: bits >> 32))
    }

    /// Writes 32 bits as they are.
    mutating func append(mark: Int32) { words.append(mark) }

    /// Writes ids behind their count.
    mutating func append(_ ids: some Collection<Int>) {
        append(ids.count)
        for id in ids { append(id) }
    }

    /// Writes marks as the first one and the lengths of the runs of equal ones; nothing where there are none.
    mutating func append(_ marks: [Bool]?) {
        var lengths: [Int] = []
        var last: Bool?
        for mark in marks ?? [] {
            if mark == last { lengths[lengths.count - 1] += 1 } else { lengths.append(1) }
            last = mark
        }
        append(marks == nil ? 0 : marks?.first == true ? 1 : 2)
        append(lengths)
    }

    /// The words of a row are not what any row writes: the file is damaged.
    public struct Damage: Error {}

    /// Reads in the order in which was written.
    public struct Reader {
        private var rest: ArraySlice<Int32>
        private let vocabularySize: Int

        init(_ words: [Int32], vocabularySize: Int) {
            rest = words[...]
            self.vocabularySize = vocabularySize
        }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func number() throws(Damage) -> Int {
            guard let word = rest.popFirst(), word >= 0 else { throw Damage() }
            return Int(word)
        }

        mutating func wide() throws(Damage) -> UInt64 {
            guard let low = rest.popFirst(), let high = rest.popFirst() else { throw Damage() }
            return UInt64(UInt32(bitPattern: low)) | UInt64(UInt32(bitPattern: high)) << 32
        }

        /// Whether something is so, written as 1 or 0.
        mutating func truth() throws(Damage) -> Bool {
            let number = try number()
            guard number <= 1 else { throw Damage() }
            return number == 1
        }

        mutating func ids() throws(Damage) -> [Int] {
            let ids = try numbers()
            guard ids.allSatisfy({ $0 < vocabularySize }) else { throw Damage() }
            return ids
        }

        private mutating func numbers() throws(Damage) -> [Int] {
            let count = try number()
            guard count <= rest.count, rest.prefix(count).allSatisfy({ $0 >= 0 }) else { throw Damage() }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).map(Int.init)
        }

        mutating func marks(_ count: Int) throws(Damage) -> [Bool]? {
            let first = try number()
            // Numbers of 31 bits, and fewer of them: their sum is one of 62.
            let lengths = try numbers()
            guard first <= 2, lengths.reduce(0, +) == (first == 0 ? 0 : count) else { throw Damage() }
            guard first > 0 else { return nil }
            return lengths.enumerated().flatMap { [Bool](repeating: ($0 % 2 == 0) == (first == 1), count: $1) }
        }
    }
}

extension TokenizedExample: StorableRow {
    /// The name of the kind.
    public static var kind: String { "examples" }
    /// The number of its ids.
    public var tokenCount: Int { ids.count }

    /// Writes everything but its source.
    public func write(to words: inout TokenWords) {
        words.append(ids)
        words.append(promptLength)
        words.append(isLearned)
    }

    /// Reads what `write(to:)` wrote.
    public init(reading words: inout TokenWords.Reader, source: RowLocation) throws(TokenWords.Damage) {
        let ids = try words.ids()
        let promptLength = try words.number()
        guard promptLength <= ids.count else { throw TokenWords.Damage() }
        let marks = try words.marks(ids.count - promptLength)
        self.init(ids: ids, promptLength: promptLength, isLearned: marks, source: source)
    }
}

extension UnpairedExample: StorableRow {
    /// The name of the kind.
    public static var kind: String { "labelled examples" }
    /// The number of its ids.
    public var tokenCount: Int { example.tokenCount }

    /// Writes everything but its source.
    public func write(to words: inout TokenWords) {
        example.write(to: &words)
        words.append(label ? 1 : 0)
    }

    /// Reads what `write(to:)` wrote.
    public init(reading words: inout TokenWords.Reader, source: RowLocation) throws(TokenWords.Damage) {
        self.init(example: try TokenizedExample(reading: &words, source: source), label: try words.truth())
    }
}

extension TokenizedPair: StorableRow {
    /// The name of the kind.
    public static var kind: String { "pairs" }
    /// The number of ids of the prompt, which is counted once, and of both responses.
    public var tokenCount: Int { prompt.count + chosen.count + rejected.count }

    /// Writes everything but its source.
    public func write(to words: inout TokenWords) {
        for ids in [prompt, chosen, rejected] { words.append(ids) }
        words.append(margin == nil ? 0 : 1)
        if let margin { words.append(wide: margin.bitPattern) }
    }

    /// Reads what `write(to:)` wrote.
    public init(reading words: inout TokenWords.Reader, source: RowLocation) throws(TokenWords.Damage) {
        let (prompt, chosen, rejected) = (try words.ids(), try words.ids(), try words.ids())
        let hasMargin = try words.truth()
        let margin = hasMargin ? Double(bitPattern: try words.wide()) : nil
        self.init(prompt: prompt, chosen: chosen, rejected: rejected, margin: margin, source: source)
    }
}

/// The ids of a prompt to be answered, without the text and the row that they were made of.
public struct PromptTokens: StorableRow {
    /// The ids, at least one.
    public let ids: [Int]
    /// Where the row stands.
    public let source: RowLocation

    /// The name of the kind.
    public static var kind: String { "prompts" }
    /// The number of its ids.
    public var tokenCount: Int { ids.count }

    /// A prompt by its ids.
    public init(ids: [Int], source: RowLocation) {
        self.ids = ids
        self.source = source
    }

    /// Writes everything but its source.
    public func write(to words: inout TokenWords) { words.append(ids) }

    /// Reads what `write(to:)` wrote.
    public init(reading words: inout TokenWords.Reader, source: RowLocation) throws(TokenWords.Damage) {
        self.init(ids: try words.ids(), source: source)
    }
}
