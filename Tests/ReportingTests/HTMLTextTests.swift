import Testing

@testable import Reporting

@Suite("Texts in pages")
struct HTMLTextTests {
    @Test(
        "a text is shown as it is and never obeyed",
        arguments: [
            ("</script><b>&amp;", "&lt;/script&gt;&lt;b&gt;&amp;amp;"), (#""'"#, "&quot;&#39;"), ("a\tb\nc", "a\tb\nc"),
            ("\u{0}\u{1B}\r\u{7F}\u{85}", "␀␛␍␡\u{FFFD}"), ("\u{FFFE}\u{1FFFF}\u{9F}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("e\u{301}👩‍👩‍👧 שלום", "e\u{301}👩‍👩‍👧 שלום"), ("", ""),
        ]
    )
    func escaped(text: String, shown: String) { #expect(HTMLText.escaped(text) == shown) }

    @Test("the beginning of a long text says how much follows") func beginning() {
        #expect(HTMLText.beginning(of: "abc", limit: 3) == "abc")
        #expect(
            HTMLText.beginning(of: "<bc", limit: 1)
                == "&lt;<span class=\"more\">… 2 more characters are left out</span>"
        )
        let long = String(repeating: "x", count: 1_000_000)
        #expect(HTMLText.beginning(of: long, limit: 10).hasSuffix("… 999,990 more characters are left out</span>"))
    }

    @Test(
        "numbers",
        arguments: [
            (0.12345, "0.1235"), (-0.5, "−0.5"), (12_345.6, "12,346"), (5e-7, "5e-7"), (-2.5e-9, "−2.5e-9"), (0, "0"),
            (-0.0, "0"),
            (1e15, "1e15"), (.nan, "not finite"), (-.infinity, "−∞"), (1, "1"), (999.96, "1000"),
        ] as [(Double, String)]
    )
    func numbers(value: Double, text: String) { #expect(RunNumber.text(value) == text) }

    @Test("durations", arguments: [(1.25, "1.2 s"), (75, "1 min 15 s"), (3725, "1 h 02 min"), (.nan, "–")])
    func durations(seconds: Double, text: String) { #expect(RunNumber.duration(seconds) == text) }

    @Test("a page allows no script and names its writer, by which it is known") func page() {
        let text = HTMLPage(title: "<t>", generator: "rto x", body: "<p>b</p>").text
        #expect(text.hasPrefix(HTMLPage.beginning("rto x")) && text.contains("default-src 'none'"))
        #expect(text.contains("<title>&lt;t&gt;</title>") && text.contains("prefers-color-scheme") == false)
        #expect(!text.contains("http:") && !text.contains("https:") && !text.contains("<script"))
    }
}
