import JSONText

extension BytePairEncoding {
    static func vocabulary(_ setting: Setting) throws(TokenizerError) -> Vocabulary {
        var vocabulary = Vocabulary()
        for (token, id) in try setting.object().members {
            guard let id = id.integer, TokenID.range.contains(id) else {
                throw setting.invalid(
                    "gives \"\(token)\" an id that is not a whole number from 0 to \(TokenID.range.upperBound)"
                )
            }
            guard vocabulary.insert(token, id: id) else {
                let other = vocabulary.token(id).map { String(decoding: $0, as: UTF8.self) } ?? ""
                throw setting.invalid("gives the id \(id) to both \"\(other)\" and \"\(token)\"")
            }
        }
        return vocabulary
    }

    static func unknownToken(_ setting: Setting, _ vocabulary: Vocabulary) throws(TokenizerError) -> UInt32? {
        guard let unknown = setting["unk_token"] else { return nil }
        let token = try unknown.string()
        guard let id = vocabulary.id(of: token) else {
            // Some files say "" for none.
            if token.isEmpty { return nil }
            throw unknown.invalid("is \"\(token)\", which is not in the vocabulary")
        }
        return UInt32(id)
    }

    static func byteTokens(_ vocabulary: Vocabulary) -> [UInt32?] {
        (0...255).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return vocabulary.id(of: "<0x\(byte < 16 ? "0" : "")\(digits)>").map { UInt32($0) }
        }
    }

    /// Reads merges in both forms that exist: `"a b"` and `["a", "b"]`.
    static func merges(
        _ setting: Setting,
        _ vocabulary: Vocabulary,
        prefixLength: Int
    ) throws(TokenizerError) -> MergeTable {
        let lines = try setting.array()
        var merges = MergeTable(capacity: lines.count)
        var rank: UInt32 = 0
        for (position, line) in lines.enumerated() {
            if let text = line.string, text.utf8.starts(with: "#version".utf8) { continue }
            guard let (left, right) = pair(line) else {
                throw setting.invalid("holds at position \(position) neither \"a b\" nor [\"a\", \"b\"]")
            }
            let merged = left + right.dropFirst(prefixLength)
            func id(_ token: [UInt8]) throws(TokenizerError) -> UInt32 {
                if let id = vocabulary.id(of: token) { return UInt32(id) }
                let text = String(decoding: token, as: UTF8.self)
                throw setting.invalid(
                    "needs at position \(position) the token \"\(text)\", which is not in the vocabulary"
                )
            }
            merges.insert(left: try id(left), right: try id(right), Merge(rank: rank, token: try id(merged)))
            rank += 1
        }
        return merges
    }

    private static func pair(_ merge: JSON) -> (left: [UInt8], right: [UInt8])? {
        switch merge {
        case .string(let text):
            let parts = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            return parts.count == 2 ? (Array(parts[0]), Array(parts[1])) : nil
        case .array(let parts):
            guard parts.count == 2, let left = parts[0].string, let right = parts[1].string else { return nil }
            return (Array(left.utf8), Array(right.utf8))
        default:
            return nil
        }
    }
}
