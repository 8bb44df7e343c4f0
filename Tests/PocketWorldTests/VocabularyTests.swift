import Testing

@testable import PocketWorld

@Suite("The world's vocabulary")
struct VocabularyTests {
    @Test("has some hundred lowercase words, each once")
    func words() {
        let words = Vocabulary.words
        #expect(words.count > 100 && words.count < 300)
        #expect(Set(words).count == words.count)
        let marks = [".", ",", ":"]
        #expect(words.allSatisfy { marks.contains($0) || $0.allSatisfy { ("a"..."z").contains($0) } })
    }

    @Test("gives every word one role, so that a word alone tells what it is")
    func roles() {
        let fixed = Set(Phrase.allCases.flatMap(\.forms).joined()).union(Scene.frame).union([".", ",", ":", "and"])
        let lists =
            [Vocabulary.things, Vocabulary.names, Vocabulary.kinds.map(\.name), Array(fixed)]
            + Vocabulary.kinds.map(\.values)
        let all = lists.flatMap { $0 }
        #expect(Set(all).count == all.count)
        #expect(Set(Vocabulary.kinds.map(\.values.count)).count == 1)
    }

    @Test("lets the first word of a clause decide which phrase it is")
    func firstWords() {
        let firstWords = Phrase.allCases.map { phrase in Set(phrase.forms.compactMap(\.first)) }
        #expect(Set(firstWords.joined()).count == firstWords.map(\.count).reduce(0, +))
        #expect(Phrase.allCases.allSatisfy { !$0.forms.isEmpty })
    }
}
