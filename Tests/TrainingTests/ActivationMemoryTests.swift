import Foundation
import JSONText
import Models
import TestSupport
import Testing
import Torch

@testable import Training

/// What models keep for the backward pass, against what is predicted; in a process of its own, since tests beside it take memory.
@Suite("Memory of activations")
struct ActivationMemoryTests {
    @Test("a model keeps what is predicted of it, and nothing after the backward pass")
    func kept() async {
        await #expect(processExitsWith: .success) {
            for family in ["Llama", "Qwen3", "Gemma2", "Olmo2", "Phi3"] {
                try check(family, .float32, checkpoints: false, rank: nil)
            }
            try check("Llama", .float32, checkpoints: true, rank: nil)
            try check("Llama", .float32, checkpoints: false, rank: 8)
            try check("Llama", .bfloat16, checkpoints: false, rank: nil)
            try check("Phi3", .bfloat16, checkpoints: false, rank: 8)
        }
    }
}

/// Ends the process where a forward pass keeps another number of bytes than is predicted, or a backward pass leaves any.
private func check(_ family: String, _ precision: DType, checkpoints: Bool, rank: Int?) throws {
    let json: JSON = [
        "architectures": [.string(family + "ForCausalLM")], "vocab_size": 128, "hidden_size": 256,
        "intermediate_size": 704, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 64, "tie_word_embeddings": true, "pad_token_id": 0,
    ]
    let shape = try ModelConfiguration(json, path: "config.json")
    let adapter = rank.map { AdapterSettings(rank: $0, alpha: 1) }
    let directory = try TemporaryDirectory()
    try LanguageModel.fresh(shape, seed: 1).save(to: directory.url, dtype: .float32)
    var model = try LanguageModel.load(
        directory.url,
        .trainable(),
        precision: precision,
        adapter: adapter.map { AdapterStart($0) } ?? AdapterStart()
    )
    let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
    guard !maps.contains("model.safetensors") else { fatalError("the file of a loaded model is still in memory") }
    model.checkpointsGradients = checkpoints
    // Every tensor of a token's width is large enough to be counted.
    let tokens = 2100
    let batch = ResponseBatch([.init(prompt: [1], response: (1..<tokens).map { $0 % 100 })])
    let before = Memory.largeTensorBytes
    var loss: Tensor? = model.logProbabilities(batch).sum()
    let kept = Memory.largeTensorBytes - before
    let training = MemoryPrediction.Training(
        configuration: shape,
        precision: precision,
        checkpointsGradients: checkpoints,
        adapter: adapter
    )
    let layer = MemoryPrediction.layerBytes(shape, precision)
    let row = shape.hiddenSize * precision.byteSize
    let layers = tokens * shape.layerCount * (checkpoints ? row : layer)
    // The last norm's input and result, logits, cosines and sines; an adapter's factors A·x are too small to be counted.
    let head = tokens * (2 * row + (128 + 2 * 64) * precision.byteSize)
    let ratio = Double(kept) / Double(layers + head)
    guard abs(ratio - 1) < 0.04 else {
        fatalError("\(family) \(precision) \(checkpoints) \(rank ?? 0): \(kept) bytes kept, \(layers + head) predicted")
    }
    guard MemoryPrediction.activationBytes(training, tokens: tokens) >= layers else { fatalError("less than is kept") }
    loss?.backward()
    loss = nil
    let gradients = model.parameters.tensors.compactMap { $0.gradient?.count }.filter { $0 >= 1 << 16 }
    let left = Memory.largeTensorBytes - before - gradients.reduce(0, +) * 4
    guard abs(left) < 1 << 18 else {
        fatalError("\(family) \(precision): \(left) bytes are left after the backward pass")
    }
}
