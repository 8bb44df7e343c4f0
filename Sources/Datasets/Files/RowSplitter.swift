/// Cuts a stream of bytes into the JSON texts of its rows.
protocol RowSplitter {
    /// Takes the next bytes and hands out the rows that end in them, each with the line on which it begins.
    mutating func take(
        _ piece: ArraySlice<UInt8>,
        _ body: (Int, ArraySlice<UInt8>) throws(DatasetError) -> Void
    ) throws(DatasetError)

    /// Hands out what is left at the end of the stream.
    mutating func finish(_ body: (Int, ArraySlice<UInt8>) throws(DatasetError) -> Void) throws(DatasetError)
}

/// Cuts at line ends: one row a line, blank lines left out.
struct LineSplitter: RowSplitter {
    private var line = 1
    private var pending: [UInt8] = []

    mutating func take(
        _ piece: ArraySlice<UInt8>,
        _ body: (Int, ArraySlice<UInt8>) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        var rest = piece
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if pending.isEmpty {
                try emit(rest[..<end], body)
            } else {
                pending += rest[..<end]
                try emit(pending[...], body)
                pending.removeAll(keepingCapacity: true)
            }
            line += 1
            rest = rest[(end + 1)...]
        }
        pending += rest
    }

    mutating func finish(_ body: (Int, ArraySlice<UInt8>) throws(DatasetError) -> Void) throws(DatasetError) {
        try emit(pending[...], body)
        pending = []
    }

    private func emit(
        _ row: ArraySlice<UInt8>,
        _ body: (Int, ArraySlice<UInt8>) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        if !row.allSatisfy(isJSONWhitespace) { try body(line, row) }
    }
}

/// Cuts one JSON list into its elements, without holding more than one of them.
struct ElementSplitter: RowSplitter {
    private enum Place { case beforeList, insideList, behindList }

    let path: String
    private var place = Place.beforeList
    private var line = 1
    private var startLine = 1
    private var pending: [UInt8] = []
    private var elementCount = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    init(path: String) { self.path = path }

    mutating func take(
        _ piece: ArraySlice<UInt8>,
        _ body: (Int, ArraySlice<UInt8>) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        for byte in piece {
            switch place {
            case .insideList: try takeInside(byte, body)
            case .beforeList where byte == UInt8(ascii: "["): place = .insideList
            case .beforeList, .behindList:
                guard isJSONWhitespace(byte) else { throw error("more follows the list of rows") }
            }
            if byte == UInt8(ascii: "\n") { line += 1 }
        }
    }

    mutating func finish(_ body: (Int, ArraySlice<UInt8>) throws(DatasetError) -> Void) throws(DatasetError) {
        guard place == .behindList else { throw error("the list of rows is not closed: the file was cut short") }
    }

    private mutating func takeInside(
        _ byte: UInt8,
        _ body: (Int, ArraySlice<UInt8>) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        if pending.isEmpty {
            if isJSONWhitespace(byte) { return }
            startLine = line
        }
        if depth == 0 && !isInString && (byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]")) {
            try endElement(at: byte, body)
        } else {
            follow(byte)
            pending.append(byte)
        }
    }

    private mutating func endElement(
        at byte: UInt8,
        _ body: (Int, ArraySlice<UInt8>) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        let isEnd = byte == UInt8(ascii: "]")
        if isEnd { place = .behindList }
        if isEnd && pending.isEmpty && elementCount == 0 { return }
        guard !pending.isEmpty else { throw error("a row is missing beside a comma") }
        elementCount += 1
        try body(startLine, pending[...])
        pending.removeAll(keepingCapacity: true)
    }

    /// Keeps count of what is open; whether it is well-formed is the parser's question.
    private mutating func follow(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
            return
        }
        switch byte {
        case UInt8(ascii: "\\") where isInString: isEscaped = true
        case UInt8(ascii: "\""): isInString.toggle()
        case _ where isInString: break
        case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
        default: break
        }
    }

    private func error(_ reason: String) -> DatasetError {
        DatasetError(location: RowLocation(path: path, line: line), .notJSON(reason: reason))
    }
}

/// Whether a byte is one that JSON allows between values.
func isJSONWhitespace(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x20, 0x09, 0x0A, 0x0D: true
    default: false
    }
}
