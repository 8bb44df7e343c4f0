/// A stretch of text between added tokens on its way to the model: its bytes and the pieces that are encoded apart.
struct PieceText {
    /// Valid UTF-8.
    var bytes: [UInt8]
    /// Ascending, disjoint, never empty; what lies between them has been removed.
    var pieces: [Range<Int>]
    /// How many bytes in front the whole text's first character has become; 0 where another one, or an added token, went before.
    private(set) var openingLength: Int

    init(bytes: [UInt8], openingLength: Int) {
        self.bytes = bytes
        self.openingLength = openingLength
        pieces = bytes.isEmpty ? [] : [0..<bytes.count]
    }

    /// Rewrites every piece: `body` appends to the first buffer what becomes of the piece that it is given.
    ///
    /// - Parameter body: Called with the new bytes, the old piece and whether it begins in the whole text's first character.
    mutating func rewritePieces(_ body: (inout [UInt8], UnsafeBufferPointer<UInt8>, Bool) -> Void) {
        var newOpeningLength = 0
        var newBytes: [UInt8] = []
        newBytes.reserveCapacity(bytes.count + bytes.count / 2)
        var newPieces: [Range<Int>] = []
        newPieces.reserveCapacity(pieces.count)
        bytes.withUnsafeBufferPointer { bytes in
            for piece in pieces {
                let start = newBytes.count
                let opensText = piece.lowerBound < openingLength
                if opensText {
                    let opening = bytes[piece.clamped(to: 0..<openingLength)]
                    body(&newBytes, UnsafeBufferPointer(rebasing: opening), true)
                    newOpeningLength = newBytes.count
                    newBytes.removeSubrange(start...)
                }
                body(&newBytes, UnsafeBufferPointer(rebasing: bytes[piece]), opensText)
                if newBytes.count > start { newPieces.append(start..<newBytes.count) }
            }
        }
        bytes = newBytes
        openingLength = newOpeningLength
        pieces = newPieces
    }

    /// Cuts every piece: `body` appends the parts to keep of the piece that it is given, relative to its start.
    mutating func cutPieces(_ body: (UnsafeBufferPointer<UInt8>, inout [Range<Int>]) -> Void) {
        var newPieces: [Range<Int>] = []
        newPieces.reserveCapacity(pieces.count + bytes.count / 4)
        bytes.withUnsafeBufferPointer { bytes in
            var parts: [Range<Int>] = []
            for piece in pieces {
                parts.removeAll(keepingCapacity: true)
                body(UnsafeBufferPointer(rebasing: bytes[piece]), &parts)
                for part in parts where !part.isEmpty {
                    newPieces.append(piece.lowerBound + part.lowerBound..<piece.lowerBound + part.upperBound)
                }
            }
        }
        pieces = newPieces
    }
}
