import Foundation

extension RunMetrics.Series {
    /// The place of the lowest or the highest value, the first of equal ones.
    fileprivate func end(isHighest: Bool) -> Int? {
        let finite = values.indices.filter { values[$0].isFinite }
        return finite.min { isHighest ? values[$0] > values[$1] : values[$0] < values[$1] }
    }
}

extension RunReport {
    /// One line for each run.
    var overview: Section? {
        let columns = [
            "run", "stage", "state", "steps", "epochs", "tokens", "duration", "tokens/s", "seed", "model", "data",
        ]
        let rows = runs.indices.map { number -> [String] in
            let run = runs[number]
            let tokens = run.metrics["num_tokens"].map { Self.sum($0.values) }
            let seconds = run.metrics["step_seconds"].map { Self.sum($0.values) }
            let rate = tokens.flatMap { tokens in seconds.map { tokens / max($0, 1e-9) } }
            return [
                heading(number), HTMLText.escaped(run.recipe.stage), state(run), HTMLText.grouped(run.metrics.lastStep),
                run.metrics["epoch"]?.values.last.map(RunNumber.text) ?? "–",
                tokens.map(RunNumber.text) ?? "–", seconds.map(RunNumber.duration) ?? "–",
                rate.map(RunNumber.text) ?? "–",
            ] + ["seed", "model", "data"].map { cell(run.recipe[$0]) }
        }
        return Section(title: "Runs", body: HTMLText.table(columns, rows) + remarks + results)
    }

    private static func sum(_ values: [Double]) -> Double { values.filter(\.isFinite).reduce(0, +) }

    private func state(_ run: RunRecord) -> String {
        if run.isFinished { return "finished" }
        return "unfinished" + (run.lastWritten.map { ", last step written \(time($0))" } ?? "")
    }

    /// A setting's value, broken into lines where it is long.
    func cell(_ value: String?) -> String {
        guard let value else { return "–" }
        let text = HTMLText.beginning(of: value, limit: 200)
        return value.unicodeScalars.count > 30 ? "<span class=\"long\">\(text)</span>" : text
    }

    /// What a reader should know of the runs' files.
    private var remarks: String {
        let sentences = runs.indices.flatMap { number -> [String] in
            let metrics = runs[number].metrics
            var sentences = runs[number].notes.map(HTMLText.escaped)
            if metrics.repeatedCount > 0 {
                sentences.append(
                    "\(HTMLText.grouped(metrics.repeatedCount)) lines of metrics were made again later; the later ones count."
                )
            }
            if metrics.endsInsideLine { sentences.append("The last line of its metrics is cut and left out.") }
            return sentences.map { "<p class=\"note\">\(heading(number)): \($0)</p>" }
        }
        guard runs.count > LineChart.distinctCount else { return sentences.joined(separator: "\n") }
        let alike = "From run \(LineChart.distinctCount + 1) on, lines look like those of earlier runs."
        return (sentences + ["<p class=\"note\">\(alike)</p>"]).joined(separator: "\n")
    }

    /// The metrics that say how a run went, with their last and best values.
    private var results: String {
        let judged = metricNames.prefix(Self.chartLimit).map(MetricDescription.init).filter { metric in
            metric.isBetterHigher != nil && metric.group != .time
        }
        let rows = judged.map { metric in
            [title(metric)]
                + runs.map { run -> String in
                    guard let series = run.metrics[metric.name], let last = series.values.last else { return "–" }
                    let text = RunNumber.text(last / metric.scale)
                    guard let isHigher = isBetterHigher(metric, run), let best = series.end(isHighest: isHigher) else {
                        return text
                    }
                    return "\(text) <small>best \(place(series, best, metric))</small>"
                }
        }
        let columns = ["metric"] + (runs.count == 1 ? ["last"] : runs.indices.map(heading))
        return rows.isEmpty ? "" : "<h3>Last and best values</h3>" + HTMLText.table(columns, rows)
    }

    /// The loss of reinforcement learning, whose size says nothing, has no better end.
    private func isBetterHigher(_ metric: MetricDescription, _ run: RunRecord) -> Bool? {
        metric.name == "loss" && run.metrics["policy/loss"] != nil ? nil : metric.isBetterHigher
    }

    private func title(_ metric: MetricDescription) -> String {
        HTMLText.beginning(of: metric.name, limit: 80) + (metric.unit.isEmpty ? "" : ", " + metric.unit)
    }

    private func place(_ series: RunMetrics.Series, _ index: Int, _ metric: MetricDescription) -> String {
        "\(RunNumber.text(series.values[index] / metric.scale)) at \(HTMLText.grouped(series.steps[index]))"
    }

    /// A table with last, lowest and highest values of metrics; the better end is marked.
    func values(of metrics: [MetricDescription]) -> String {
        let rows = metrics.flatMap { metric in
            runs.indices.compactMap { number -> [String]? in
                guard let series = runs[number].metrics[metric.name] else { return nil }
                func end(isHighest: Bool) -> String {
                    guard let index = series.end(isHighest: isHighest) else { return "–" }
                    let place = place(series, index, metric)
                    let isBest = isBetterHigher(metric, runs[number]) == isHighest
                    return isBest ? "<span class=\"best\">\(place)</span>" : place
                }
                let last = series.values.last.map { RunNumber.text($0 / metric.scale) } ?? "–"
                return [title(metric)] + (runs.count > 1 ? [heading(number)] : [])
                    + [last, end(isHighest: false), end(isHighest: true)]
            }
        }
        let columns = ["metric"] + (runs.count > 1 ? ["run"] : []) + ["last", "lowest at step", "highest at step"]
        return HTMLText.table(columns, rows)
    }

    /// The names of all metrics in the order in which they appear, without the place in the data.
    var metricNames: [String] {
        var known: Set<String> = ["epoch"]
        return runs.flatMap { $0.metrics.series.map(\.name) }.filter { known.insert($0).inserted }
    }

    /// The charts of each group of metrics, with their values folded away.
    var charts: [Section?] {
        let all = metricNames.map(MetricDescription.init)
        let drawn = all.prefix(Self.chartLimit)
        let pieces = max(40, min(240, 960 / runs.count))
        // As many as a page of moderate size can hold.
        let bands = max(12, min(32, 3000 / (drawn.count * runs.count + 1)))
        var sections = MetricGroup.allCases.map { group -> Section? in
            let metrics = drawn.filter { $0.group == group }
            guard !metrics.isEmpty else { return nil }
            let figures = metrics.map { metric in
                LineChart(
                    metric: metric,
                    lines: runs.indices.compactMap { number in
                        runs[number].metrics[metric.name].map { series in
                            let (steps, values) = (series.steps, series.values)
                            return LineChart.Line(label: names[number], number: number, steps: steps, values: values)
                        }
                    },
                    pieces: pieces,
                    bands: bands
                ).html
            }
            return Section(
                title: group.rawValue,
                body: reading(metrics, pieces: pieces)
                    + "<div class=\"charts\">\(figures.joined(separator: "\n"))</div>"
                    + "<details><summary>Values</summary>\(values(of: metrics))</details>"
            )
        }
        sections.append(all.count > drawn.count ? leftOut(all.count - drawn.count) : nil)
        return sections
    }

    /// How lines are drawn that are not simply every value.
    private func reading(_ metrics: [MetricDescription], pieces: Int) -> String {
        func longest(_ metrics: [MetricDescription]) -> Int {
            metrics.flatMap { metric in runs.map { $0.metrics[metric.name]?.values.count ?? 0 } }.max() ?? 0
        }
        var sentences: [String] = []
        if longest(metrics.filter(\.isNoisy)) >= MovingAverage.shortest {
            sentences.append("Strong lines of noisy metrics are moving averages of the faint ones.")
        }
        if longest(metrics) > LineChart.drawnWhole(pieces: pieces) {
            sentences.append(
                "Of lines with more than \(LineChart.drawnWhole(pieces: pieces)) values, the lowest and the highest of each of "
                    + "\(pieces) pieces are drawn."
            )
        }
        return sentences.isEmpty ? "" : "<p class=\"note\">\(sentences.joined(separator: " "))</p>"
    }

    private func leftOut(_ count: Int) -> Section {
        let body = "<p>\(HTMLText.grouped(count)) more metrics are in metrics.jsonl; \(Self.chartLimit) are drawn.</p>"
        return Section(title: "Metrics that are left out", body: body)
    }
}
