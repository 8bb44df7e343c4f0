import Foundation
import JSONText

/// The numbers of a run's steps, as `metrics.jsonl` holds them.
public struct RunMetrics: Sendable {
    /// A metric at the steps that have it, ascending; what was not finite is not a number.
    public struct Series: Sendable {
        /// Its name.
        public let name: String
        /// The optimizer steps, counted from 1.
        public internal(set) var steps: [Int]
        /// The values at them.
        public internal(set) var values: [Double]

        /// A series of its parts.
        public init(name: String, steps: [Int], values: [Double]) {
            (self.name, self.steps, self.values) = (name, steps, values)
        }
    }

    /// The metrics in the order in which they first appear.
    public private(set) var series: [Series] = []
    /// The last step.
    public private(set) var lastStep = 0
    /// How many steps are recorded.
    public private(set) var stepCount = 0
    /// How many lines of earlier attempts were passed over: a resumed run makes the steps after its checkpoint again.
    public private(set) var repeatedCount = 0
    /// Whether the last line is cut: it is being written, or the run was killed.
    public private(set) var endsInsideLine = false

    private var positions: [String: Int] = [:]
    private var steps: [Int] = []

    /// No steps.
    public init() {}

    /// Reads the lines of a file.
    ///
    /// - Throws: `ReportingError` where the file is missing, cannot be read or holds no step, and for a line that is none of the
    ///   program's.
    public init(file: URL) throws(ReportingError) {
        guard let data = try RegularFile.bytes(of: file) else {
            throw ReportingError("\(file.path): there are no metrics yet; the first optimizer step writes them")
        }
        var number = 0
        var rest = data[...]
        while !rest.isEmpty {
            number += 1
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let line = rest[..<(end ?? rest.endIndex)]
            do throws(ReportingError) {
                if !Self.isBlank(line) { try append(Self.numbers(of: line)) }
            } catch {
                guard end == nil else { throw ReportingError("\(file.path):\(number): \(error.description)") }
                endsInsideLine = true
            }
            rest = end.map { rest[($0 + 1)...] } ?? rest[rest.endIndex...]
        }
        guard stepCount > 0 else {
            throw ReportingError("\(file.path): there are no metrics yet; the first optimizer step writes them")
        }
    }

    /// The metric of that name.
    public subscript(name: String) -> Series? { positions[name].map { series[$0] } }

    /// Appends a step, which makes void what was recorded of it and of later ones.
    public mutating func append(step: Int, _ numbers: [(name: String, value: Double)]) {
        while let last = steps.last, last >= step {
            steps.removeLast()
            repeatedCount += 1
        }
        if step <= lastStep {
            for position in series.indices {
                let count = series[position].steps.reversed().prefix { $0 >= step }.count
                series[position].steps.removeLast(count)
                series[position].values.removeLast(count)
            }
        }
        steps.append(step)
        (lastStep, stepCount) = (step, steps.count)
        for (name, value) in numbers {
            let position = positions[name] ?? series.count
            if position == series.count {
                positions[name] = position
                series.append(Series(name: name, steps: [], values: []))
            }
            series[position].steps.append(step)
            series[position].values.append(value)
        }
    }

    private mutating func append(_ line: (step: Int, numbers: [(name: String, value: Double)])) {
        append(step: line.step, line.numbers)
    }

    private static func numbers(of line: Data) throws(ReportingError) -> (Int, [(name: String, value: Double)]) {
        let object: JSONObject
        do {
            let options = JSONParsingOptions(allowsNonFiniteNumbers: true)
            guard let found = try JSON(parsing: line, options: options).object else {
                throw ReportingError("a step must be a JSON object")
            }
            object = found
        } catch let error as JSONError {
            throw ReportingError("column \(error.column): \(error.message)")
        } catch let error as ReportingError {
            throw error
        } catch {
            throw ReportingError("\(error)")
        }
        // Beyond, not every whole number is one in double precision, in which charts are drawn.
        guard let step = object["step"]?.integer, (0..<1 << 53).contains(step) else {
            throw ReportingError("\"step\" must be a whole number of at least 0 and less than 2^53")
        }
        var numbers: [(name: String, value: Double)] = []
        for (name, value) in object.members where name != "step" {
            guard value.isNull || value.number != nil else {
                throw ReportingError("\"\(name)\" must be a number or null, found \(value.kind)")
            }
            numbers.append((name, value.number ?? .nan))
        }
        return (step, numbers)
    }

    /// Whether there is nothing in a line of a file.
    static func isBlank(_ line: Data) -> Bool { line.allSatisfy { [0x20, 0x09, 0x0D].contains($0) } }
}
