extension UnsafeBufferPointer<UInt8> {
    /// The position of the first byte that does not continue valid UTF-8, or `nil` where all is valid.
    func firstInvalidUTF8() -> Int? {
        var position = 0
        while position < count {
            position = endOfASCII(from: position)
            guard position < count else { return nil }
            guard let length = lengthOfValidSequence(at: position) else { return position }
            position += length
        }
        return nil
    }

    /// Skips ASCII eight bytes at a time: most of a JSON text is ASCII.
    private func endOfASCII(from start: Int) -> Int {
        var position = start
        let raw = UnsafeRawBufferPointer(self)
        while count - position >= 8,
            raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            position += 8
        }
        while position < count, self[position] < 0x80 { position += 1 }
        return position
    }

    /// The length of the multi-byte sequence that starts here, by the Unicode standard's table 3-7.
    private func lengthOfValidSequence(at start: Int) -> Int? {
        let (length, second): (Int, ClosedRange<UInt8>)
        switch self[start] {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        guard count - start >= length, second.contains(self[start + 1]) else { return nil }
        for offset in 2..<Swift.max(length, 2) where self[start + offset] & 0xC0 != 0x80 { return nil }
        return length
    }
}
