import Foundation
import Testing

@testable import Reporting

@Suite("Charts of metrics")
struct LineChartTests {
    private func chart(_ metric: String, _ values: [[Double]], pieces: Int = 240) -> String {
        let lines = values.enumerated().map { number, values in
            LineChart.Line(label: "run \(number)", number: number, steps: Array(1...values.count), values: values)
        }
        return LineChart(metric: MetricDescription(metric), lines: lines, pieces: pieces).html
    }

    @Test("a short line goes through its points, each of which says its numbers") func short() {
        let html = chart("loss", [[0, 10, 5]])
        #expect(html.contains("class=\"line c0\" d=\"M64 224L265 10L466 117\""))
        #expect(html.contains("<title>step 2: 10</title>") && html.contains("<figcaption>loss</figcaption>"))
        #expect(!html.contains("legend"))
    }

    @Test("what is not finite is a gap, and a point between gaps is seen") func gaps() {
        let html = chart("objective/kl", [[0, .nan, 10, .infinity, 5]])
        #expect(html.contains("d=\"M64 224h0M265 10h0M466 117h0\"") && html.contains("2 values are not finite"))
        #expect(html.contains("<figcaption>objective/kl, nats</figcaption>"))
        #expect(chart("loss", [[.nan]]).contains("No finite value."))
    }

    @Test("a long line says its values band by band, and a line that ends earlier says nothing behind its end")
    func bands() {
        let html = chart("peak_memory_bytes", [(1...100).map { Double($0) * 1e9 }, [5e9]])
        #expect(html.components(separatedBy: "<rect class=\"band\"").count == 33)
        #expect(html.contains("x=\"64\" y=\"10\" width=\"12.6\" height=\"214\"><title>step 3&#10;run 0 3</title>"))
        #expect(html.contains("<title>step 98&#10;run 0 98</title>"))
        let line = LineChart.Line(label: "", number: 0, steps: [2, 5, 9], values: [20, 50, 90])
        #expect((1...10).map { line.value(at: $0) } == [nil, 20, 20, 20, 50, 50, 50, 50, 90, nil])
    }

    @Test("several runs share a chart, with a legend; the ninth line is dashed") func several() {
        let html = chart("loss", (0..<9).map { [Double($0), 1] })
        #expect(html.components(separatedBy: "<path class=\"line").count == 10)
        #expect(
            html.contains("class=\"line c0 dashed\"") && html.contains("run 8") && html.contains("class=\"key c7\"")
        )
    }

    @Test("each of 32 lines looks like no other") func distinct() {
        #expect(Set((0..<LineChart.distinctCount).map(LineChart.classes)).count == 32)
        #expect(LineChart.classes(0) == "c0" && LineChart.classes(17) == "c1 dotted" && LineChart.classes(32) == "c0")
    }

    @Test("a long line is thinned and keeps its spikes, its gaps and its ends") func thinned() {
        var values = (0..<100_000).map { sin(Double($0) / 3000) }
        values[51_234] = 40
        values[77_777] = -30
        values[10_000] = .nan
        let points = values.enumerated().map { (x: Double($0 + 1), y: $1) }
        let kept = LineChart.thinned(points, pieces: 240)
        #expect(kept.count <= 3 * 240 + 2 && kept.first?.x == 1 && kept.last?.x == 100_000)
        #expect(kept.contains { $0 == (51_235, 40) } && kept.contains { $0 == (77_778, -30) })
        #expect(kept.contains { $0.x == 10_001 && $0.y.isNaN })
        #expect(zip(kept, kept.dropFirst()).allSatisfy { $0.x < $1.x })
        let short = LineChart.thinned(Array(points.prefix(700)), pieces: 240)
        #expect(short.count == 700)
        #expect(chart("loss", [values]).utf8.count < 30_000)
    }

    @Test("the moving average of a long noisy line stands beside it, not in its place") func average() throws {
        let values = (0..<400).map { $0 % 2 == 0 ? 1.0 : 3 }
        let average = try #require(MovingAverage(of: values)).values
        #expect(average[0] == 1 && abs(average[1] - (0.9 + 3) / 1.9) < 1e-12 && abs(average[399] - 2) < 0.2)
        #expect(MovingAverage(of: Array(values.prefix(49))) == nil)
        let gap = [Double](repeating: .nan, count: 60)
        #expect(try #require(MovingAverage(of: gap)).values.allSatisfy(\.isNaN))
        #expect(chart("loss", [values]).contains("class=\"line c0 raw\""))
        #expect(!chart("learning_rate", [values]).contains("raw"))
    }

    @Test("infinite and enormous values do not leave the picture, and are said as they are") func enormous() throws {
        let html = chart("loss", [[1e308, -1e308, .infinity, 0]])
        #expect(html.contains("<title>step 1: 1e308</title>") && html.contains("<title>step 2: −1e308</title>"))
        let circles = html.matches(of: /cx="([^"]*)" cy="([^"]*)"/).map { ($0.1, $0.2) }
        let path = try #require(html.firstMatch(of: /<path class="line c0" d="([^"]*)"/)).1
        let corners = path.matches(of: /[ML]([^ ]*) ([^MLh]*)/).map { ($0.1, $0.2) }
        #expect(circles.count == 3 && corners.count == 3)
        for (x, y) in circles + corners {
            #expect(try (64...466).contains(#require(Double(x))) && (10...224).contains(#require(Double(y))))
        }
    }

    @Test("of long names the end is shown, by which they differ") func longNames() {
        let values = (1...50).map { Double($0) }
        let lines = ["a", "b"].enumerated().map { number, end in
            let label = String(repeating: "<x", count: 50) + "-" + end
            return LineChart.Line(label: label, number: number, steps: Array(1...50), values: values)
        }
        let html = LineChart(metric: MetricDescription("loss"), lines: lines, pieces: 240).html
        #expect(html.contains("&#10;…" + String(repeating: "&lt;x", count: 19) + "-b 49"))
        #expect(html.contains("</span>…" + String(repeating: "&lt;x", count: 29) + "-b</p>"))
        #expect(HTMLText.end(of: "abc", limit: 3) == "abc" && HTMLText.end(of: "abc", limit: 2) == "…bc")
    }
}
