import Foundation
import TestSupport
import Testing
import Tokenizers

/// Tokenizers of folders without a `tokenizer.json`.
@Suite("SentencePiece and tiktoken files") struct OtherFilesTests {
    /// A field with bytes in the form of protocol buffers.
    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        let count = bytes.count
        let length = count < 0x80 ? [UInt8(count)] : [UInt8(count & 0x7F | 0x80), UInt8(count >> 7)]
        return [number << 3 | 2] + length + bytes
    }

    private func piece(_ text: String, _ score: Float, kind: UInt8 = 1) -> [UInt8] {
        let bits = score.bitPattern
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        return field(1, field(1, Array(text.utf8)) + [2 << 3 | 5] + bytes + [3 << 3, kind])
    }

    /// A model of either kind (1 unigram, 2 BPE) over a and b that keeps runs of spaces.
    private func model(kind: UInt8) -> [UInt8] {
        let pieces = [
            piece("<unk>", 0, kind: 2), piece("<s>", 0, kind: 3), piece("</s>", 0, kind: 3), piece("▁a", -1),
            piece("ab", -2), piece("▁", -3), piece("a", -4), piece("b", -5),
        ]
        return pieces.flatMap(\.self) + field(2, [3 << 3, kind]) + field(3, [4 << 3, 0])
    }

    private func tokenizer(_ files: [String: [UInt8]]) throws -> Tokenizer {
        let directory = try TemporaryDirectory()
        for (name, bytes) in files { try directory.write(name, bytes: bytes) }
        return try Tokenizer(directory: directory.url)
    }

    @Test("A SentencePiece model gives its ids, with the beginning of sequence in front", arguments: [1, 2])
    func sentencePiece(kind: UInt8) throws {
        let tokenizer = try tokenizer([
            "tokenizer.model": model(kind: kind),
            "tokenizer_config.json": Array(#"{"bos_token":"<s>","eos_token":"</s>"}"#.utf8),
        ])
        // Unigram takes the best sum, −3 − 2; BPE the best merge first, −1.
        #expect(tokenizer.encode("ab a") == (kind == 1 ? [1, 5, 4, 3] : [1, 3, 7, 3]))
        #expect(tokenizer.encode("  ", addSpecialTokens: false) == [5, 5, 5])
        #expect(tokenizer.encode("bab", addSpecialTokens: false) == [5, 7, 4])
        #expect(tokenizer.encode("axxb", addSpecialTokens: false) == [3, 0, 7])
        #expect(tokenizer.decode([3, 7, 3]) == "ab a")
        #expect(tokenizer.beginningOfSequence == 1 && tokenizer.endOfSequence == 2)
    }

    @Test(
        "What a user has defined is kept whole, behind the mark in front of a text and without one of its own",
        arguments: [1, 2]
    )
    func userDefined(kind: UInt8) throws {
        let pieces = [
            piece("<unk>", 0, kind: 2), piece("<s>", 0, kind: 3), piece("ab", 0, kind: 4), piece("abc", 0, kind: 4),
            piece("▁", -3), piece("a", -4), piece("b", -5), piece("c", -6), piece("ca", -2), piece("▁▁", 0, kind: 4),
        ]
        let model = pieces.flatMap(\.self) + field(2, [3 << 3, kind]) + field(3, [4 << 3, 0])
        let tokenizer = try tokenizer(["tokenizer.model": model])
        func ids(_ text: String) -> [Int] { tokenizer.encode(text, addSpecialTokens: false) }
        // The mark, then the symbol: as SentencePiece has it, and unlike a special token.
        #expect(ids("ab") == [4, 2] && ids("abc") == [4, 3] && ids("<s>ab") == [1, 4, 2])
        // Merges and scores alike would have "ca" and "b"; two spaces are a symbol too.
        #expect(ids("cab") == [4, 7, 2] && ids("a  b") == [4, 5, 9, 6] && ids("caba") == [4, 7, 2, 5])
        #expect(tokenizer.decode([4, 2, 9, 6]) == "ab  b" && !tokenizer.isSpecial(2))
    }

    @Test(
        "Where spaces at the ends are removed, marks behind a text count as such, and all that stand in front of one",
        arguments: [1, 2]
    )
    func removedSpaces(kind: UInt8) throws {
        let tokenizer = try tokenizer(["tokenizer.model": model(kind: kind) + field(3, [4 << 3, 1])])
        func ids(_ text: String) -> [Int] { tokenizer.encode(text, addSpecialTokens: false) }
        #expect(ids("a  ▁ ▁") == [3] && ids("  a") == [3] && ids("▁ ▁").isEmpty)
        // In front of a text only spaces are taken for spaces.
        #expect(ids("▁a") == [5, 3])
        #expect(tokenizer.decode([5, 5, 3, 5, 7]) == "a b")
    }

    @Test("A zero byte is in no key of a table of characters, and stays where it is")
    func zeroByte() throws {
        // One key, "b", which becomes "a": its unit, and the one of its value.
        var units = [UInt32](repeating: 0, count: 256)
        units[0x62] = 0x62 | 1 << 8 | 1 << 10
        units[0x63] = 0x8000_0000
        let words = [UInt32(4 * units.count)] + units
        let table = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        let model = model(kind: 2) + field(3, field(2, table + [0x61, 0]))
        let tokenizer = try tokenizer(["tokenizer.model": model])
        #expect(tokenizer.encode("a\0b", addSpecialTokens: false) == [3, 0, 6])
        #expect(tokenizer.encode("bb", addSpecialTokens: false) == [3, 6])
    }

    @Test("A damaged SentencePiece model is an error, wherever it ends")
    func damaged() throws {
        let bytes = model(kind: 2)
        for count in 0..<bytes.count {
            _ = try? tokenizer(["tokenizer.model": Array(bytes[..<count])])
        }
        let error = #expect(throws: TokenizerError.self) { try tokenizer(["tokenizer.model": [0xFF, 0xFF]]) }
        #expect(error?.description.contains("is no SentencePiece model") == true)
        #expect(throws: TokenizerError.self) { try tokenizer(["tokenizer.model": model(kind: 3)]) }
    }

    /// The 256 bytes and a few merges.
    private var tiktoken: String {
        let tokens = (0...255).map { [UInt8($0)] } + ["ab", " a", "abc"].map { Array($0.utf8) }
        return tokens.enumerated().map { "\(Data($1).base64EncodedString()) \($0)\n" }.joined()
    }

    @Test(
        "A tiktoken file gives its ids where it is known how text is cut",
        arguments: ["x.tiktoken", "tokenizer.model"]
    )
    func tiktokenFile(name: String) throws {
        let configuration =
            #"{"pat_str":" ?\\p{L}+|.","added_tokens_decoder":{"259":{"content":"<s>"}},"bos_token":"<s>"}"#
        let tokenizer = try tokenizer([
            name: Array(tiktoken.utf8), "tokenizer_config.json": Array(configuration.utf8),
        ])
        #expect(tokenizer.encode("abc ab<s>") == [258, 32, 256, 259])
        #expect(tokenizer.decode([258, 32, 256]) == "abc ab")
        #expect(tokenizer.beginningOfSequence == 259)
        let error = #expect(throws: TokenizerError.self) { try self.tokenizer([name: Array(tiktoken.utf8)]) }
        #expect(error?.description.contains("pat_str") == true)
        #expect(throws: TokenizerError.self) { try self.tokenizer(["x.tiktoken": Array("YQ== 1\n".utf8)]) }
        #expect(throws: TokenizerError.self) { try self.tokenizer(["x.tiktoken": Array("?".utf8)]) }
    }
}
