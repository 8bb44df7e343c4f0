import Foundation
import JSONText

extension FoldTable {
    /// Reads a table: a JSON list of fold numbers, a text of digits, or an object of either by the number of rows.
    ///
    /// - Throws: ``EvaluationError`` where there is no table for as many rows as the fit has.
    public init(path: String, rows gamed: GamedRows, _ rows: LengthControl.Rows) throws(EvaluationError) {
        let count = gamed.labels.count + rows.labels.count { $0 != nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EvaluationError("\(path): there is no such file, or it cannot be read")
        }
        let file: JSON
        do { file = try JSON(parsing: data) } catch { throw EvaluationError("\(path), \(error)") }
        let table = file.object == nil ? file : file[String(count)] ?? .null
        let folds = table.string.map { $0.map(\.wholeNumberValue) } ?? table.array?.map(\.integer) ?? []
        let known = folds.compactMap { $0 }.filter { $0 >= 0 }
        guard known.count == folds.count, known.count == count else {
            throw EvaluationError(
                "\(path): there is no list of \(count) fold numbers in it, one for each row of the fit"
            )
        }
        self.init(known)
    }
}
