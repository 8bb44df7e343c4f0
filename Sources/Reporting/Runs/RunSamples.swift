import Foundation
import JSONText

/// The first of the prompts and completions that a run sampled at a step.
struct RunSamples: Sendable {
    let step: Int
    let samples: [Sample]
    /// Those of the file that were not read.
    let leftOut: Int

    struct Sample: Sendable {
        let prompt: Text
        let completion: Text
        /// The numbers beside them: what the reward model says, and what was paid in all.
        let numbers: [(name: String, value: Double)]
    }

    /// A text, or the ids of its tokens where the run had no tokenizer.
    enum Text: Sendable {
        case text(String)
        case ids([Int])
    }

    /// Reads the beginning of a file of samples.
    ///
    /// - Throws: `ReportingError` where the file cannot be read, and for a line that holds no sample.
    init(file: URL, step: Int, limit: Int) throws(ReportingError) {
        guard let data = try RegularFile.bytes(of: file) else { throw ReportingError("\(file.path): is gone") }
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
            .filter { !RunMetrics.isBlank($0.element) }
        var samples: [Sample] = []
        for (index, line) in lines.prefix(limit) {
            do throws(ReportingError) {
                samples.append(try Self.sample(line))
            } catch {
                throw ReportingError("\(file.path):\(index + 1): \(error.description)")
            }
        }
        self.step = step
        self.samples = samples
        leftOut = lines.count - samples.count
    }

    private static func sample(_ line: Data) throws(ReportingError) -> Sample {
        let row: JSON
        do throws(JSONError) {
            row = try JSON(parsing: line, options: JSONParsingOptions(allowsNonFiniteNumbers: true))
        } catch {
            throw ReportingError("column \(error.column): \(error.message)")
        }
        func text(_ name: String) throws(ReportingError) -> Text {
            if let text = row[name]?.string { return .text(text) }
            guard let ids = row[name + "_ids"]?.array?.map(\.integer), !ids.contains(nil) else {
                throw ReportingError("a sample needs \"\(name)\" or \"\(name)_ids\"")
            }
            return .ids(ids.compactMap(\.self))
        }
        let numbers = ["score", "reward"].compactMap { name in row[name]?.number.map { (name, $0) } }
        return Sample(prompt: try text("prompt"), completion: try text("completion"), numbers: numbers)
    }
}
