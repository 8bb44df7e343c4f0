import Foundation
import Testing

@testable import Reporting

@Suite("Axes of plots")
struct PlotAxisTests {
    @Test(
        "ticks stand at round numbers, with as many digits as they need",
        arguments: [
            (0...1, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]), (-0.3...0.31, ["−0.4", "−0.2", "0", "0.2", "0.4"]),
            (3.2...97, ["0", "20", "40", "60", "80", "100"]),
            (0...5e-7, ["0", "1e-7", "2e-7", "3e-7", "4e-7", "5e-7"]),
            (0...1e-4, ["0", "2e-5", "4e-5", "6e-5", "8e-5", "1.0e-4"]),
            (0...4.4e-5, ["0", "1e-5", "2e-5", "3e-5", "4e-5", "5e-5"]), (0...123_456, ["0", "50k", "100k", "150k"]),
            (12_345...12_349, ["12.345k", "12.346k", "12.347k", "12.348k", "12.349k"]),
            (1e18...2e18, ["1.0e18", "1.2e18", "1.4e18", "1.6e18", "1.8e18", "2.0e18"]),
        ] as [(ClosedRange<Double>, [String])]
    )
    func ticks(values: ClosedRange<Double>, labels: [String]) {
        let axis = PlotAxis(covering: values)
        #expect(axis.labels == labels)
        #expect(axis.lower <= values.lowerBound && axis.upper >= values.upperBound)
    }

    @Test("a single value stands in the middle, whatever its size", arguments: [0, 5, -5, 1e-12, 1e15, -1e300, 1e308])
    func single(value: Double) {
        let axis = PlotAxis(covering: value...value)
        let bounded = max(-1e300, min(1e300, value))
        #expect(axis.lower <= bounded && axis.upper >= bounded && axis.lower < axis.upper)
        #expect((2...12).contains(axis.ticks.count) && axis.ticks.allSatisfy(\.isFinite))
    }

    @Test("steps are whole numbers, and the axis ends with them") func steps() {
        #expect(PlotAxis(covering: 1...3, isWhole: true, isTight: true).ticks == [1, 2, 3])
        let long = PlotAxis(covering: 1...99_999, isWhole: true, isTight: true)
        #expect(long.lower == 1 && long.upper == 99_999 && long.labels == ["20k", "40k", "60k", "80k"])
        #expect(PlotAxis(covering: 7...7, isWhole: true, isTight: true).ticks.contains(7))
        let widest = PlotAxis(covering: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)
        #expect(widest.ticks.allSatisfy(\.isFinite) && widest.ticks.count < 12)
    }

    @Test("values are placed in the frame, upwards and to the right") func places() {
        let axis = PlotAxis(0...10, ticks: [0, 10], labels: ["<", "10"])
        let frame = PlotFrame(horizontal: axis, vertical: axis, horizontalTitle: "a & b")
        #expect(frame.x(0) == 64 && frame.x(10) == 466 && frame.y(0) == 224 && frame.y(10) == 10)
        #expect(frame.x(5) == 265 && frame.y(5) == 117)
        let svg = frame.svg(marks: "<g/>", label: "\"x\"")
        #expect(svg.contains("&lt;") && svg.contains("a &amp; b") && svg.contains("&quot;x&quot;"))
        #expect(svg.contains("<g/>") && !svg.contains(">\"x\""))
    }
}
