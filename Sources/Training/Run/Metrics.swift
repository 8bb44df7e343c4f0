import Foundation
import JSONText

/// The numbers of one optimizer step, in the order in which they were set.
public struct Metrics: Sendable {
    /// Names and values.
    public private(set) var values: [(name: String, value: Double)] = []

    /// No numbers.
    public init() {}

    /// The value of a name; setting a name again replaces its value.
    public subscript(name: String) -> Double? {
        get { values.first { $0.name == name }?.value }
        set {
            values.removeAll { $0.name == name }
            if let newValue { values.append((name, newValue)) }
        }
    }

    /// These numbers followed by others.
    public mutating func append(_ other: Metrics) {
        for (name, value) in other.values { self[name] = value }
    }

    /// One line of `metrics.jsonl`; whole numbers without a point, what is not finite as null.
    var line: String {
        var object = JSONObject()
        for (name, value) in values {
            if !value.isFinite {
                object[name] = .null
            } else if value == value.rounded(), abs(value) < 0x1p53, Self.wholeNumbers.contains(name) {
                object[name] = .integer(Int(value))
            } else {
                object[name] = .number(value)
            }
        }
        return JSON.object(object).serialized() + "\n"
    }

    private static let wholeNumbers: Set<String> = ["step", "num_tokens", "peak_memory_bytes"]
}

/// A sum of values with weights, for statistics over micro-batches.
struct WeightedMean {
    private var sum = 0.0
    private var weight = 0.0

    mutating func add(_ value: Double, weight: Double) {
        sum += value * weight
        self.weight += weight
    }

    var value: Double { weight == 0 ? 0 : sum / weight }
}
