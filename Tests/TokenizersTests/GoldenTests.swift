import Foundation
import JSONText
import TestSupport
import Testing
import Tokenizers

/// Recorded answers of the `tokenizers` library.
@Suite("Golden answers", .enabled(if: SharedFixtures.contains("fixtures/tokenizers"), "\(SharedFixtures.reason)"))
struct GoldenTests {
    static let styles = [
        "gemma_style", "gpt2_bytelevel", "llama2_legacy", "llama2_metaspace_first", "llama3_style", "metaspace_never",
        "qwen2_style", "roberta_prefix_space", "unigram_nfkc", "unigram_plain",
    ]

    @Test("ids and texts are those of the reference", arguments: styles)
    func rows(style: String) throws {
        let (tokenizer, golden) = try load(style)
        #expect(tokenizer.vocabularySize == golden["vocab_size_with_added"]?.integer)
        for row in try #require(golden["rows"]?.array) {
            let text = try #require(row["text"]?.string)
            let ids = try integers(row["ids"])
            let plainIDs = try integers(row["ids_no_special"])
            #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
            #expect(tokenizer.encode(text, addSpecialTokens: false) == plainIDs, "\(text.debugDescription)")
            #expect(.string(tokenizer.decode(ids)) == row["decode"])
            #expect(.string(tokenizer.decode(ids, skipSpecialTokens: true)) == row["decode_skip_special"])
            #expect(.string(tokenizer.decode(plainIDs)) == row["decode_no_special_ids"])
        }
    }

    @Test("every prefix of ids decodes as in the reference", arguments: styles)
    func prefixes(style: String) throws {
        let (tokenizer, golden) = try load(style)
        for sequence in try #require(golden["prefix_decoding"]?.array) {
            let ids = try integers(sequence["ids"])
            for (length, expected) in try #require(sequence["prefix_decodes"]?.array).enumerated() {
                #expect(.string(tokenizer.decode(Array(ids.prefix(length)))) == expected)
            }
        }
    }

    @Test("pairs are put together as in the reference", arguments: styles)
    func pairs(style: String) throws {
        let (tokenizer, golden) = try load(style)
        for pair in try #require(golden["pairs"]?.array) {
            let (first, second) = (try #require(pair["a"]?.string), try #require(pair["b"]?.string))
            #expect(tokenizer.encode(first, second) == (try integers(pair["ids"])))
        }
    }

    @Test("decoding token by token gives the same text and cuts no character", arguments: styles)
    func streaming(style: String) throws {
        let (tokenizer, golden) = try load(style)
        for row in try #require(golden["rows"]?.array) {
            let ids = try integers(row["ids"])
            for skips in [false, true] {
                var decoder = tokenizer.makeStreamingDecoder(skipSpecialTokens: skips)
                var parts = ids.map { decoder.append($0) }
                parts.append(decoder.finish())
                let whole = tokenizer.decode(ids, skipSpecialTokens: skips)
                #expect(JSON.string(parts.joined()) == .string(whole))
                // No part holds the sign for a cut character, unless the text itself does.
                if !whole.unicodeScalars.contains("\u{FFFD}") {
                    #expect(!parts.contains { $0.unicodeScalars.contains("\u{FFFD}") })
                }
            }
        }
    }

    @Test("a real model's tokenizer gives the ids it was trained with")
    func stories() throws {
        let directory = SharedFixtures.url("models/stories260K")
        let tokenizer = try Tokenizer(directory: directory)
        let text = "Once upon a time, there was a little girl named Lily."
        let ids = [1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426]
        #expect(tokenizer.encode(text) == ids)
        #expect(tokenizer.beginningOfSequence == 1)
        #expect(tokenizer.decode(ids, skipSpecialTokens: true) == text)
        #expect(tokenizer.vocabularySize == 512)
    }

    private func load(_ style: String) throws -> (Tokenizer, JSON) {
        let directory = SharedFixtures.url("fixtures/tokenizers/\(style)")
        let golden = try JSON(parsing: Data(contentsOf: directory.appendingPathComponent("golden.json")))
        return (try Tokenizer(directory: directory), golden)
    }

    private func integers(_ json: JSON?) throws -> [Int] {
        try #require(json?.array).map { try #require($0.integer) }
    }
}
