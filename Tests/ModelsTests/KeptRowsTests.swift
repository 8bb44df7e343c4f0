import JSONText
import Testing
import Torch

@testable import Models

@Suite("Hidden states of some tokens")
struct KeptRowsTests {
    /// Norms before, around and after attention and feed-forward.
    static let architectures = ["LlamaForCausalLM", "Gemma2ForCausalLM", "Olmo2ForCausalLM"]

    private let rows: [ResponseBatch.Row] = [
        .init(prompt: [1, 2, 9], response: [3, 4]), .init(prompt: [1, 2, 9], response: [5, 6, 8]),
        .init(prompt: [6, 11, 12, 13], response: [9]),
    ]

    /// States of a model's tokens under a fixed upstream gradient, and the gradients of its parameters.
    private func outcome(_ model: LanguageModel, _ states: Tensor) -> [Tensor] {
        let upstream = Tensor.empty(states.shape)
        upstream.fillNormal(deviation: 1, Generator(seed: 3))
        (states * upstream).sum().backward()
        return [states.detached()] + model.parameters.tensors.map { $0.gradient ?? $0.zerosLike() }
    }

    @Test("are those among the states of all, with the same gradients", arguments: architectures, [false, true])
    func sameNumbers(architecture: String, checkpointing: Bool) throws {
        let batch = ResponseBatch(rows)
        func model() throws -> LanguageModel {
            let configuration = try TinyModel.configuration(["architectures": [.string(architecture)], "head_dim": 4])
            var model = try LanguageModel.fresh(configuration, seed: 1, .trainable())
            model.checkpointsGradients = checkpointing
            return model
        }
        // Two responses share a prompt, whose end is wanted twice; and an order that is not the batch's.
        for wanted in [batch.predictors, batch.lastTokens, [7, 0, 0, 5], []] {
            let (some, all) = (try model(), try model())
            let found = outcome(
                some,
                some.decoder.hidden(batch.batch, rows: wanted, dtype: .float32, checkpointing: checkpointing)
            )
            let expected = outcome(all, all.hidden(batch.batch).rows(wanted))
            #expect(found[0].shape == [wanted.count, 16] && found[0].floats == expected[0].floats)
            // Sums over rows are cut at other places.
            for (mine, right) in zip(found, expected) where right.count > 0 {
                #expect(excess(mine, right, absolute: 1e-5, relative: 1e-5) <= 0)
            }
        }
    }

    @Test("are none where none is wanted: rows of one token")
    func none() throws {
        let model = try TinyModel.make()
        #expect(model.sequenceLogProbabilities([[5]]) == [[]])
        let empty = ResponseBatch([.init(prompt: [1, 2], response: [])])
        withoutGradients {
            #expect(model.logProbabilities(empty).floats == [])
            #expect(model.logProbabilitiesAndEntropies(empty).1.floats == [])
            let distributions = model.distributions(empty, against: model)
            #expect(distributions.logProbabilities.floats == [])
        }
    }

    @Test("are what a layer returns for the tokens that it keeps")
    func onlyThose() throws {
        let model = try TinyModel.make()
        let table = RotaryTable(
            frequencies: Tensor(model.configuration.rotaries[0].inverseFrequencies),
            factor: 1,
            positions: Tensor([0, 1, 2]),
            dtype: .float32
        )
        let input = Tensor.empty([3, 16])
        input.fillNormal(deviation: 1, Generator(seed: 2))
        withoutGradients {
            let kept = model.decoder.layers[1](input, table, keeping: Tensor([2])) { queries, _, _ in queries }
            #expect(kept.shape == [1, 16])
            let all = model.decoder.layers[1](input, table) { queries, _, _ in queries }
            #expect(kept.floats == all.narrowed(0, 2..<3).floats)
        }
    }
}
