import Foundation
import Reporting

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
        let body = """
            \(caveats.map { "<p class=\"caveat\">\(HTMLText.escaped($0))</p>" }.joined(separator: "\n"))
            \(HTMLText.table(columns.map(HTMLText.escaped), rows.map { $0.map(HTMLText.escaped) }))
            <h2>Length against win rate</h2>
            \(diagram)
            <h2>Questions: \(counts[0]) won, \(counts[1]) lost, \(questions.count - counts[0] - counts[1]) neither</h2>
            <p>Green is the model's share of each question, red the baseline's.</p>
            <ol>\(questions.map(Self.item).joined(separator: "\n"))</ol>
            """
        return HTMLPage(title: title, generator: "rto evaluate", style: Self.style, body: body).text
    }

    private static func item(_ question: Question) -> String {
        let (kind, share) = question.outcome.map { ($0 > 0.5 ? "won" : $0 < 0.5 ? "lost" : "tie", $0) } ?? ("none", 0)
        let percent = Int((100 * share).rounded())
        return """
            <li class="\(kind)"><span class="bar"><i style="width:\(percent)%"></i></span>\(HTMLText.escaped(question.text))\
            <small>\(HTMLText.escaped(question.detail))</small></li>
            """
    }

    /// Win rates upwards, lengths to the right.
    private var diagram: String {
        let points = scatter.points
        guard !points.isEmpty else { return "<p>There are no points.</p>" }
        let lengths = points.map(\.length)
        let rates = [0.0, 25, 50, 75, 100]
        let frame = PlotFrame(
            horizontal: PlotAxis(covering: min(lengths.min() ?? 0, 0)...max(lengths.max() ?? 0, 0)),
            vertical: PlotAxis(0...100, ticks: rates, labels: rates.map { "\(Int($0)) %" }),
            horizontalTitle: scatter.horizontal
        )
        let marks = points.map { point in
            let (x, y) = (frame.x(point.length), frame.y(point.winRate))
            let isRight = x > 300
            let values = String(format: "%.1f: %.1f %%", point.length, point.winRate)
            let label = HTMLText.escaped(point.label)
            return """
                <circle cx="\(PlotFrame.text(x))" cy="\(PlotFrame.text(y))" r="5"><title>\(label) \(values)</title></circle>\
                <text x="\(PlotFrame.text(x + (isRight ? -8 : 8)))" y="\(PlotFrame.text(y - 8))" \
                text-anchor="\(isRight ? "end" : "start")">\(label)</text>
                """
        }
        return frame.svg(marks: marks.joined(separator: "\n"), label: "Win rate by " + scatter.horizontal)
    }

    private static let style = """
        circle{fill:var(--good)}
        ol{padding-left:2.2rem;overflow-wrap:anywhere}li{margin:.4rem 0}small{display:block;opacity:.7}
        .bar{display:inline-block;width:4rem;height:.7rem;margin-right:.6rem;background:var(--bad);vertical-align:baseline}
        .bar i{display:block;height:100%;background:var(--good)}.none .bar{background:var(--line)}
        """
}
