import Foundation

/// The page of some runs: curves, tables, samples and token credit, in one HTML file.
public struct RunReport: Sendable {
    let runs: [RunRecord]
    /// What the runs are called: the end of their paths that tells them apart.
    let names: [String]
    private let written: Date
    private let version: String

    /// What a page names as its writer, and by which it may be replaced.
    public static let generator = "rto report"
    /// The most metrics that are drawn.
    static let chartLimit = 80

    /// Reads the runs.
    ///
    /// - Parameters:
    ///   - paths: The run directories, in the order in which they are shown.
    ///   - version: That of the program.
    ///   - written: When the page is made.
    ///   - snapshot: The folder of a model on a hub, by its name, where it is on this machine.
    /// - Throws: an error of one sentence for a directory that is no run, has no metrics yet, or whose recipe or metrics are damaged.
    public init(
        paths: [String],
        version: String,
        written: Date = Date(),
        snapshot: (_ name: String) -> URL? = { _ in nil }
    ) throws {
        let bounds = RunRecord.Bounds(runCount: paths.count)
        let runs = try paths.map { try RunRecord(path: $0, bounds: bounds, snapshot: snapshot) }
        self.init(runs: runs, version: version, written: written)
    }

    init(runs: [RunRecord], version: String, written: Date) {
        (self.runs, self.version, self.written) = (runs, version, written)
        names = Self.names(runs.map(\.url))
    }

    /// Whether a file may be replaced by a page, since it is one.
    public static func isReport(_ url: URL) -> Bool {
        let beginning = Data(HTMLPage.beginning(generator).utf8)
        return (try? RegularFile.bytes(of: url, limit: beginning.count)) == beginning
    }

    /// As many parts of the paths, from their ends, as tell them apart.
    static func names(_ urls: [URL]) -> [String] {
        let parts = urls.map { $0.standardizedFileURL.pathComponents.filter { $0 != "/" } }
        let longest = parts.map(\.count).max() ?? 0
        for count in 1...max(1, longest) {
            let names = parts.map { $0.suffix(count).joined(separator: "/") }
            if Set(names).count == names.count { return names.map { $0.isEmpty ? "/" : $0 } }
        }
        return parts.map { $0.joined(separator: "/") }
    }

    /// The page.
    public var html: String {
        let sections = [overview, differences] + charts + [samples, credit, recipes]
        let shown = sections.compactMap(\.self)
        let links = shown.enumerated().map { index, section in
            "<a href=\"#s\(index)\">\(HTMLText.escaped(section.title))</a>"
        }
        let body = shown.enumerated().map { index, section in
            "<section id=\"s\(index)\"><h2>\(HTMLText.escaped(section.title))</h2>\n\(section.body)</section>"
        }
        let title = runs.count == 1 ? names[0] : "\(runs.count) runs"
        return HTMLPage(
            title: title + " – rto report",
            generator: Self.generator,
            style: Self.style,
            body: "<p class=\"note\">\(time(written)), rto \(HTMLText.escaped(version))</p>\n"
                + "<nav>\(links.joined(separator: " "))</nav>\n" + body.joined(separator: "\n")
        ).text
    }

    /// A part of the page with its heading; the body is markup.
    struct Section {
        let title: String
        let body: String
    }

    /// A moment in the time of the meridian.
    func time(_ date: Date) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "yyyy-MM-dd HH:mm 'UTC'"
        return format.string(from: date)
    }

    /// The run's name with the colour of its lines.
    func heading(_ number: Int) -> String {
        let key = runs.count > 1 ? "<span class=\"key \(LineChart.classes(number))\"></span>" : ""
        return key + HTMLText.end(of: names[number], limit: 80)
    }

    /// All settings of each run, folded away.
    private var recipes: Section? {
        let texts = runs.indices.map { number -> String in
            let text = HTMLText.beginning(of: runs[number].recipeText, limit: max(1000, 30_000 / runs.count))
            return "<details><summary>\(heading(number))</summary>\(HTMLText.preformatted(text))</details>"
        }
        return Section(title: runs.count == 1 ? "Recipe" : "Recipes", body: texts.joined(separator: "\n"))
    }

    private static let colours = (
        light: ["#0068b3", "#c8471b", "#1b8f5a", "#9a4fb5", "#8a6a00", "#c2357f", "#2b8fa3", "#5c6470"],
        dark: ["#5db3f5", "#ff8e63", "#4fcf93", "#cf92e8", "#e0b93a", "#ff7fbb", "#63cbe0", "#aab4c0"]
    )

    private static var style: String {
        func variables(_ colours: [String]) -> String {
            colours.enumerated().map { "--c\($0):\($1)" }.joined(separator: ";")
        }
        let classes = colours.light.indices.map { ".c\($0){--c:var(--c\($0))}" }.joined()
        return """
            :root{\(variables(colours.light));--paid:0,130,70;--charged:200,40,30}
            @media(prefers-color-scheme:dark){:root{\(variables(colours.dark));--paid:70,210,130;--charged:255,110,90}}
            \(classes)
            body{max-width:84rem}nav{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem}nav a{color:inherit}
            .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:1.2rem}
            figure{margin:0;min-width:0}figcaption{font-weight:600;overflow-wrap:anywhere}
            .legend,.note{font-size:.85rem;opacity:.85;margin:.3rem 0;overflow-wrap:anywhere}.more{opacity:.7}
            .key{display:inline-block;width:.9em;height:.9em;margin:0 .35em 0 .6em;background:var(--c);vertical-align:-.1em}
            .key:first-child{margin-left:0}.key.dashed{background:repeating-linear-gradient(90deg,var(--c) 0 3px,transparent 3px 5px)}
            .line{fill:none;stroke:var(--c);stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
            .key.dotted{background:repeating-linear-gradient(90deg,var(--c) 0 2px,transparent 2px 4px)}
            .key.mixed{background:repeating-linear-gradient(90deg,var(--c) 0 5px,transparent 5px 7px,var(--c) 7px 8px,transparent 8px 10px)}
            .line.raw{stroke-width:1;opacity:.4}.line.dashed{stroke-dasharray:6 4}.line.dotted{stroke-dasharray:.5 4}
            .line.mixed{stroke-dasharray:9 4 .5 4}circle{fill:var(--c)}.band{fill:transparent}.band:hover{fill:var(--line)}
            h3{font-size:1rem;margin:1.2rem 0 .3rem}h4{font-size:.9rem;margin:1rem 0 .2rem}summary{cursor:pointer}
            .sample{border-left:3px solid var(--line);padding-left:.8rem;margin:.6rem 0}
            pre,.tokens{white-space:pre-wrap;overflow-wrap:anywhere;font:.9rem/1.55 ui-monospace,monospace;margin:.3rem 0}
            .prompt{opacity:.7}.best{font-weight:700}small{opacity:.75}
            .long{display:inline-block;min-width:14rem;max-width:22rem;white-space:normal;overflow-wrap:anywhere}
            .tokens i{font-style:normal;border-radius:2px;box-shadow:inset -1px 0 var(--line)}
            \((1...TokenCredit.levels).map { level in
                let share = Double(level) / Double(TokenCredit.levels) * 0.75
                let alpha = String(format: "%.2f", share)
                return ".p\(level){background:rgba(var(--paid),\(alpha))}.n\(level){background:rgba(var(--charged),\(alpha))}"
            }.joined())
            """
    }
}
