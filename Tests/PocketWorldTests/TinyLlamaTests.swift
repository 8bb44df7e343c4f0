import JSONText
import PocketWorld
import Testing

@Suite("The tiny models")
struct TinyLlamaTests {
    @Test(
        "describe themselves in the fields that Hugging Face reads",
        arguments: [.policy, TinyLlama(hiddenSize: 48, intermediateSize: 128, layerCount: 3, headCount: 2)]
    )
    func configuration(model: TinyLlama) throws {
        let configuration = try JSON(parsing: model.configurationText())
        #expect(configuration["architectures"] == ["LlamaForCausalLM"])
        #expect(configuration["model_type"] == "llama")
        #expect(configuration["vocab_size"]?.integer == WorldTokenizer().vocabularySize)
        #expect(configuration["hidden_size"]?.integer == model.hiddenSize)
        #expect(configuration["intermediate_size"]?.integer == model.intermediateSize)
        #expect(configuration["num_hidden_layers"]?.integer == model.layerCount)
        #expect(configuration["tie_word_embeddings"]?.bool == false)
        #expect(configuration["initializer_range"]?.number == TinyLlama.initializerRange)
        #expect(configuration["eos_token_id"]?.integer == WorldTokenizer.Mark.end.id)
        let headSize = try #require(configuration["head_dim"]?.integer)
        #expect(headSize * model.headCount == model.hiddenSize && headSize % 2 == 0)
    }
}
