/// What a prompt says: who asks, about which thing, and what the thing is like.
public struct Scene: Hashable, Sendable {
    /// One attribute of the thing.
    public struct Attribute: Hashable, Sendable {
        /// The name of the kind, such as "size".
        public let kind: String
        /// The value, such as "tall".
        public let value: String
    }

    /// The name of the one who asks.
    public let asker: String
    /// The thing to be described.
    public let thing: String
    /// What is true of the thing, in the prompt's order, at most one of each kind.
    public let attributes: [Attribute]

    /// The words of every prompt, its slots aside.
    static let frame = ["i", "am", "describe", "the"]

    /// Draws a scene; the attributes are of different kinds.
    ///
    /// - Precondition: the counts lie between one and the number of kinds.
    public init(attributeCount: ClosedRange<Int>, using random: inout WorldRandom) {
        precondition(
            attributeCount.lowerBound >= 1 && attributeCount.upperBound <= Vocabulary.kinds.count,
            "a prompt names between 1 and \(Vocabulary.kinds.count) attributes"
        )
        asker = random.element(of: Vocabulary.names)
        thing = random.element(of: Vocabulary.things)
        let count = attributeCount.lowerBound + random.index(below: attributeCount.count)
        attributes = random.shuffled(Vocabulary.kinds).prefix(count).map { kind in
            Attribute(kind: kind.name, value: random.element(of: kind.values))
        }
    }

    /// How many different prompts there are whose number of attributes lies within bounds; every kind has equally many values.
    static func count(attributeCount: ClosedRange<Int>) -> Int {
        let kinds = Vocabulary.kinds
        return attributeCount.reduce(0) { total, count in
            let orders = (0..<count).reduce(1) { $0 * (kinds.count - $1) * kinds[$1].values.count }
            return total + Vocabulary.names.count * Vocabulary.things.count * orders
        }
    }

    /// Reads a prompt of this world.
    ///
    /// - Throws: `PocketWorldError.notAPrompt` for any text that `prompt` does not write.
    public init(prompt: String) throws(PocketWorldError) {
        let words = Words.of(prompt)
        // i am NAME . describe the THING : VALUE , VALUE .
        guard words.count >= 10, words.count % 2 == 0, Vocabulary.nameSet.contains(words[2]),
            Vocabulary.thingSet.contains(words[6])
        else { throw .notAPrompt(prompt) }
        asker = words[2]
        thing = words[6]
        var attributes: [Attribute] = []
        for value in stride(from: 8, to: words.count, by: 2).map({ words[$0] }) {
            guard let kind = Vocabulary.kindOfValue[value] else { throw .notAPrompt(prompt) }
            attributes.append(Attribute(kind: Vocabulary.kinds[kind].name, value: value))
        }
        self.attributes = attributes
        guard promptWords == words, Set(attributes.map(\.kind)).count == attributes.count
        else { throw .notAPrompt(prompt) }
    }

    /// The prompt: "i am ann . describe the ring : tall , free , rome ."
    public var prompt: String { promptWords.joined(separator: " ") }

    private var promptWords: [String] {
        ["i", "am", asker, ".", "describe", "the", thing, ":"]
            + attributes.map { [$0.value] }.joined(separator: [","]) + ["."]
    }

    /// The value of a kind, or `nil` where the prompt says nothing of that kind.
    public func value(ofKind kind: String) -> String? { attributes.first { $0.kind == kind }?.value }
}
