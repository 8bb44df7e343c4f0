import Foundation
import PocketWorld
import Testing
import Tokenizers

@Suite("The world's tokenizer, read by the Tokenizers room")
struct WorldTokenizerEncodingTests {
    private let tokenizer: Tokenizer

    init() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "pocket-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try WorldTokenizer().write(to: directory)
        tokenizer = try Tokenizer(directory: directory)
    }

    @Test("knows the marks")
    func marks() {
        #expect(tokenizer.vocabularySize == WorldTokenizer().vocabularySize)
        #expect(tokenizer.beginningOfSequence == WorldTokenizer.Mark.beginning.id)
        #expect(tokenizer.endOfSequence == WorldTokenizer.Mark.end.id)
        #expect(tokenizer.padding == WorldTokenizer.Mark.padding.id)
        #expect(tokenizer.chatTemplate == WorldTokenizer.chatTemplate)
    }

    @Test("encodes each word as one token, alone, in its place and between marks, and decodes it again")
    func oneTokenPerWord() {
        let world = World()
        var random = WorldRandom(state: 1)
        for _ in 0..<200 {
            let scene = world.scene(using: &random)
            let completion = " " + world.response(to: scene, using: &random)
            let prompt = tokenizer.encode(scene.prompt, addSpecialTokens: false)
            let response = tokenizer.encode(completion, addSpecialTokens: false)
            #expect(prompt.count == scene.prompt.split(separator: " ").count)
            #expect(response.count == GoldReward().score(completion, to: scene).words.count)
            #expect((prompt + response).allSatisfy { $0 >= 261 })
            #expect(tokenizer.decode(response) == completion)
            let template = WorldTokenizer.inputTemplate.replacingOccurrences(of: "{}", with: scene.prompt)
            #expect(tokenizer.encode(template + completion + "<|end|>") == [1, 3] + prompt + [4] + response + [2])
        }
        for word in Vocabulary.words { #expect(tokenizer.encode(word, addSpecialTokens: false).count == 1) }
    }

    @Test("spells any other text in bytes", arguments: ["Grüße, 世界! 🙂\n\tx  y", "dear ann, the size is tall.", ""])
    func otherText(text: String) {
        let decoded = tokenizer.decode(tokenizer.encode(text, addSpecialTokens: false))
        #expect(decoded == (text.isEmpty ? "" : " " + text))
    }
}
