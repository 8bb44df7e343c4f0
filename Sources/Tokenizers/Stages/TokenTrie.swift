/// A prefix tree of byte strings that finds the leftmost match and, of those that begin there, the longest.
struct TokenTrie: Sendable {
    /// Children by `node << 8 | byte`.
    private var children: [UInt64: Int] = [:]
    /// The pattern that ends at each node, or `nil`.
    private var patterns: [Int?] = [nil]
    /// Which bytes begin a pattern: most positions of a text are ruled out by this alone.
    private var firstBytes = [Bool](repeating: false, count: 256)

    init(_ patterns: [[UInt8]]) {
        for (number, pattern) in patterns.enumerated() { insert(pattern, number) }
    }

    private mutating func insert(_ pattern: [UInt8], _ number: Int) {
        guard let first = pattern.first else { return }
        firstBytes[Int(first)] = true
        var node = 0
        for byte in pattern {
            let key = UInt64(node) << 8 | UInt64(byte)
            if let child = children[key] {
                node = child
            } else {
                children[key] = patterns.count
                node = patterns.count
                patterns.append(nil)
            }
        }
        if patterns[node] == nil { patterns[node] = number }
    }

    func firstMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (pattern: Int, range: Range<Int>)? {
        guard !children.isEmpty else { return nil }
        return firstBytes.withUnsafeBufferPointer { firstBytes in
            for position in start..<max(start, text.count) where firstBytes[Int(text[position])] {
                if let match = longestMatch(in: text, at: position) { return match }
            }
            return nil
        }
    }

    private func longestMatch(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> (pattern: Int, range: Range<Int>)?
    {
        var longest: (pattern: Int, range: Range<Int>)?
        var node = 0
        var position = start
        while position < text.count, let child = children[UInt64(node) << 8 | UInt64(text[position])] {
            node = child
            position += 1
            if let pattern = patterns[node] { longest = (pattern, start..<position) }
        }
        return longest
    }
}
