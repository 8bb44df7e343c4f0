import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// The bytes of single tokens are, put together, the bytes of their text.
@Suite(.enabled(if: SharedFixtures.contains("fixtures/tokenizers"), Comment(rawValue: SharedFixtures.reason)))
struct TokenPiecesTests {
    private static let texts = [
        "Héllo 👩‍🚀!\n\nTwo  lines", "日本語 and العربية", "", " leading", "a\u{0301}\t\u{1B}",
    ]

    @Test(arguments: ["qwen2_style", "llama2_legacy", "gemma_style", "gpt2_bytelevel", "llama3_style", "unigram_plain"])
    func joined(name: String) throws {
        let tokenizer = try Tokenizer(directory: SharedFixtures.url("fixtures/tokenizers/" + name))
        for text in Self.texts {
            let ids = tokenizer.encode(text)
            let pieces = tokenizer.pieces(of: ids)
            #expect(pieces.count == ids.count)
            #expect(String(decoding: pieces.joined(), as: UTF8.self) == tokenizer.decode(ids))
        }
    }

    @Test("a character of several tokens is shared out byte by byte", arguments: ["qwen2_style", "llama2_legacy"])
    func bytes(name: String) throws {
        let tokenizer = try Tokenizer(directory: SharedFixtures.url("fixtures/tokenizers/" + name))
        let pieces = tokenizer.pieces(of: tokenizer.encode("a👩b", addSpecialTokens: false))
        #expect(Array(pieces.joined()).suffix(6) == Array("a👩b".utf8).suffix(6))
        #expect(pieces.contains { String(validating: $0, as: UTF8.self) == nil } && pieces.allSatisfy { $0.count <= 4 })
    }
}
