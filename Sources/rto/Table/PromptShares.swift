import Configuration
import Foundation
import PocketWorld
import Safetensors

/// The prompts of a file dealt out to one chain: for pairs, held-out pairs, reinforcement learning and comparing.
struct PromptShares {
    private let rows: [Data]
    private let path: String

    /// Reads a file of rows.
    init(_ path: String) throws {
        guard path.hasSuffix(".jsonl") else {
            throw PipelineError("\(path): --prompts names a .jsonl file, one row with a prompt a line")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PipelineError("\(path): cannot be read")
        }
        rows = data.split(separator: UInt8(ascii: "\n")).map { Data($0) }
        self.path = path
    }

    /// The sizes that are wanted, all made smaller alike where there are too few rows.
    func fitting(_ wanted: WorldCorpus.Sizes) throws -> WorldCorpus.Sizes {
        let total = wanted.preferences + wanted.heldOutPreferences + wanted.reinforcement + wanted.evaluation
        let scale = min(1, Double(rows.count) / Double(total))
        var sizes = wanted
        sizes.preferences = Int(Double(wanted.preferences) * scale)
        sizes.heldOutPreferences = Int(Double(wanted.heldOutPreferences) * scale)
        sizes.reinforcement = Int(Double(wanted.reinforcement) * scale)
        sizes.evaluation = Int(Double(wanted.evaluation) * scale)
        guard min(sizes.heldOutPreferences, sizes.evaluation) >= 2 else {
            throw PipelineError("\(path): \(rows.count) prompts are too few to deal out; give some hundred at least")
        }
        return sizes
    }

    /// Writes the files under the names that a world's corpus has, dealt in an order that a seed decides.
    func write(_ sizes: WorldCorpus.Sizes, to directory: ChainDirectory, seed: UInt64) throws {
        var random = WorldRandom(seed: seed, purpose: "shares")
        var rest = random.shuffled(rows)[...]
        let shares: [(WorldCorpus.File, Int)] = [
            (.evaluationPrompts, sizes.evaluation), (.heldOutPreferencePrompts, sizes.heldOutPreferences),
            (.preferencePrompts, sizes.preferences), (.reinforcementPrompts, sizes.reinforcement),
        ]
        for (file, count) in shares {
            try writeLines(rest.prefix(count), to: directory.world(file))
            rest = rest.dropFirst(count)
        }
    }
}

private func writeLines(_ lines: some Sequence<Data>, to path: String) throws {
    let text = lines.reduce(into: Data()) { $0 += $1 + [UInt8(ascii: "\n")] }
    try AtomicFile.write(Array(text), to: URL(filePath: path))
}

extension ChainPlan {
    /// Writes the first so many prompts for reinforcement learning, for each count, and last all of them.
    func writePromptShares(_ counts: [Int]) throws {
        guard let data = FileManager.default.contents(atPath: directory.world(.reinforcementPrompts)) else {
            throw PipelineError("\(directory.world(.reinforcementPrompts)): cannot be read")
        }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        for count in counts + [scale.sizes.reinforcement] {
            try writeLines(lines.prefix(count), to: directory.prompts(count))
        }
    }
}
