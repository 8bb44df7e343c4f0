import Foundation
import JSONText
import Testing
import Torch

/// The precision in which a recorded case is run.
enum Precision: String, CaseIterable {
    case float32, float64
}

/// One file of recorded runs of the reference code.
struct Fixture {
    private let json: JSON

    init(_ name: String) throws {
        let directory = try #require(lossFixtures)
        json = try JSON(parsing: Data(contentsOf: directory.appending(path: name + ".json")))
    }

    /// Runs every case of the file that has outputs in the given precision, and whose name and parameters are wanted.
    func run(
        _ precision: Precision = .float32,
        where isWanted: (FixtureCase) throws -> Bool = { _ in true },
        body: (FixtureCase) throws -> Void
    ) throws {
        var count = 0
        for json in json["cases"]?.array ?? [] {
            let recorded = FixtureCase(json: json, precision: precision, tolerances: self.json["tolerance"])
            guard try recorded.isRecorded && isWanted(recorded) else { continue }
            try body(recorded)
            count += 1
        }
        #expect(count > 0, "the file has no such case")
    }
}

/// One recorded case in one precision: inputs to compute with, outputs and gradients to compare with.
final class FixtureCase {
    let json: JSON
    let precision: Precision
    private let tolerances: JSON?
    private var leaves: [String: Tensor] = [:]

    init(json: JSON, precision: Precision, tolerances: JSON?) {
        self.json = json
        self.precision = precision
        self.tolerances = tolerances
    }

    var name: String { json["name"]?.string ?? "?" }
    private var suffix: String { precision == .float64 && json["outputs_f64"] != nil ? "_f64" : "" }

    /// Whether the case has outputs in this precision; runs that were float64 throughout have them as plain outputs.
    var isRecorded: Bool { precision == .float32 || json["outputs_f64"] != nil || hasOnlyFloat64Inputs }

    private var hasOnlyFloat64Inputs: Bool {
        json["inputs"]?.object?.members.contains { $0.value["dtype"]?.string == "float64" } ?? false
    }

    // Parameters.

    func number(_ key: String) -> Double? { json["params"]?[key]?.number }
    func integer(_ key: String) throws -> Int { try #require(json["params"]?[key]?.integer, "\(name): \(key)") }
    func flag(_ key: String) -> Bool? { json["params"]?[key]?.bool }
    func text(_ key: String) -> String? { json["params"]?[key]?.string }
    func integers(_ key: String) throws -> [Int] {
        try #require(json["params"]?[key]?.array, "\(name): \(key)").compactMap(\.integer)
    }

    // Inputs.

    /// An input as a leaf in this precision; asked for twice it is the same leaf.
    func input(_ key: String) throws -> Tensor {
        if let leaf = leaves[key] { return leaf }
        let leaf = try tensor(#require(json["inputs"]?[key], "\(name) has no input \(key)"))
        leaf.requiresGradient = leaf.dtype.isFloatingPoint
        leaves[key] = leaf
        return leaf
    }

    /// An input as whole numbers, row by row.
    func integerRows(_ key: String, of section: String = "inputs") throws -> [[Int]] {
        let tensor = try tensor(#require(json[section]?[key], "\(name) has no \(section) \(key)"))
        let width = tensor.size(-1)
        let integers = tensor.integers
        return stride(from: 0, to: integers.count, by: width).map { Array(integers[$0..<$0 + width]) }
    }

    /// A recorded tensor in this precision; a list of them joined along the first axis.
    func tensor(_ value: JSON) throws -> Tensor {
        if let parts = value.array, parts.first?.object != nil { return try Tensor.concatenated(parts.map(tensor)) }
        let shape = value["shape"]?.array?.compactMap(\.integer)
        let numbers = try (value["data"]?.array ?? value.array ?? []).map(FixtureCase.number)
        switch value["dtype"]?.string {
        case "int64": return Tensor(numbers.map { Int($0) }, shape: shape)
        case "bool": return Tensor(numbers.map { $0 != 0 }, shape: shape)
        case "bfloat16": return Tensor(numbers.map(Float.init), shape: shape).to(.bfloat16)
        case "float64": return Tensor(numbers, shape: shape)
        // The shortest decimal stands for a float32, also where it is then computed with in float64.
        case "float32" where precision == .float64: return Tensor(numbers.map { Double(Float($0)) }, shape: shape)
        default: return Tensor(numbers.map(Float.init), shape: shape)
        }
    }

    private static func number(_ json: JSON) throws -> Double {
        switch json.string {
        case "nan": return .nan
        case "inf": return .infinity
        case "-inf": return -.infinity
        default: return try #require(json.number)
        }
    }

    // Comparison.

    private func tolerance(_ kind: String) -> (relative: Double, absolute: Double) {
        let tolerance = tolerances?[kind] ?? tolerances
        return (tolerance?["rtol"]?.number ?? 0, tolerance?["atol"]?.number ?? 0)
    }

    /// An output of the reference run.
    func output(_ key: String) throws -> JSON {
        let outputs = json["outputs" + suffix] ?? json["outputs"]
        return try #require(outputs?[key], "\(name) has no output \(key)")
    }

    /// Expects a value, of the shape of the recorded one, to equal it within the file's tolerance.
    ///
    /// A recorded float32 in a float64 run, such as a statistic, is compared as float32.
    func expect(
        _ actual: Tensor,
        equals key: String,
        at indices: [Int]? = nil,
        relative: Double? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let json = try output(key)
        let kind = json["dtype"]?.string == "float32" ? Precision.float32 : precision
        var expected = try tensor(json).doubles
        if let indices { expected = indices.map { expected[$0] } }
        var tolerance = tolerance(kind.rawValue)
        tolerance.relative = max(tolerance.relative, relative ?? 0)
        expectClose(actual.doubles, expected, tolerance, "\(name), \(key)", sourceLocation)
    }

    /// Expects the gradients of a scalar with respect to all inputs used to equal the recorded ones.
    func expectGradients(
        of scalar: Tensor,
        relative: Double? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        guard let gradients = json["grads" + suffix]?.object else { return }
        scalar.backward()
        var tolerance = tolerance(precision == .float64 ? "float64" : "grads")
        tolerance.relative = max(tolerance.relative, relative ?? 0)
        for (key, value) in gradients.members {
            let leaf = try #require(leaves[key], "\(name): \(key) was not used")
            let actual = try #require(leaf.gradient, "\(name): \(key) has no gradient")
            try expectClose(actual.doubles, tensor(value).doubles, tolerance, "\(name), d/d\(key)", sourceLocation)
        }
    }
}

/// Expects |a − b| ≤ absolute + relative·|b|; where the reference is not finite, that ours is.
func expectClose(
    _ actual: [Double],
    _ expected: [Double],
    _ tolerance: (relative: Double, absolute: Double) = (1e-5, 1e-6),
    _ what: String = "",
    _ sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(what): \(actual.count) numbers, expected \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    let isClose = zip(actual, expected).allSatisfy { actual, expected in
        guard expected.isFinite else { return actual.isFinite }
        return abs(actual - expected) <= tolerance.absolute + tolerance.relative * abs(expected)
    }
    #expect(isClose, "\(what): \(actual), expected \(expected)", sourceLocation: sourceLocation)
}
