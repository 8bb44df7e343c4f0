extension Value {
    /// Goes through the value as Python's `iter` does.
    func iterator() throws(Fault) -> ValueIterator {
        switch self {
        case .iterator(let iterator): return iterator
        case .range(let range):
            var position = 0
            return ValueIterator { () throws(Fault) in
                guard position < range.count else { return nil }
                defer { position += 1 }
                return range[position]
            }
        case .object(let object): return try object.iterator()
        default:
            guard let elements = try sequenceElements() else {
                throw .evaluation("a value of type '\(typeName)' cannot be gone through")
            }
            return ValueIterator(elements)
        }
    }

    /// All that the iterator gives.
    func elements() throws(Fault) -> [Value] {
        if let elements = try sequenceElements() { return elements }
        let iterator = try iterator()
        var elements: [Value] = []
        while let next = try iterator.next() {
            elements.append(next)
            try Limits.check(elements: elements.count)
        }
        return elements
    }

    private func sequenceElements() throws(Fault) -> [Value]? {
        switch self {
        case .undefined: []
        case .list(let list): list.elements
        case .tuple(let tuple): tuple.elements
        case .dictionary(let dictionary): dictionary.keys
        case .view(let view): try view.elements()
        case .string(let text): text.string.unicodeScalars.map { .text(String($0)) }
        default: nil
        }
    }

    /// Python's `len`, or nil where there is none.
    func count() throws(Fault) -> Int? {
        switch self {
        case .undefined: 0
        case .string(let text): text.string.unicodeScalars.count
        case .list(let list): list.elements.count
        case .tuple(let tuple): tuple.elements.count
        case .dictionary(let dictionary): dictionary.count
        case .view(let view): view.dictionary.count
        case .range(let range): range.count
        case .object(let object): object is LoopState ? try object.count() : nil
        case .none, .bool, .integer, .float, .iterator: nil
        }
    }
}

extension String {
    /// Where a text first stands in this one, from a position on, by characters.
    func firstRange(of part: String, from start: String.Index? = nil) -> Range<String.Index>? {
        let (whole, part) = (utf8, part.utf8)
        guard let first = part.first else { return (start ?? startIndex)..<(start ?? startIndex) }
        var position = start ?? startIndex
        while let found = whole[position...].firstIndex(of: first) {
            if whole[found...].starts(with: part) { return found..<whole.index(found, offsetBy: part.count) }
            position = whole.index(after: found)
        }
        return nil
    }
}
