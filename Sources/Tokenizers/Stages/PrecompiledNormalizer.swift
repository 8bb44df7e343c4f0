import Foundation

/// SentencePiece's own normalisation: a compiled table from characters, and short clusters of them, to what becomes of them.
struct PrecompiledNormalizer: Normalizer {
    /// A double array of the tree of all keys, as the Darts library lays it out.
    private let units: [UInt32]
    /// The values, each ended by a zero.
    private let values: [UInt8]

    /// Whether the longest key at each place counts, as in SentencePiece, rather than the shortest one of each cluster of characters, as
    /// in the `tokenizers` library.
    private let matchesLongest: Bool
    /// What stays as it is, where the longest key counts.
    private let kept: KeptTokens?

    init(base64 text: String, matchesLongest: Bool, kept: KeptTokens?, at setting: Setting) throws(TokenizerError) {
        guard let data = Data(base64Encoded: text) else { throw setting.invalid("is not in Base64") }
        try self.init(Array(data), matchesLongest: matchesLongest, kept: kept, invalid: setting.invalid)
    }

    /// Reads the table from its bytes: the size of the tree, the tree, the values.
    init(
        _ bytes: [UInt8],
        matchesLongest: Bool,
        kept: KeptTokens? = nil,
        invalid: (String) -> TokenizerError
    ) throws(TokenizerError) {
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
        }
        guard bytes.count >= 4 else { throw invalid("is too short for a table") }
        let size = Int(word(0))
        guard size % 4 == 0, size >= 4, bytes.count - 4 >= size else { throw invalid("is cut short") }
        units = stride(from: 4, to: 4 + size, by: 4).map(word)
        values = Array(bytes[(4 + size)...])
        guard String(validating: values, as: UTF8.self) != nil else { throw invalid("has a value that is no UTF-8") }
        self.matchesLongest = matchesLongest
        self.kept = kept
    }

    func normalize(_ text: inout [UInt8]) {
        if matchesLongest { return replaceLongest(in: &text) }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        forEachReplacement(in: text) { _, new in result += new }
        text = result
    }

    /// As the `tokenizers` library counts: what replaces several characters stands in their places one after the other, and what
    /// nothing is left of in front counts as never having been there.
    func normalize(_ text: inout [UInt8], openingLength: inout Int) {
        guard !matchesLongest else { return normalize(&text, following: &openingLength) }
        let openingCount = text.prefix(openingLength).count(where: { !Self.continues($0) })
        var (result, length, place) = ([UInt8](), 0, 0)
        forEachReplacement(in: text) { old, new in
            let oldCount = old.count(where: { !Self.continues($0) })
            var newCount = 0
            for byte in new {
                if !Self.continues(byte) { newCount += 1 }
                if place + min(newCount, oldCount) <= openingCount { length += 1 }
            }
            result += new
            if !result.isEmpty { place += oldCount }
        }
        (text, openingLength) = (result, length)
    }

    private func replaceLongest(in text: inout [UInt8]) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let keptEnd = kept.flatMap { kept in
                text.withUnsafeBufferPointer { kept.longest(at: position, in: $0)?.end }
            }
            if let keptEnd {
                result += text[position..<keptEnd]
                position = keptEnd
            } else if let (value, length) = match(text[position...], isLongest: true) {
                result += value
                position += length
            } else {
                let end = position + UTF8Text.lengthOfCharacter(startingWith: text[position])
                result += text[position..<end]
                position = end
            }
        }
        text = result
    }

    /// Calls `body` with the characters of a text, or short clusters of them, and what becomes of each.
    private func forEachReplacement(in text: [UInt8], _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void) {
        for cluster in String(decoding: text, as: UTF8.self) {
            let cluster = Array(cluster.utf8)
            if cluster.count < 6, let value = value(of: cluster[...]) {
                body(cluster[...], value)
                continue
            }
            var position = 0
            while position < cluster.count {
                let end = position + UTF8Text.lengthOfCharacter(startingWith: cluster[position])
                let character = cluster[position..<end]
                body(character, value(of: character) ?? character)
                position = end
            }
        }
    }

    private func value(of bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? { match(bytes, isLongest: false)?.value }

    /// The value and the length of the shortest or longest key that the bytes begin with, or nil.
    private func match(_ bytes: ArraySlice<UInt8>, isLongest: Bool) -> (value: ArraySlice<UInt8>, length: Int)? {
        var found: (value: ArraySlice<UInt8>, length: Int)?
        var node = Self.offset(units[0])
        for (position, byte) in bytes.enumerated() {
            node ^= Int(byte)
            // A zero ends keys and is in none.
            guard byte != 0, units.indices.contains(node), units[node] & 0x8000_00FF == UInt32(byte) else {
                return found
            }
            let unit = units[node]
            node ^= Self.offset(unit)
            guard unit >> 8 & 1 == 1, units.indices.contains(node) else { continue }
            let start = Int(units[node] & 0x7FFF_FFFF)
            // A damaged table may point into a character, or have a key that ends in one: later stages trust in whole characters.
            guard values.indices.contains(start), !Self.continues(values[start]) else { return found }
            let next = bytes.startIndex + position + 1
            guard !isLongest || next == bytes.endIndex || !Self.continues(bytes[next]) else { continue }
            found = (values[start...].prefix { $0 != 0 }, position + 1)
            if !isLongest { return found }
        }
        return found
    }

    /// Whether a byte is one behind a character's first.
    private static func continues(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    private static func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & (1 << 9)) >> 6)) }
}
