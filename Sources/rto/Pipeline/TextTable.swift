/// Rows of cells under a heading; the first column is aligned to the left, the others to the right.
struct TextTable {
    let heading: [String]
    let rows: [[String]]

    /// Columns of equal width, for a terminal.
    var plain: String {
        let widths = heading.indices.map { column in
            ([heading] + rows).map { $0[column].count }.max() ?? 0
        }
        return ([heading] + rows).map { row in
            zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + space : space + cell.0
            }.joined(separator: "   ")
        }.joined(separator: "\n") + "\n"
    }

    /// The same in Markdown.
    var markdown: String {
        let rule = ["---"] + heading.dropFirst().map { _ in "--:" }
        return ([heading, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n") + "\n"
    }
}
