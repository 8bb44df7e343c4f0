import Foundation

/// A table of comma-separated values with a line of names.
struct CSVTable {
    let path: String
    let names: [String]
    private let columns: [String: Int]
    private let rows: [[String]]

    /// Reads a file.
    ///
    /// - Throws: ``EvaluationError`` where it cannot be read or a row has another number of fields than the first.
    init(_ path: String) throws(EvaluationError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EvaluationError("\(path): there is no such file, or it cannot be read")
        }
        var rows = Self.fields(Array(String(decoding: data, as: UTF8.self).unicodeScalars))
        guard !rows.isEmpty else { throw EvaluationError("\(path): the file is empty") }
        let names = rows.removeFirst()
        if let wrong = rows.firstIndex(where: { $0.count != names.count }) {
            throw EvaluationError(
                "\(path), row \(wrong + 2): \(rows[wrong].count) fields where the first line names \(names.count)"
            )
        }
        self.path = path
        self.names = names
        self.rows = rows
        columns = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    /// A column's texts.
    func texts(_ name: String) throws(EvaluationError) -> [String] {
        guard let column = columns[name] else { throw EvaluationError("\(path): there is no column \"\(name)\"") }
        return rows.map { $0[column] }
    }

    /// A column's numbers, nil where a field is empty.
    func numbers(_ name: String) throws(EvaluationError) -> [Double?] {
        var numbers: [Double?] = []
        for (row, text) in try texts(name).enumerated() {
            guard text.isEmpty || Double(text) != nil else {
                throw EvaluationError("\(path), row \(row + 2): \"\(name)\" must be a number, found '\(text)'")
            }
            numbers.append(Double(text))
        }
        return numbers
    }

    /// Splits into rows and fields; a field in double quotes may hold commas, line ends, and quotes written twice.
    private static func fields(_ text: [Unicode.Scalar]) -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var field = String.UnicodeScalarView()
        var isQuoted = false
        func endField() {
            row.append(String(field))
            field = .init()
        }
        for (index, scalar) in text.enumerated() {
            switch scalar {
            case "\"":
                if !isQuoted && index > 0 && text[index - 1] == "\"" { field.append(scalar) }
                isQuoted.toggle()
            case "," where !isQuoted: endField()
            case "\n" where !isQuoted:
                endField()
                rows.append(row)
                row = []
            case "\r" where !isQuoted: continue
            default: field.append(scalar)
            }
        }
        if !field.isEmpty || !row.isEmpty {
            endField()
            rows.append(row)
        }
        return rows
    }
}
