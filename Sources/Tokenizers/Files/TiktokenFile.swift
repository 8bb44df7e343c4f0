import Foundation
import JSONText

/// A vocabulary in tiktoken's form, told as the `tokenizer.json` that means the same.
///
/// Each line has a token's bytes in Base64 and its rank. The file says neither how text is cut into words nor which special tokens there
/// are: the former is taken for those vocabularies whose cutting is known by their size, the latter from `tokenizer_config.json`.
struct TiktokenFile {
    private let path: String
    /// The tokens' bytes by rank.
    private let tokens: [[UInt8]]

    /// How the vocabularies that are known cut text into words, by the number of their tokens.
    private static let patterns: [Int: String] = [
        128_000: llama3, 100_256: llama3,
        151_643:
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
    ]
    private static let llama3 =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    init(file: URL) throws(TokenizerError) {
        path = file.path
        let text: String
        do {
            text = try String(contentsOf: file, encoding: .utf8)
        } catch {
            throw TokenizerError("cannot read \(file.path): \(error.localizedDescription)")
        }
        var tokens: [[UInt8]] = []
        var seen: Set<[UInt8]> = []
        for (number, line) in text.split(separator: "\n").enumerated() {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let bytes = Data(base64Encoded: String(parts[0])), !bytes.isEmpty,
                let rank = Int(parts[1].trimmingCharacters(in: .whitespaces)), rank == tokens.count
            else {
                throw TokenizerError(
                    "\(file.path), line \(number + 1): expected a token in Base64 and the rank \(tokens.count)"
                )
            }
            guard seen.insert(Array(bytes)).inserted else {
                throw TokenizerError(
                    "\(file.path), line \(number + 1): the token \(parts[0]) has a rank already"
                )
            }
            tokens.append(Array(bytes))
        }
        guard !tokens.isEmpty else { throw TokenizerError("\(file.path) holds no tokens") }
        self.tokens = tokens
    }

    /// The same as `tokenizer.json` would have it.
    ///
    /// - Parameter specialTokens: The tokens that the configuration adds, by id.
    func tokenizerFile(specialTokens: [Int: String], pattern: String?) throws(TokenizerError) -> JSON {
        guard let pattern = pattern ?? Self.patterns[tokens.count] else {
            throw TokenizerError(
                "\(path) has \(tokens.count) tokens, and it is not known how a vocabulary of that size cuts text into words; give a"
                    + " tokenizer.json, or the pattern under \"pat_str\" in tokenizer_config.json"
            )
        }
        var vocabulary = JSONObject()
        for (rank, token) in tokens.enumerated() { vocabulary[Self.spelled(token)] = .integer(rank) }
        let added = specialTokens.sorted { $0.key < $1.key }.map { id, content -> JSON in
            ["id": .integer(id), "content": .string(content), "special": true, "normalized": false]
        }
        let split: JSON = [
            "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated", "invert": false,
        ]
        let bytes: JSON = ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false, "trim_offsets": true]
        return [
            "added_tokens": .array(added),
            "pre_tokenizer": ["type": "Sequence", "pretokenizers": [split, bytes]], "decoder": ["type": "ByteLevel"],
            "model": [
                "type": "BPE", "ignore_merges": true, "vocab": .object(vocabulary), "merges": .array(merges()),
            ],
        ]
    }

    private static func spelled(_ token: [UInt8]) -> String {
        var spelled: [UInt8] = []
        token.withUnsafeBufferPointer { ByteAlphabet.appendSpelling(of: $0, to: &spelled) }
        return String(decoding: spelled, as: UTF8.self)
    }

    /// All pairs of tokens that make a token together, in the order of the latter's rank.
    private func merges() -> [JSON] {
        let ranks = Set(tokens)
        // Where no token is as long as a part, the part needs no look-up: of a very long token there are very many.
        let lengths = Set(tokens.map(\.count))
        var merges: [JSON] = []
        for token in tokens {
            for cut in token.indices.dropFirst() where lengths.contains(cut) && lengths.contains(token.count - cut) {
                let (left, right) = (Array(token[..<cut]), Array(token[cut...]))
                guard ranks.contains(left), ranks.contains(right) else { continue }
                merges.append([.string(Self.spelled(left)), .string(Self.spelled(right))])
            }
        }
        return merges
    }
}
