/// Byte-pair encoding: the characters of a piece, merged pair by pair in the order in which training learnt the merges.
struct BytePairEncoding: TokenModel {
    let vocabulary: Vocabulary
    let merges: MergeTable
    /// What stands for a character that the vocabulary lacks; without it such characters vanish.
    let unknown: UInt32?
    /// Whether a run of unknown characters is one token.
    let fusesUnknown: Bool
    /// The tokens `<0x00>` to `<0xFF>` that spell a character that the vocabulary lacks; empty where the model has no
    /// such fallback, `nil` where it lacks a byte.
    let byteTokens: [UInt32?]
    /// What every character but a piece's first one is prefixed with.
    let continuationPrefix: [UInt8]
    /// What a piece's last character is suffixed with.
    let endSuffix: [UInt8]
    /// Whether a piece that is itself a token is taken whole, also where merges would not build it.
    let takesWholePieces: Bool
    /// The tokens of single characters of the basic plane, -1 where there is none: nearly every look-up is one of
    /// these.
    private let characterTokens: [Int32]
    private let joins: JoinFilter
    private let spaces = EncodingSpaces()

    init(_ setting: Setting) throws(TokenizerError) {
        vocabulary = try Self.vocabulary(setting.required("vocab"))
        continuationPrefix = Array((try setting["continuing_subword_prefix"]?.string() ?? "").utf8)
        endSuffix = Array((try setting["end_of_word_suffix"]?.string() ?? "").utf8)
        fusesUnknown = try setting.bool("fuse_unk", default: false)
        takesWholePieces = try setting.bool("ignore_merges", default: false)
        unknown = try Self.unknownToken(setting, vocabulary)
        byteTokens = try setting.bool("byte_fallback", default: false) ? Self.byteTokens(vocabulary) : []
        merges = try Self.merges(setting.required("merges"), vocabulary, prefixLength: continuationPrefix.count)
        characterTokens = Self.characterTokens(vocabulary)
        joins = JoinFilter(vocabulary)
        if let dropout = setting["dropout"], dropout.value.number != 0 {
            throw dropout.invalid(
                "asks for random merges, which would encode a text differently every time; set it to null"
            )
        }
    }

    func encode(_ text: PieceText, into ids: inout [Int]) {
        spaces.borrow { space in
            text.bytes.withUnsafeBufferPointer { bytes in
                for piece in text.pieces {
                    encode(UnsafeBufferPointer(rebasing: bytes[piece]), into: &ids, with: &space)
                }
            }
        }
    }

    private func encode(_ piece: UnsafeBufferPointer<UInt8>, into ids: inout [Int], with space: inout EncodingSpace) {
        if piece.count <= Self.longestUncutPiece || !continuationPrefix.isEmpty || !endSuffix.isEmpty {
            encodeUncut(piece, into: &ids, with: &space)
        } else if takesWholePieces, let id = vocabulary.id(of: piece) {
            ids.append(id)
        } else {
            forEachIndependentPart(of: piece) { encodeMerging($0, into: &ids, with: &space) }
        }
    }

    /// Pieces of ordinary words are not worth the search for places to cut.
    private static let longestUncutPiece = 32

    /// Cuts a long piece, such as a whole text of a model without a pre-tokenizer, where no merge can cross.
    private func forEachIndependentPart(
        of piece: UnsafeBufferPointer<UInt8>,
        _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        var start = 0
        var position = 0
        var previous: UInt32?
        while position < piece.count {
            let scalar = UTF8Text.scalar(at: position, in: piece)
            let isKnown = scalar < 0x10000 && characterTokens[Int(scalar)] >= 0
            if isKnown, let previous, !joins.mayJoin(previous, scalar) {
                body(UnsafeBufferPointer(rebasing: piece[start..<position]))
                start = position
            }
            // Unknown characters may fuse with their neighbours, whatever these are.
            previous = isKnown ? scalar : nil
            position += UTF8Text.lengthOfCharacter(startingWith: piece[position])
        }
        body(UnsafeBufferPointer(rebasing: piece[start...]))
    }

    private func encodeUncut(
        _ piece: UnsafeBufferPointer<UInt8>,
        into ids: inout [Int],
        with space: inout EncodingSpace
    ) {
        if takesWholePieces, let id = vocabulary.id(of: piece) {
            ids.append(id)
        } else {
            encodeMerging(piece, into: &ids, with: &space)
        }
    }

    private func encodeMerging(
        _ piece: UnsafeBufferPointer<UInt8>,
        into ids: inout [Int],
        with space: inout EncodingSpace
    ) {
        let key = PieceCache.key(piece)
        if let key, space.cache.append(key, to: &ids) { return }
        let start = ids.count
        space.symbols.removeAll()
        appendCharacters(of: piece, to: &space.symbols)
        space.symbols.merge(using: merges)
        space.symbols.appendIDs(to: &ids)
        if let key { space.cache.insert(key, ids[start...]) }
    }

    private func appendCharacters(of piece: UnsafeBufferPointer<UInt8>, to symbols: inout SymbolChain) {
        var hasPendingUnknown = false
        var start = 0
        while start < piece.count {
            let end = start + UTF8Text.lengthOfCharacter(startingWith: piece[start])
            let character = UnsafeBufferPointer(rebasing: piece[start..<end])
            if let id = token(of: character, isFirst: start == 0, isLast: end == piece.count) {
                if hasPendingUnknown, let unknown { symbols.append(unknown) }
                hasPendingUnknown = false
                symbols.append(id)
            } else if let bytes = bytes(of: character, isFirst: start == 0, isLast: end == piece.count) {
                // The reference lets an unknown character wait behind the bytes of those that follow it.
                for id in bytes { symbols.append(id) }
            } else if let unknown {
                if hasPendingUnknown, !fusesUnknown { symbols.append(unknown) }
                hasPendingUnknown = true
            }
            start = end
        }
        if hasPendingUnknown, let unknown { symbols.append(unknown) }
    }

    private func token(of character: UnsafeBufferPointer<UInt8>, isFirst: Bool, isLast: Bool) -> UInt32? {
        if continuationPrefix.isEmpty, endSuffix.isEmpty {
            if let scalar = UTF8Text.basicPlaneScalar(of: character) {
                let id = characterTokens[scalar]
                return id < 0 ? nil : UInt32(id)
            }
            return vocabulary.id(of: character).map { UInt32($0) }
        }
        return vocabulary.id(of: affixed(character, isFirst: isFirst, isLast: isLast)).map { UInt32($0) }
    }

    /// The byte tokens that spell a character, or `nil` where the model does not fall back to bytes or lacks one of
    /// them.
    private func bytes(of character: UnsafeBufferPointer<UInt8>, isFirst: Bool, isLast: Bool) -> [UInt32]? {
        guard !byteTokens.isEmpty else { return nil }
        let bytes = affixed(character, isFirst: isFirst, isLast: isLast)
        let ids = bytes.compactMap { byteTokens[Int($0)] }
        return ids.count == bytes.count ? ids : nil
    }

    private func affixed(_ character: UnsafeBufferPointer<UInt8>, isFirst: Bool, isLast: Bool) -> [UInt8] {
        (isFirst ? [] : continuationPrefix) + character + (isLast ? endSuffix : [])
    }

    private static func characterTokens(_ vocabulary: Vocabulary) -> [Int32] {
        var tokens = [Int32](repeating: -1, count: 0x10000)
        for id in 0..<vocabulary.size {
            guard let token = vocabulary.token(id), !token.isEmpty else { continue }
            token.withUnsafeBufferPointer { bytes in
                guard let scalar = UTF8Text.basicPlaneScalar(of: bytes) else { return }
                tokens[scalar] = Int32(id)
            }
        }
        return tokens
    }
}
