import Foundation

/// The values along one side of a plot, with ticks at round numbers.
public struct PlotAxis: Equatable, Sendable {
    /// Where the axis begins.
    public let lower: Double
    /// Where it ends, beyond where it begins.
    public let upper: Double
    /// The values that are marked, ascending.
    public let ticks: [Double]
    /// What is written at them.
    public let labels: [String]

    /// An axis with ticks of one's own.
    public init(_ range: ClosedRange<Double>, ticks: [Double], labels: [String]) {
        (lower, upper, self.ticks, self.labels) = (range.lowerBound, range.upperBound, ticks, labels)
    }

    /// An axis from round number to round number around some values.
    ///
    /// - Parameters:
    ///   - tickCount: about how many ticks there should be
    ///   - isWhole: whether there are only whole numbers
    ///   - isTight: whether the axis ends with the values instead of at the next ticks
    public init(covering values: ClosedRange<Double>, tickCount: Int = 5, isWhole: Bool = false, isTight: Bool = false)
    {
        // Far from the ends of the type, where differences would overflow.
        var (low, high) = (Self.bounded(values.lowerBound), Self.bounded(values.upperBound))
        if high - low <= max(abs(low), abs(high)) * 1e-9 {
            // A single value, or as good as one, stands in the middle.
            let room = isWhole ? 1 : low == 0 ? 1 : abs(low) * 0.1
            (low, high) = low == 0 ? (0, room) : (low - room, high + room)
        }
        var step = Self.roundStep((high - low) / Double(max(1, tickCount)))
        if isWhole { step = max(1, step) }
        let first = (low / step).rounded(isTight ? .up : .down)
        let last = (high / step).rounded(isTight ? .down : .up)
        ticks = stride(from: first, through: max(first, last), by: 1).map { $0 * step }
        lower = isTight ? low : first * step
        upper = isTight ? high : last * step
        labels = Self.labels(ticks, step: step)
    }

    /// The value, or the last one of its sign that an axis reaches.
    static func bounded(_ value: Double) -> Double { value.isNaN ? value : max(-1e300, min(1e300, value)) }

    /// The next of 1, 2, 5 and 10 times a power of ten.
    private static func roundStep(_ least: Double) -> Double {
        let power = pow(10, floor(log10(max(least, 1e-300))))
        let factor = [1.0, 2, 5].first { $0 * power >= least * (1 - 1e-9) } ?? 10
        return factor * power
    }

    /// As many digits as the step needs, thousands as k, M, G and T, and powers of ten where that is not enough.
    static func labels(_ ticks: [Double], step: Double) -> [String] {
        let largest = ticks.map(abs).max() ?? 0
        guard largest > 0 else { return ticks.map { _ in "0" } }
        if largest < 1e-3 || largest >= 1e15 {
            return ticks.map { tick in
                guard tick != 0 else { return "0" }
                let power = floor(log10(abs(tick)) + 1e-9)
                let digits = min(17, max(0, Int(power - floor(log10(step) + 1e-9))))
                return plain(tick / pow(10, power), digits: digits) + "e" + String(Int(power))
            }
        }
        let units: [(Double, String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        let (size, suffix) = largest < 1e4 ? (1, "") : units.first { largest >= $0.0 } ?? (1, "")
        let digits = min(17, max(0, -Int(floor(log10(step / size) + 1e-9))))
        return ticks.map { $0 == 0 ? "0" : plain($0 / size, digits: digits) + suffix }
    }

    private static func plain(_ value: Double, digits: Int) -> String {
        String(format: "%.\(digits)f", value).replacing("-", with: "−")
    }
}
