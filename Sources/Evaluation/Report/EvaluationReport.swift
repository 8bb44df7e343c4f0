import Foundation

/// The page of an evaluation: a table, length against win rate, and who won which question.
public struct EvaluationReport: Sendable {
    /// What the page is about.
    public var title: String
    /// What a reader must know before believing it; empty where there is nothing.
    public var caveats: [String] = []
    /// The table's first line.
    public var columns: [String]
    /// The table's other lines.
    public var rows: [[String]]
    /// The diagram.
    public var scatter: Scatter
    /// The questions, in order.
    public var questions: [Question]

    /// Points of length and win rate.
    public struct Scatter: Sendable {
        /// What the horizontal axis says.
        public var horizontal: String
        /// The points; win rates in percent.
        public var points: [(label: String, length: Double, winRate: Double)]

        /// A diagram.
        public init(horizontal: String, points: [(label: String, length: Double, winRate: Double)]) {
            (self.horizontal, self.points) = (horizontal, points)
        }
    }

    /// How one question went.
    public struct Question: Sendable {
        /// The question's beginning or name.
        public var text: String
        /// From 0, the baseline wins, to 1, the model does; nil without a verdict.
        public var outcome: Double?
        /// What is said beside it.
        public var detail: String

        /// A question.
        public init(text: String, outcome: Double?, detail: String) {
            (self.text, self.outcome, self.detail) = (text, outcome, detail)
        }
    }

    /// A page of its parts.
    public init(
        title: String,
        caveats: [String] = [],
        columns: [String],
        rows: [[String]],
        scatter: Scatter,
        questions: [Question]
    ) {
        (self.title, self.caveats, self.columns, self.rows) = (title, caveats, columns, rows)
        (self.scatter, self.questions) = (scatter, questions)
    }

    /// The win rate in ten classes of the difference in length, equally many pairs each.
    public static func scatter(preferences: [Double?], lengthDifferences: [Int]) -> Scatter {
        let known = preferences.indices.filter { preferences[$0].map(WinRate.isPreference) ?? false }
            .sorted { lengthDifferences[$0] < lengthDifferences[$1] }
        let classes = min(10, known.count)
        let points = (0..<classes).map { number in
            let members = known[known.count * number / classes..<known.count * (number + 1) / classes]
            let length = Sample.mean(members.map { Double(lengthDifferences[$0]) })
            let rate = 100 * Sample.mean(members.map { (preferences[$0] ?? 1.5) - 1 })
            return (label: "", length: length, winRate: rate)
        }
        return Scatter(horizontal: "characters that the model's answer is longer", points: points)
    }

    /// The page as one HTML file that needs nothing else.
    public var html: String {
        let counts = [questions.count { ($0.outcome ?? 0.5) > 0.5 }, questions.count { ($0.outcome ?? 0.5) < 0.5 }]
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Self.escaped(title))</title><style>\(Self.style)</style></head><body>
            <h1>\(Self.escaped(title))</h1>
            \(caveats.map { "<p class=\"caveat\">\(Self.escaped($0))</p>" }.joined(separator: "\n"))
            <div class="wide"><table><tr>\(columns.map { "<th>\(Self.escaped($0))</th>" }.joined())</tr>
            \(rows.map { "<tr>" + $0.map { "<td>\(Self.escaped($0))</td>" }.joined() + "</tr>" }.joined(separator: "\n"))
            </table></div>
            <h2>Length against win rate</h2>
            \(diagram)
            <h2>Questions: \(counts[0]) won, \(counts[1]) lost, \(questions.count - counts[0] - counts[1]) neither</h2>
            <p>Green is the model's share of each question, red the baseline's.</p>
            <ol>\(questions.map(Self.item).joined(separator: "\n"))</ol>
            </body></html>

            """
    }

    private static func item(_ question: Question) -> String {
        let (kind, share) = question.outcome.map { ($0 > 0.5 ? "won" : $0 < 0.5 ? "lost" : "tie", $0) } ?? ("none", 0)
        let percent = Int((100 * share).rounded())
        return """
            <li class="\(kind)"><span class="bar"><i style="width:\(percent)%"></i></span>\(escaped(question.text))\
            <small>\(escaped(question.detail))</small></li>
            """
    }

    /// Win rates upwards, lengths to the right.
    private var diagram: String {
        let points = scatter.points
        guard !points.isEmpty else { return "<p>There are no points.</p>" }
        let lengths = points.map(\.length)
        let (low, high) = (min(lengths.min() ?? 0, 0), max(lengths.max() ?? 0, 0))
        let span = high > low ? high - low : 1
        func x(_ length: Double) -> Double { 70 + (length - low) / span * 490 }
        func y(_ rate: Double) -> Double { 290 - rate / 100 * 270 }
        func text(_ value: Double) -> String { String(format: "%.1f", value) }
        let grid = [0.0, 25, 50, 75, 100].map { rate in
            """
            <line x1="70" x2="570" y1="\(text(y(rate)))" y2="\(text(y(rate)))"/>\
            <text x="62" y="\(text(y(rate) + 4))" text-anchor="end">\(Int(rate)) %</text>
            """
        }
        let ends = [low, high].map { length in
            "<text x=\"\(text(x(length)))\" y=\"314\" text-anchor=\"middle\">\(Int(length))</text>"
        }
        let marks = points.map { point in
            let (cx, cy) = (x(point.length), y(point.winRate))
            return """
                <circle cx="\(text(cx))" cy="\(text(cy))" r="5"><title>\(Self.escaped(point.label)) \
                \(text(point.length)): \(text(point.winRate)) %</title></circle>\
                <text x="\(text(cx + (cx > 420 ? -8 : 8)))" y="\(text(cy - 8))" text-anchor="\(cx > 420 ? "end" : "start")">\(Self.escaped(point.label))</text>
                """
        }
        return """
            <svg viewBox="0 0 600 345" role="img">\(grid.joined())\(ends.joined())
            <text x="315" y="338" text-anchor="middle">\(Self.escaped(scatter.horizontal))</text>
            \(marks.joined(separator: "\n"))</svg>
            """
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static let style = """
        :root{color-scheme:light dark;--line:#8886;--won:#2a9d5c;--lost:#c8483a}
        body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:auto;padding:1rem}
        h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
        .wide{overflow-x:auto}table{border-collapse:collapse;white-space:nowrap}
        th,td{padding:.3rem .8rem .3rem 0;text-align:right;border-bottom:1px solid var(--line)}
        th:first-child,td:first-child{text-align:left}
        .caveat{border-left:4px solid var(--lost);padding-left:.8rem}
        svg{width:100%;height:auto;font-size:17px;fill:currentColor}line{stroke:var(--line)}circle{fill:var(--won)}
        ol{padding-left:2.2rem;overflow-wrap:anywhere}li{margin:.4rem 0}small{display:block;opacity:.7}
        .bar{display:inline-block;width:4rem;height:.7rem;margin-right:.6rem;background:var(--lost);vertical-align:baseline}
        .bar i{display:block;height:100%;background:var(--won)}.none .bar{background:var(--line)}
        """
}
