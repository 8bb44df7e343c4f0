import Foundation

/// A metric over the steps, with a line for each run that has it.
struct LineChart {
    let metric: MetricDescription
    let lines: [Line]
    /// Pieces of the horizontal axis that a long line is cut into, of each of which the lowest and the highest value are drawn.
    let pieces: Int
    /// How many bands of a chart with long lines say the values in their middle.
    var bands = 32

    struct Line {
        /// The run's name.
        let label: String
        /// The run's number, which gives the colour.
        let number: Int
        let steps: [Int]
        /// Not a number where there is none.
        let values: [Double]
    }

    /// Colours that lines have before they begin again with other dashes.
    static let colourCount = 8
    /// Classes of the dashes of lines that share a colour.
    private static let dashes = ["", " dashed", " dotted", " mixed"]
    /// How many lines look each like no other.
    static let distinctCount = colourCount * dashes.count
    /// Lines of so few points have a mark at each.
    private static let markedCount = 40

    /// The classes of a run's lines, marks and swatches.
    static func classes(_ number: Int) -> String {
        "c\(number % colourCount)" + dashes[number / colourCount % dashes.count]
    }

    /// The chart with its title and its legend.
    var html: String {
        let title = metric.name + (metric.unit.isEmpty ? "" : ", " + metric.unit)
        return
            "<figure><figcaption>\(HTMLText.beginning(of: title, limit: 80))</figcaption>\(picture)\(legend)</figure>"
    }

    private var picture: String {
        let finite = lines.flatMap(\.values).filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else { return "<p class=\"note\">No finite value.</p>" }
        let steps = lines.flatMap { [$0.steps.first, $0.steps.last] }.compactMap(\.self)
        let frame = PlotFrame(
            horizontal: PlotAxis(
                covering: Double(steps.min() ?? 0)...Double(steps.max() ?? 0),
                isWhole: true,
                isTight: true
            ),
            vertical: PlotAxis(covering: low / metric.scale...high / metric.scale),
            horizontalTitle: "step"
        )
        let drawn = lines.map { marks($0, frame) }.joined(separator: "\n") + values(frame)
        return frame.svg(marks: drawn, label: "\(metric.name) by step")
    }

    /// Bands that say the values in their middle, since points of long lines are too many to have marks.
    private func values(_ frame: PlotFrame) -> String {
        guard lines.contains(where: { $0.steps.count > Self.markedCount }) else { return "" }
        let axis = frame.horizontal
        let width = (frame.x(axis.upper) - frame.x(axis.lower)) / Double(bands)
        return (0..<bands).map { band in
            let middle = axis.lower + (axis.upper - axis.lower) * (Double(band) + 0.5) / Double(bands)
            let step = Int(middle.rounded())
            let values = lines.compactMap { line in
                line.value(at: step).map { value in
                    (lines.count > 1 ? HTMLText.end(of: line.label, limit: 40) + " " : "")
                        + RunNumber.text(value / metric.scale)
                }
            }
            let title = ["step \(step)"] + values
            return """
                <rect class="band" x="\(PlotFrame.text(frame.x(axis.lower) + width * Double(band)))" \
                y="\(PlotFrame.text(frame.y(frame.vertical.upper)))" width="\(PlotFrame.text(width))" \
                height="\(PlotFrame.text(frame.y(frame.vertical.lower) - frame.y(frame.vertical.upper)))">\
                <title>\(title.joined(separator: "&#10;"))</title></rect>
                """
        }.joined()
    }

    private var legend: String {
        var parts: [String] = []
        if lines.count > 1 {
            parts += lines.map { line in
                "<span class=\"key \(Self.classes(line.number))\"></span>\(HTMLText.end(of: line.label, limit: 60))"
            }
        }
        let missing = lines.map { $0.values.count { !$0.isFinite } }.reduce(0, +)
        if missing > 0 {
            parts.append("\(HTMLText.grouped(missing)) \(missing == 1 ? "value is" : "values are") not finite")
        }
        return parts.isEmpty ? "" : "<p class=\"legend\">\(parts.joined(separator: " "))</p>"
    }

    private func marks(_ line: Line, _ frame: PlotFrame) -> String {
        let points = zip(line.steps, line.values).map { step, value in
            (x: Double(step), y: value.isFinite ? PlotAxis.bounded(value / metric.scale) : .nan)
        }
        let kind = Self.classes(line.number)
        let average = metric.isNoisy ? MovingAverage(of: line.values) : nil
        let raw = Self.path(Self.thinned(points, pieces: pieces), frame)
        var marks = "<path class=\"line \(kind)\(average == nil ? "" : " raw")\" d=\"\(raw)\"/>"
        if let average {
            let smooth = zip(line.steps, average.values).map { (x: Double($0), y: PlotAxis.bounded($1 / metric.scale)) }
            // It has no spikes that could be lost.
            let thinned = Self.everyNth(smooth, count: pieces / 2)
            marks += "<path class=\"line \(kind)\" d=\"\(Self.path(thinned, frame))\"/>"
        }
        if points.count <= Self.markedCount {
            marks += points.indices.filter { points[$0].y.isFinite }.map { index in
                let (x, y) = (PlotFrame.text(frame.x(points[index].x)), PlotFrame.text(frame.y(points[index].y)))
                let value = RunNumber.text(line.values[index] / metric.scale)
                return """
                    <circle class="\(kind)" cx="\(x)" cy="\(y)" r="2.5"><title>step \(line.steps[index]): \(value)</title></circle>
                    """
            }.joined()
        }
        return marks
    }

    /// A path through points, interrupted where there is no number.
    private static func path(_ points: [(x: Double, y: Double)], _ frame: PlotFrame) -> String {
        var path = ""
        var isDrawing = false
        for (index, point) in points.enumerated() {
            guard point.y.isFinite else {
                isDrawing = false
                continue
            }
            path += (isDrawing ? "L" : "M") + PlotFrame.text(frame.x(point.x)) + " " + PlotFrame.text(frame.y(point.y))
            let isAlone = !isDrawing && (index + 1 == points.count || !points[index + 1].y.isFinite)
            // A line to where it is shows a point by the round ends of lines.
            if isAlone { path += "h0" }
            isDrawing = true
        }
        return path
    }

    /// The most values of a line of which every one is drawn.
    static func drawnWhole(pieces: Int) -> Int { 3 * pieces }

    /// At most three points for each piece, the lowest, the highest and one that is missing, and both ends of the line.
    ///
    /// So no spike and no gap of a long line is lost.
    static func thinned(_ points: [(x: Double, y: Double)], pieces: Int) -> [(x: Double, y: Double)] {
        guard points.count > drawnWhole(pieces: pieces), let first = points.first, let last = points.last,
            last.x > first.x
        else {
            return points
        }
        var kept: [(x: Double, y: Double)] = []
        var start = 0
        while start < points.count {
            let piece = Int((points[start].x - first.x) / (last.x - first.x) * Double(pieces))
            let border = first.x + (last.x - first.x) * Double(piece + 1) / Double(pieces)
            var end = start + 1
            while end < points.count, points[end].x < border { end += 1 }
            let part = start..<end
            let finite = part.filter { points[$0].y.isFinite }
            var chosen = [finite.min { points[$0].y < points[$1].y }, finite.max { points[$0].y < points[$1].y }]
            chosen.append(part.first { !points[$0].y.isFinite })
            kept += Set(chosen.compactMap(\.self)).sorted().map { points[$0] }
            start = end
        }
        if let start = kept.first, start.x > first.x { kept.insert(first, at: 0) }
        if let end = kept.last, end.x < last.x { kept.append(last) }
        return kept
    }

    private static func everyNth(_ points: [(x: Double, y: Double)], count: Int) -> [(x: Double, y: Double)] {
        let stride = max(1, points.count / max(1, count))
        return points.indices.filter { $0 % stride == 0 || $0 == points.count - 1 }.map { points[$0] }
    }
}

extension LineChart.Line {
    /// The last value up to a step between the line's ends.
    func value(at step: Int) -> Double? {
        guard let first = steps.first, let last = steps.last, (first...last).contains(step) else { return nil }
        var (low, high) = (0, steps.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if steps[middle] <= step { low = middle } else { high = middle - 1 }
        }
        return values[low]
    }
}

/// The mean of each value and those before it, the older the less.
struct MovingAverage {
    /// As many values as were averaged; not a number before the first one.
    let values: [Double]

    /// Series that are shorter are seen at a glance.
    static let shortest = 50

    /// The average of a series over a fortieth of it, or nothing for a short one.
    init?(of series: [Double]) {
        guard series.count >= Self.shortest else { return nil }
        let decay = 1 - 1 / max(4, Double(series.count) / 40)
        var (sum, weight) = (0.0, 0.0)
        values = series.map { value in
            if value.isFinite {
                (sum, weight) = (sum * decay + value, weight * decay + 1)
            }
            return weight == 0 ? .nan : sum / weight
        }
    }
}
