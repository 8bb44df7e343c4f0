import Foundation
import JSONText
import Models
import PocketWorld

extension ChainPlan {
    /// Writes the data of a chain, all of its own seed.
    func writeCorpus() throws {
        try WorldCorpus(seed: UInt64(seed), sizes: scale.sizes).write(to: URL(filePath: directory.path + "/world"))
    }

    /// Writes the untrained model with its tokenizer; its `config.json` comes last.
    func writeModel() throws {
        let model = URL(filePath: directory.model)
        try makeFolder(directory.model)
        try WorldTokenizer().write(to: model)
        let shape = try ModelConfiguration(JSON(parsing: TinyLlama.policy.configurationText()), path: "config.json")
        try LanguageModel.fresh(shape, seed: UInt64(seed)).save(to: model, dtype: .float32)
    }

    /// Makes preference pairs of the samples, where that is not done.
    ///
    /// - Returns: What a person may want to know of them.
    func judge(_ gold: Gold) throws -> String? {
        let files = [
            (preferenceSamples, directory.preferences), (heldOutPreferenceSamples, directory.heldOutPreferences),
        ]
        let lines = try files.compactMap { sampling, pairs -> String? in
            guard !FileManager.default.fileExists(atPath: pairs) else { return nil }
            let samples = try SampledRow.read(sampling.output ?? "")
            let judged = judgePairs(
                samples,
                golds: try gold.scores(samples, prompts: sampling.data.sources[0].path),
                seed: UInt64(seed),
                purpose: URL(filePath: pairs).lastPathComponent
            )
            try WorldCorpus.write(judged, to: URL(filePath: pairs))
            let agreeing = 100 * Double(judged.count { $0.agreesWithGold }) / Double(max(1, judged.count))
            return "\(judged.count) pairs in \(pairs); the judge agrees with gold on "
                + String(format: "%.0f %%", agreeing)
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }
}
