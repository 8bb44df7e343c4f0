/// The words of a response between two separators (".", "," or "and"), and which phrase they are.
struct Clause {
    /// The phrase, or `nil` where the words are none.
    let phrase: Phrase?
    /// The position of the clause's first word or, where it has none, of the separator that ends it.
    let place: Int
    /// The name, kind and value that the phrase holds, with their positions.
    private(set) var name: (word: String, place: Int)?
    private(set) var kind: (word: String, place: Int)?
    private(set) var value: (word: String, place: Int)?

    /// The clauses of a response; the last one needs no separator.
    static func all(in words: [String]) -> [Clause] {
        var clauses: [Clause] = []
        var start = 0
        for (position, word) in words.enumerated() where word == "." || word == "," || word == "and" {
            clauses.append(Clause(words[start..<position]))
            start = position + 1
        }
        if start < words.count { clauses.append(Clause(words[start...])) }
        return clauses
    }

    private init(_ words: ArraySlice<String>) {
        place = words.startIndex
        let candidate = words.first.flatMap { Phrase.byFirstWord[$0] }
        let isKnown = candidate?.forms.contains { form in
            form.count == words.count && zip(form, words).allSatisfy(Self.matches)
        }
        phrase = isKnown == true ? candidate : nil
        for (position, word) in zip(words.indices, words) where phrase != nil {
            // No word of one slot can stand for a word of another, or for a fixed word of a form.
            if Vocabulary.nameSet.contains(word) { name = (word, position) }
            if Vocabulary.kindOfName[word] != nil { kind = (word, position) }
            if Vocabulary.kindOfValue[word] != nil { value = (word, position) }
        }
    }

    private static func matches(expected: String, found: String) -> Bool {
        switch expected {
        case Phrase.Slot.name: Vocabulary.nameSet.contains(found)
        case Phrase.Slot.kind: Vocabulary.kindOfName[found] != nil
        case Phrase.Slot.value: Vocabulary.kindOfValue[found] != nil
        default: expected == found
        }
    }
}
