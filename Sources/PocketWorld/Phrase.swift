/// What a clause of a response does; each phrase has one or more fixed forms with slots for a name, a kind or a value.
///
/// A clause is the words before a ".", a "," or an "and". Forms of different phrases differ in their first word, so that the
/// choice between phrases is made at one word.
enum Phrase: String, CaseIterable, Sendable {
    case politeOpening, rudeOpening, fact, niceRemark, hedge, rudeRemark, politeClosing, rudeClosing

    /// A word of a form that the speaker fills in.
    enum Slot {
        static let name = "{name}"
        static let kind = "{kind}"
        static let value = "{value}"
    }

    /// The forms, each as its words.
    var forms: [[String]] { Self.table[self, default: []] }

    /// The phrase that a clause beginning with a word must be, if it is any.
    static let byFirstWord: [String: Phrase] = Dictionary(
        allCases.flatMap { phrase in phrase.forms.compactMap { form in form.first.map { ($0, phrase) } } },
        uniquingKeysWith: { first, _ in first }
    )

    private static let table: [Phrase: [[String]]] = [
        .politeOpening: forms("dear {name}", "hello {name}"),
        .rudeOpening: forms("listen {name}", "oh no {name}"),
        .fact: forms(
            "the {kind} is {value}",
            "its {kind} is {value}",
            "i think the {kind} is {value}",
            "as for the {kind} it is {value}"
        ),
        .niceRemark: forms("that is great", "how lovely"),
        .hedge: forms("or so they say"),
        .rudeRemark: forms("what a waste", "too bad"),
        .politeClosing: forms("kind regards", "have a nice day", "hope this helps"),
        .rudeClosing: forms("now go away", "leave me alone"),
    ]

    private static func forms(_ texts: String...) -> [[String]] {
        texts.map { $0.split(separator: " ").map(String.init) }
    }
}

extension Phrase {
    /// The words of one of the forms, its slots filled in.
    func words(name: String = "", kind: String = "", value: String = "", using random: inout WorldRandom) -> [String] {
        Self.fill(random.element(of: forms), name: name, kind: kind, value: value)
    }

    /// The words of a form, its slots filled in.
    static func fill(_ form: [String], name: String = "", kind: String = "", value: String = "") -> [String] {
        form.map { word in
            switch word {
            case Slot.name: name
            case Slot.kind: kind
            case Slot.value: value
            default: word
            }
        }
    }
}
