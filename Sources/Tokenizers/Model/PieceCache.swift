/// The ids of short pieces that were encoded before: words repeat, so nearly every piece is found here.
///
/// Each piece has one place, by its hash, and takes it from the piece that was there. So memory is bounded, nothing is
/// ever cleared, and what is handed out never depends on what was encoded before: an entry is only used for the very
/// bytes it was made of.
struct PieceCache {
    /// The longest piece that is kept, in bytes.
    static let longestPiece = 16
    private static let mostIDs = 5
    private static let placeCount = 1 << 15

    private struct Entry {
        var key = Key(low: 0, high: 0, count: 0)
        var count: Int32 = 0
        var ids: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0)
    }

    /// The bytes of a piece, padded with zeros, and how many they are.
    struct Key: Equatable {
        var low: UInt64
        var high: UInt64
        var count: Int32

        fileprivate var place: Int {
            let mixed = (low ^ high &* 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            return Int(truncatingIfNeeded: (mixed.high ^ mixed.low) &+ UInt64(bitPattern: Int64(count)))
                & (placeCount - 1)
        }
    }

    /// A place whose key has the count 0, which no piece has, is free.
    private var entries = [Entry](repeating: Entry(), count: Self.placeCount)

    /// The key of a piece, or `nil` where it is empty or too long to be kept.
    static func key(_ piece: UnsafeBufferPointer<UInt8>) -> Key? {
        guard !piece.isEmpty, piece.count <= longestPiece else { return nil }
        let bytes = UnsafeRawBufferPointer(piece)
        let low = word(bytes, 0..<min(8, bytes.count))
        return Key(low: low, high: bytes.count > 8 ? word(bytes, 8..<bytes.count) : 0, count: Int32(bytes.count))
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt64 {
        if range.count == 8 { return bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt64.self) }
        var word: UInt64 = 0
        for offset in range.reversed() { word = word << 8 | UInt64(bytes[offset]) }
        return word
    }

    /// Appends the ids of a piece, or says that they are not known.
    func append(_ key: Key, to ids: inout [Int]) -> Bool {
        let entry = entries[key.place]
        guard entry.key == key else { return false }
        ids.append(Int(entry.ids.0))
        if entry.count > 1 { appendRest(of: entry, to: &ids) }
        return true
    }

    private func appendRest(of entry: Entry, to ids: inout [Int]) {
        withUnsafeBytes(of: entry.ids) { bytes in
            for id in bytes.bindMemory(to: UInt32.self)[1..<Int(entry.count)] { ids.append(Int(id)) }
        }
    }

    /// Keeps the ids of a piece, where there is at least one and they are few.
    mutating func insert(_ key: Key, _ ids: ArraySlice<Int>) {
        guard !ids.isEmpty, ids.count <= Self.mostIDs else { return }
        var entry = Entry(key: key, count: Int32(ids.count))
        withUnsafeMutableBytes(of: &entry.ids) { bytes in
            let places = bytes.bindMemory(to: UInt32.self)
            for (place, id) in ids.enumerated() { places[place] = UInt32(id) }
        }
        entries[key.place] = entry
    }
}
