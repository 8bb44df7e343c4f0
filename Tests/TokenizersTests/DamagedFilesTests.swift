import Foundation
import JSONText
import TestSupport
import Testing
import Tokenizers

/// Files of every kind, damaged in every way: each is read, or refused by one sentence.
///
/// `$RTO_DAMAGED_FILES` is how many damaged copies are tried of each, in the place of the usual few.
@Suite("Damaged files") struct DamagedFilesTests {
    private static let bundled = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fuzz")
    private static let count =
        ProcessInfo.processInfo.environment["RTO_DAMAGED_FILES"].flatMap { Int($0) } ?? 60
    private static let text = "Ünder the [CLS] 日本語 x\u{301}\n <s> 12,5 ﬁne"

    /// Bytes by a generator of its own, so that a failure comes again.
    private struct Damage {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(max(1, bound)))
        }

        /// A copy with a byte changed, a part left out or doubled, or the end missing.
        mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            for _ in 0...below(3) where !bytes.isEmpty {
                let start = below(bytes.count)
                let end = min(bytes.count, start + 1 + below(12))
                switch below(5) {
                case 0: bytes[start] = UInt8(below(256))
                case 1: bytes[start] ^= UInt8(1 << below(8))
                case 2: bytes.removeSubrange(start..<end)
                case 3: bytes.insert(contentsOf: bytes[start..<end], at: start)
                default: bytes.removeSubrange(max(start, bytes.count - 200)...)
                }
            }
            return bytes
        }
    }

    private func expectOneSentence(_ name: String, _ bytes: [UInt8], beside files: [String: String] = [:]) throws {
        let directory = try TemporaryDirectory()
        try directory.write(name, bytes: bytes)
        for (name, text) in files { try directory.write(name, text) }
        do throws(TokenizerError) {
            let tokenizer = try Tokenizer(directory: directory.url)
            // What is read must not trap where it is used.
            let ids = tokenizer.encode(Self.text)
            _ = tokenizer.decode(ids)
            #expect(tokenizer.pieces(of: ids).count == ids.count)
        } catch {
            #expect(!error.description.isEmpty && !error.description.contains("\n"), "\(error.description)")
        }
    }

    @Test("a tokenizer.json", arguments: ["wordpiece_uncased", "wordlevel_ctc", "unigram_precompiled", "bpe_prefix"])
    func json(kind: String) throws {
        let bytes = Array(try Data(contentsOf: Self.bundled.appending(path: kind + "/tokenizer.json")))
        var damage = Damage(state: UInt64(kind.utf8.count))
        for _ in 0..<Self.count { try expectOneSentence("tokenizer.json", damage.damaged(bytes)) }
    }

    @Test("a SentencePiece model with a table of characters", arguments: [1, 2]) func sentencePiece(kind: UInt8) throws
    {
        let file = try JSON(
            parsing: Data(contentsOf: Self.bundled.appending(path: "unigram_precompiled/tokenizer.json"))
        )
        let table = try #require(file["normalizer"]?["normalizers"]?[0]?["precompiled_charsmap"]?.string)
        let map = Array(try #require(Data(base64Encoded: table)))
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            var length: [UInt8] = []
            var rest = bytes.count
            repeat {
                length.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
                rest >>= 7
            } while rest > 0
            return [number << 3 | 2] + length + bytes
        }
        func piece(_ text: String, _ score: Float, _ kind: UInt8) -> [UInt8] {
            let bits = (0..<4).map { UInt8(truncatingIfNeeded: score.bitPattern >> (8 * $0)) }
            return field(1, field(1, Array(text.utf8)) + [2 << 3 | 5] + bits + [3 << 3, kind])
        }
        let texts = ["▁", "a", "b", "x", "ab", "▁ab", "日本", "12"]
        let pieces =
            [piece("<unk>", 0, 2), piece("<s>", 0, 3), piece("</s>", 0, 3)]
            + texts.enumerated().map { piece($1, -Float($0) - 1, 1) }
        let model = pieces.flatMap(\.self) + field(2, [3 << 3, kind]) + field(3, field(2, map) + [4 << 3, 0])
        try expectOneSentence("tokenizer.model", model)
        var damage = Damage(state: UInt64(kind))
        for _ in 0..<Self.count { try expectOneSentence("tokenizer.model", damage.damaged(model)) }
        // The table itself is most of the file; the rest is damaged as often.
        let small = pieces.flatMap(\.self) + field(2, [3 << 3, kind]) + field(3, [4 << 3, 1])
        for _ in 0..<Self.count { try expectOneSentence("tokenizer.model", damage.damaged(small)) }
    }

    @Test("a tiktoken file") func tiktoken() throws {
        let tokens = (0...255).map { [UInt8($0)] } + ["ab", " a", "abc", "日"].map { Array($0.utf8) }
        let lines = tokens.enumerated().map { "\(Data($1).base64EncodedString()) \($0)\n" }.joined()
        let configuration = ["tokenizer_config.json": #"{"pat_str":" ?\\p{L}+|.","bos_token":"<s>"}"#]
        var damage = Damage(state: 3)
        for _ in 0..<Self.count {
            try expectOneSentence("x.tiktoken", damage.damaged(Array(lines.utf8)), beside: configuration)
        }
    }

    @Test(
        "what is wrong is said",
        arguments: [
            ("x.tiktoken", "", "holds no tokens"),
            ("x.tiktoken", "YQ== 0\nYQ== 1\n", "line 2: the token YQ== has a rank already"),
            ("x.tiktoken", "YQ== 0\nYg== 2\n", "line 2: expected a token in Base64 and the rank 1"),
            ("x.tiktoken", "YQ== 99999999999999999999\n", "line 1: expected a token"),
            ("x.tiktoken", "YQ 0", "line 1: expected"),
            ("x.tiktoken", "YQ== 0\n", "it is not known how a vocabulary of that size cuts text"),
            ("tokenizer.model", "", "is no SentencePiece model, or is damaged"),
            ("tokenizer.model", "version https://git-lfs.github.com/spec/v1\n", "is no SentencePiece model"),
            ("tokenizer.json", "version https://git-lfs.github.com/spec/v1\n", "is not valid JSON: line 1"),
        ]
    )
    func sentences(name: String, content: String, sentence: String) throws {
        let files = try TemporaryTokenizer(files: [name: content])
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(directory: files.directory) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    @Test(
        "a WordPiece vocabulary may have gaps; what it lacks is named",
        arguments: [
            (["[UNK]": 0, "a": 5, "##b": 900], nil),
            (["a": 0], #"names the unknown token "[UNK]", which is not in the vocabulary"#),
            (["[UNK]": 0, "a": 0], #"gives the id 0 to both "#),
            (["[UNK]": -1], #"gives "[UNK]" an id that is not a whole number"#),
            (["[UNK]": 10_000_000], #"gives "[UNK]" an id"#), (["[UNK]": "x"], #"gives "[UNK]" an id"#), ([], "[UNK]"),
        ] as [(JSON, String?)]
    )
    func wordPiece(vocabulary: JSON, sentence: String?) throws {
        let vocabulary: JSON = vocabulary.array == nil ? vocabulary : .object(JSONObject())
        let file: JSON = ["model": ["type": "WordPiece", "unk_token": "[UNK]", "vocab": vocabulary]]
        guard let sentence else {
            let found = try tokenizer(file)
            #expect(found.encode("ab") == [5, 900] && found.encode("c") == [0] && found.vocabularySize == 901)
            #expect(found.token(3) == nil && found.decode([3, 5]) == "a")
            return
        }
        let error = #expect(throws: TokenizerError.self) { try tokenizer(file) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    @Test("a token of a million bytes does not stop the reading") func longToken() throws {
        let long = Data(repeating: 0x61, count: 1_000_000).base64EncodedString()
        let directory = try TemporaryDirectory()
        try directory.write("x.tiktoken", "YQ== 0\nYWE= 1\n\(long) 2\n")
        try directory.write("tokenizer_config.json", #"{"pat_str":".+"}"#)
        #expect(try Tokenizer(directory: directory.url).encode("aaa") == [1, 0])
    }
}
