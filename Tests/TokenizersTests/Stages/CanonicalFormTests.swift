import Testing

@testable import Tokenizers

@Suite("Canonical forms")
struct CanonicalFormTests {
    @Test(
        "characters compose and decompose by Unicode's rules",
        arguments: [
            // Text, composed, decomposed.
            ("abc", "abc", "abc"),
            ("e\u{301}", "\u{E9}", "e\u{301}"),
            ("\u{1EBF}", "\u{1EBF}", "e\u{302}\u{301}"),
            ("e\u{301}\u{302}", "\u{E9}\u{302}", "e\u{301}\u{302}"),
            // Marks of different classes are sorted, those of one class block each other.
            ("a\u{301}\u{323}", "\u{1EA1}\u{301}", "a\u{323}\u{301}"),
            ("a\u{328}\u{301}", "\u{105}\u{301}", "a\u{328}\u{301}"),
            // Singletons and excluded compositions only decompose.
            ("\u{212B}", "\u{C5}", "A\u{30A}"),
            ("\u{958}", "\u{915}\u{93C}", "\u{915}\u{93C}"),
            // Korean, by letters, in part and whole.
            ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}", "\u{1112}\u{1161}\u{11AB}"),
            ("\u{D558}\u{11AB}", "\u{D55C}", "\u{1112}\u{1161}\u{11AB}"),
            ("\u{D55C}\u{11AB}", "\u{D55C}\u{11AB}", "\u{1112}\u{1161}\u{11AB}\u{11AB}"),
            // Beyond the basic plane.
            ("\u{11099}\u{110BA}", "\u{1109A}", "\u{11099}\u{110BA}"),
            ("\u{11F61}\u{301}", "\u{11F61}\u{301}", "\u{11F61}\u{301}"),
            // A vowel sign whose parts are sorted before the mark in front of it.
            ("\u{324}\u{F73}", "\u{F71}\u{F72}\u{324}", "\u{F71}\u{F72}\u{324}"),
            // A mark younger than the library's tables stays where it is.
            ("\u{1E134}\u{20E6}", "\u{1E134}\u{20E6}", "\u{1E134}\u{20E6}"),
        ]
    )
    func forms(text: String, composed: String, decomposed: String) {
        #expect(CanonicalForm.shared.composed(text) == Array(composed.unicodeScalars))
        #expect(CanonicalForm.shared.decomposed(text) == Array(decomposed.unicodeScalars))
    }
}
