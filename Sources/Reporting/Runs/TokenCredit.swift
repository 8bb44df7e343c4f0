import Foundation
import Safetensors

/// The first responses of a saved rollout with everything that was said of each token.
struct TokenCredit: Sendable {
    let step: Int
    let responses: [Response]
    /// Those of the rollout that were not read.
    let leftOut: Int
    /// The column that colours the tokens: the token rewards, or all that is paid where there are none; nil without either.
    let colouring: String?

    struct Response: Sendable {
        let prompt: [Int]
        /// The tokens that are shown.
        let tokens: [Int]
        /// The number of tokens that are not.
        let leftOut: Int
        let score: Double?
        /// What is known of the tokens that are shown, by the names of the columns.
        let columns: [(name: String, values: [Double])]

        func values(_ name: String?) -> [Double] { columns.first { $0.name == name }?.values ?? [] }
    }

    private static let columns = [
        "token_rewards", "kl", "rewards", "advantages", "whitened_advantages", "returns", "values", "log_probabilities",
        "reference_log_probabilities", "dpo_log_probabilities",
    ]

    /// Reads the beginning of a file of rollouts.
    ///
    /// - Throws: `ReportingError` or `SafetensorsError` for a file that is not one of rollouts.
    init(file url: URL, step: Int, responses limit: Int, tokens tokenLimit: Int) throws {
        let file = try SafetensorsFile(url: url)
        func whole(_ name: String) throws -> [Int] { try file.numbers(name).map { Int(exactly: $0) ?? -1 } }
        let offsets = try whole("sequence_offsets")
        let promptLengths = try whole("prompt_lengths")
        let tokenCount = file.entry(named: "tokens")?.elementCount ?? 0
        let sequences = promptLengths.indices
        guard offsets.count == promptLengths.count + 1, offsets.first == 0, offsets.last == tokenCount,
            sequences.allSatisfy({ offsets[$0] <= offsets[$0 + 1] }),
            sequences.allSatisfy({ (0...(offsets[$0 + 1] - offsets[$0])).contains(promptLengths[$0]) })
        else {
            throw ReportingError(
                "\(url.path): sequence_offsets must rise from 0 to the number of tokens, one more than prompt_lengths"
            )
        }
        let responseCount = tokenCount - promptLengths.reduce(0, +)
        let names = Self.columns.filter { file.entry(named: $0) != nil }
        if let wrong = names.first(where: { file.entry(named: $0)?.elementCount != responseCount }) {
            throw ReportingError(
                "\(url.path): \(wrong) must hold a number for each of \(responseCount) response tokens"
            )
        }
        let hasScores = file.entry(named: "scores")?.elementCount == promptLengths.count
        var responses: [Response] = []
        var start = 0
        for index in sequences.prefix(limit) {
            let (first, last) = (offsets[index] + promptLengths[index], offsets[index + 1])
            let shown = min(last - first, tokenLimit)
            let range = start..<start + shown
            responses.append(
                Response(
                    prompt: try file.numbers("tokens", in: offsets[index]..<first).map { Int(exactly: $0) ?? -1 },
                    tokens: try file.numbers("tokens", in: first..<first + shown).map { Int(exactly: $0) ?? -1 },
                    leftOut: last - first - shown,
                    score: hasScores ? try file.numbers("scores", in: index..<index + 1).first : nil,
                    columns: try names.map { ($0, try file.numbers($0, in: range)) }
                )
            )
            start += last - first
        }
        self.step = step
        self.responses = responses
        leftOut = promptLengths.count - responses.count
        // Of the whole column: what is shown may end before the tokens at which rewards are placed.
        let hasTokenRewards =
            try names.contains("token_rewards") && file.numbers("token_rewards").contains { $0 != 0 }
        colouring = hasTokenRewards ? "token_rewards" : names.first { $0 == "rewards" }
    }
}

extension SafetensorsFile {
    /// The elements of a tensor as numbers, all of them or those of a range.
    ///
    /// - Throws: `ReportingError` where there is no such tensor, or one whose elements are none of the program's.
    fileprivate func numbers(_ name: String, in range: Range<Int>? = nil) throws -> [Double] {
        guard let entry = entry(named: name) else {
            throw ReportingError("\(url.path): there is no column \(name), so these are no recorded rollouts")
        }
        let range = range ?? 0..<entry.elementCount
        return try withUnsafeBytes(of: entry) { bytes in
            func load<Number>(_ type: Number.Type, _ convert: (Number) -> Double) -> [Double] {
                range.map { convert(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.size, as: type)) }
            }
            switch entry.dtype {
            case .bool, .uint8: return load(UInt8.self) { Double($0) }
            case .int32: return load(Int32.self) { Double($0) }
            case .int64: return load(Int64.self) { Double($0) }
            case .float32: return load(Float.self) { Double($0) }
            case .float64: return load(Double.self) { $0 }
            case .bfloat16: return load(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
            default:
                throw ReportingError("\(url.path): \(name) is of type \(entry.dtype.rawValue), which no rollouts are")
            }
        }
    }
}
