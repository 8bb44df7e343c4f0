/// The words of the pocket world: what a thing can be, what it can be called, and what can be said about it.
///
/// Every value belongs to exactly one kind, so "the size is tall" can be checked against a prompt by looking for "tall".
public enum Vocabulary {
    /// The kinds of attributes, in a fixed order, each with its values.
    public static let kinds: [(name: String, values: [String])] = [
        ("colour", ["red", "blue", "green", "white", "black", "yellow"]),
        ("size", ["tall", "small", "huge", "tiny", "wide", "narrow"]),
        ("age", ["new", "old", "ancient", "modern", "recent", "antique"]),
        ("material", ["iron", "wooden", "glass", "rubber", "stone", "paper"]),
        ("price", ["free", "cheap", "costly", "fair", "steep", "modest"]),
        ("place", ["rome", "paris", "oslo", "cairo", "lima", "delhi"]),
        ("shape", ["round", "square", "flat", "curved", "oval", "hollow"]),
        ("sound", ["loud", "silent", "shrill", "dull", "soft", "noisy"]),
        ("smell", ["sweet", "smoky", "sour", "fresh", "musty", "spicy"]),
        ("speed", ["fast", "slow", "swift", "lazy", "brisk", "steady"]),
    ]

    /// The things that are described.
    public static let things = [
        "ring", "boat", "lamp", "chair", "clock", "bell", "knife", "drum", "bottle", "basket", "ladder", "wheel",
        "mirror", "pillow", "kettle", "bridge", "statue", "wagon", "candle", "violin", "helmet", "carpet", "anchor",
        "whistle",
    ]

    /// The names of those who ask.
    public static let names = [
        "ann", "ben", "carl", "dora", "emma", "fred", "gina", "hugo", "ida", "jack", "kate", "leo", "mary", "nora",
        "otto", "paul",
    ]

    /// All words, each once, in the order of their ids: marks first, then what phrases need, then names and values.
    public static let words: [String] = {
        var seen: Set<String> = []
        let phrases = Phrase.allCases.flatMap(\.forms).joined()
        let all =
            [".", ",", ":", "and"] + Scene.frame + phrases + things + names + kinds.flatMap { [$0.name] + $0.values }
        return all.filter { !$0.hasPrefix("{") && seen.insert($0).inserted }
    }()

    /// The position in `kinds` of every kind's name.
    static let kindOfName: [String: Int] = Dictionary(
        uniqueKeysWithValues: kinds.enumerated().map { ($1.name, $0) }
    )

    /// The position in `kinds` of the kind that every value belongs to.
    static let kindOfValue: [String: Int] = Dictionary(
        uniqueKeysWithValues: kinds.enumerated().flatMap { position, kind in kind.values.map { ($0, position) } }
    )

    /// All names, for looking up.
    static let nameSet = Set(names)

    /// All things, for looking up.
    static let thingSet = Set(things)
}
