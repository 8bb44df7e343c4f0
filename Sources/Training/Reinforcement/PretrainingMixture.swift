import Configuration
import Models
import Objectives
import Torch

/// Texts that the policy goes on learning beside its rewards: PPO-ptx (Ouyang et al., arXiv 2203.02155, equation 2).
///
/// To the policy's loss is added γ·(mean over the tokens of a batch of −log π). As in RTO's reference code every token is
/// learnt, prompts too, and a batch has as many texts as an update has rollouts. There the second backward pass of a
/// micro-batch upsets the count of accumulated passes; here it adds to the gradient of the same optimizer step.
struct PretrainingMixture {
    private let rows: StageRows<ResponseBatch.Row>
    private let schedule: DataSchedule
    private let coefficient: Double
    private let tokenBudget: Int

    /// - Parameter texts: token ids of at least two tokens to mean anything
    init(_ configuration: TrainConfiguration, texts: StageRows<[Int]>) throws {
        rows = texts.map { ResponseBatch.Row(prompt: [], response: $0) }
        coefficient = configuration.reinforcement.ptxCoefficient
        tokenBudget = configuration.loop.microBatchTokens
        schedule = try DataSchedule(
            rowCount: rows.count,
            batchSize: configuration.loop.batchSize,
            epochs: 1,
            maxSteps: nil,
            seed: Self.seed(configuration.loop.seed),
            isShuffled: !configuration.data.keepsOrder,
            noun: "texts of --ptx-data"
        )
    }

    /// By which a resumed run notices that the texts changed.
    var rowCount: Int { rows.count }

    /// Adds the gradient of a step's texts to the policy's and returns the mean loss of their tokens.
    func learn(_ policy: LanguageModel, step: Int) throws -> (loss: Double, weighted: Double, tokens: Int) {
        let batch = try rows.rows(schedule.rows(step: step))
        let parts = ResponseBatch.microBatches(batch, tokenBudget: tokenBudget)
            .map { ResponseBatch(Array(batch[$0])) }.filter { !$0.targets.isEmpty }
        let totals = parts.map { BatchTotals($0.ragged) }.reduce(BatchTotals(tokens: 0, rows: 0), +)
        var loss = 0.0
        for part in parts {
            let weights = LossWeights.weights(part.ragged, normalization: .token, batch: totals)
            let partial = crossEntropy(logProbabilities: policy.logProbabilities(part), weights: weights)
            (coefficient * partial).backward()
            loss += partial.scalar
        }
        return (loss, coefficient * loss, parts.map(\.batch.tokens.count).reduce(0, +))
    }

    /// The seed of the texts' own order: FNV-1a of a name, mixed with the run's seed.
    private static func seed(_ seed: Int) -> Int {
        let name = "ptx".utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return Int(bitPattern: UInt(name)) ^ seed
    }
}
