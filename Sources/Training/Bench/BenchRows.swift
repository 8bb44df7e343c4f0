import Configuration
import Models

/// Random tokens of fixed lengths, the same in every run.
struct BenchRows {
    private let vocabularySize: Int
    private var stream = RandomStream(seed: 1, index: 0)

    init(vocabularySize: Int) { self.vocabularySize = vocabularySize }

    /// Tokens of one sequence.
    mutating func tokens(_ count: Int) -> [Int] {
        (0..<count).map { _ in min(vocabularySize - 1, Int(stream.next() * Double(vocabularySize))) }
    }

    /// Prompts, one for each group of sequences that share it.
    mutating func prompts(_ settings: BenchConfiguration, sequences: Int) -> [[Int]] {
        (0..<sequences / settings.samplesPerPrompt).map { _ in tokens(settings.promptTokens) }
    }

    /// Prompts with one response a row.
    mutating func rows(_ settings: BenchConfiguration, count: Int) -> [ResponseBatch.Row] {
        let prompts = prompts(settings, sequences: count)
        return (0..<count).map {
            ResponseBatch.Row(prompt: prompts[$0 / settings.samplesPerPrompt], response: tokens(settings.newTokens))
        }
    }

    /// Prompts with two responses a pair.
    mutating func pairs(_ settings: BenchConfiguration, count: Int) -> [PairRow] {
        let prompts = prompts(settings, sequences: count)
        return (0..<count).map {
            PairRow(
                prompt: prompts[$0 / settings.samplesPerPrompt],
                chosen: tokens(settings.newTokens),
                rejected: tokens(settings.newTokens)
            )
        }
    }
}
