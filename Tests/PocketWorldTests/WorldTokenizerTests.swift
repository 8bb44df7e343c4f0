import Foundation
import JSONText
import PocketWorld
import TestSupport
import Testing

@Suite("The world's tokenizer")
struct WorldTokenizerTests {
    private let tokenizer = WorldTokenizer()

    private func written(_ name: String) throws -> JSON {
        let directory = try TemporaryDirectory()
        try tokenizer.write(to: directory.url)
        return try JSON(parsing: Data(contentsOf: directory.url.appending(path: name)))
    }

    @Test("has marks, bytes and words, each once")
    func vocabulary() throws {
        #expect(tokenizer.vocabularySize == 5 + 256 + Vocabulary.words.count)
        #expect(Set(tokenizer.tokens).count == tokenizer.vocabularySize)
        let vocabulary = try #require(try written("tokenizer.json")["model"]?["vocab"]?.object)
        #expect(vocabulary.members.map(\.key) == tokenizer.tokens)
        #expect(vocabulary.members.map(\.value) == (0..<tokenizer.vocabularySize).map { .integer($0) })
    }

    @Test("spells bytes as GPT-2 does")
    func bytes() {
        let bytes = Array(tokenizer.tokens[5..<261])
        #expect(bytes[Int(UInt8(ascii: "a"))] == "a")
        #expect(bytes[Int(UInt8(ascii: "~"))] == "~")
        #expect(bytes[0] == "\u{100}")
        #expect(bytes[Int(UInt8(ascii: " "))] == "\u{120}")
        #expect(bytes[0x7f] == "\u{121}")
        #expect(bytes[0xa0] == "\u{142}")
        #expect(bytes[0xad] == "\u{143}")
        #expect(bytes[0xff] == "\u{ff}")
    }

    @Test("holds every word of every text, with its space, as one token")
    func coverage() {
        let world = World()
        let known = Set(tokenizer.tokens)
        var random = WorldRandom(state: 1)
        for _ in 0..<500 {
            let scene = world.scene(using: &random)
            let text =
                scene.prompt + " " + world.trueText(about: scene, using: &random) + " "
                + world.response(to: scene, using: &random) + " " + world.exemplaryResponse(to: scene)
            #expect(text.split(separator: " ").allSatisfy { known.contains("\u{120}" + $0) })
        }
    }

    @Test("names its marks in both files")
    func marks() throws {
        let file = try written("tokenizer.json")
        let configuration = try written("tokenizer_config.json")
        let added = try #require(file["added_tokens"]?.array)
        #expect(added.map { $0["content"]?.string } == WorldTokenizer.Mark.allCases.map(\.rawValue))
        #expect(added.map { $0["id"]?.integer } == WorldTokenizer.Mark.allCases.map(\.id))
        #expect(configuration["bos_token"]?.string == "<|begin|>")
        #expect(configuration["eos_token"]?.string == "<|end|>")
        #expect(configuration["pad_token"]?.string == "<|pad|>")
        #expect(configuration["chat_template"]?.string == WorldTokenizer.chatTemplate)
        #expect(file["model"]?["ignore_merges"]?.bool == true)
        #expect(WorldTokenizer.inputTemplate == "<|user|>{}<|assistant|>")
    }

    @Test("says which file could not be written")
    func missingDirectory() {
        let directory = URL(filePath: "/no/such/directory")
        let error = #expect(throws: PocketWorldError.self) { try tokenizer.write(to: directory) }
        #expect(error?.description.contains("/no/such/directory/tokenizer.json") == true)
    }
}
