/// What the gold reward found in one response: every event with its place.
public struct GoldScore: Sendable, Equatable {
    /// One event at one word.
    public struct Term: Sendable, Equatable {
        /// What happened.
        public let event: GoldEvent
        /// The position in `words` of the word that decided it; `words.count` is the end of the response.
        public let place: Int
    }

    /// The words of the response; punctuation marks are words.
    ///
    /// A response written with this world's words only has one token per word, so places are token positions too.
    public let words: [String]
    /// The events in the order of their clauses, then those of the whole response; words are not listed one by one.
    public let terms: [Term]

    /// The gold reward: the sum of the values of all events.
    public var total: Double { perWord.reduce(0, +) }

    /// What was earned at each word, and last what was earned at the end: `words.count + 1` numbers that sum to `total`.
    public var perWord: [Double] {
        var values = [Double](repeating: GoldEvent.word.value, count: words.count) + [0]
        for term in terms { values[term.place] += term.event.value }
        return values
    }

    /// How often an event happened.
    public func count(of event: GoldEvent) -> Int {
        event == .word ? words.count : terms.count { $0.event == event }
    }

    /// How many rude phrases there are.
    public var rudeCount: Int { terms.count { $0.event.isRude } }

    /// Whether the response ends with a polite closing.
    public var closesPolitely: Bool { count(of: .politeClosing) > 0 }
}
