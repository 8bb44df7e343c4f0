import JSONText
import Models
import Testing
import Torch

@testable import Training

@Suite struct DecoderCostTests {
    /// Two layers of width 8 with two query heads and one key-value head of width 4, feed-forward width 10, 16 tokens.
    private let cost: DecoderCost

    init() throws {
        let configuration = try ModelConfiguration(
            [
                "architectures": ["LlamaForCausalLM"], "vocab_size": 16, "hidden_size": 8, "intermediate_size": 10,
                "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
                "tie_word_embeddings": true,
            ],
            path: "config.json"
        )
        cost = DecoderCost(configuration)
    }

    @Test("Weights are those of the matrices") func weights() throws {
        // q and o 8·8 each, k and v 4·8 each, gate, up and down 10·8 each: 432 a layer.
        #expect(cost.layerWeights == 2 * 432)
        #expect(cost.headWeights == 16 * 8)
        #expect(cost.weights == 864 + 128)
        // Two norms a layer and one at the end.
        #expect(cost.smallWeights == 5 * 8)
        #expect(cost.cacheElements == 2 * 2 * 4)
    }

    @Test("Parameters are as many as a model has") func parameters() throws {
        let configuration = try ModelConfiguration(
            [
                "architectures": ["LlamaForCausalLM"], "vocab_size": 16, "hidden_size": 8, "intermediate_size": 10,
                "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
                "tie_word_embeddings": false, "attention_bias": true, "mlp_bias": true,
            ],
            path: "config.json"
        )
        let tensors = try LanguageModel.fresh(configuration, seed: 1).parameters.tensors
        let cost = DecoderCost(configuration)
        #expect(cost.weights + cost.smallWeights == Double(tensors.map(\.count).reduce(0, +)))
    }

    /// Two operations for each weight that meets a token, four for each query column that meets a key.
    private func operations(weights: Int, attention: Int, head: Int) -> Double {
        Double(2 * weights) + Double(4 * attention) + Double(2 * head)
    }

    /// What follows attention in a layer, 8·8 + 3 · 10·8: tokens without logits do not go there in the last layer.
    private let later = 304

    @Test("A forward pass: matrices by tokens, attention by what each token sees, the head by its rows")
    func forward() {
        // Three tokens see 1 + 2 + 3 tokens, in 2 layers of 8 query columns.
        let parent = Segment(start: 0, length: 3)
        let one = cost.forward([parent], headRows: 1)
        #expect(one == operations(weights: 3 * 864 - 2 * later, attention: 16 * 6, head: 1 * 128))
        // A child of two tokens sees the three of its parent as well: 4 + 5.
        let both = cost.forward([parent, Segment(start: 3, length: 2, parent: 0)], headRows: 2)
        #expect(both == operations(weights: 5 * 864 - 3 * later, attention: 16 * 15, head: 2 * 128))
    }

    @Test("Decoding costs what the same tokens cost in one pass, but for the prompt and the last token")
    func decoding() {
        // Prompt of 3, response of 3: two tokens are read, which see 4 and 5 tokens.
        let expected = operations(weights: 2 * 864, attention: 16 * 9, head: 2 * 128)
        #expect(cost.decoding(sequences: 1, promptTokens: 3, newTokens: 3) == expected)
        #expect(cost.decoding(sequences: 7, promptTokens: 3, newTokens: 3) == 7 * expected)
    }

    @Test("Training costs three forward passes, and a shared prompt once") func training() {
        let rows = [
            ResponseBatch.Row(prompt: [1, 2, 3], response: [4, 5]),
            ResponseBatch.Row(prompt: [1, 2, 3], response: [6]),
        ]
        let batch = ResponseBatch(rows)
        // Six tokens see 1 + 2 + 3, 4 + 5 and 4; three rows of logits.
        let scoring = operations(weights: 6 * 864 - 3 * later, attention: 16 * 19, head: 3 * 128)
        #expect(cost.scoring(batch) == scoring)
        #expect(cost.training(batch) == 3 * scoring)
    }

    @Test("The median is the middle, or the mean of the middle two") func medians() {
        #expect(median([3, 1, 2]) == 2)
        #expect(median([4, 1, 3, 2]) == 2.5)
        #expect(median([7]) == 7)
    }
}
