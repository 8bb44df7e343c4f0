import Foundation
import JSONText
import Safetensors

/// What is recorded of a data set beside its tokens: what the rows were made of.
struct TokenRecord {
    private static let version = 1

    /// The digest of all that rows depend on beside what the files hold.
    let key: String
    /// The digest of the rows.
    let digest: String
    /// The rows of each source.
    let counts: [Int]
    /// The data files by the numbers that rows name them by.
    let paths: [String]
    var files: [SourceFile]
    let report: DatasetReport

    init(
        key: String,
        digest: String,
        counts: [Int],
        paths: [String],
        files: [SourceFile],
        report: DatasetReport
    ) {
        (self.key, self.digest, self.counts) = (key, digest, counts)
        (self.paths, self.files, self.report) = (paths, files, report)
    }

    /// Reads a record; nil where there is none.
    ///
    /// - Throws: `DatasetError` for a file that is there and is no whole record: what it stands for must not be made anew unnoticed.
    init?(_ url: URL) throws(DatasetError) {
        guard (try? url.checkResourceIsReachable()) == true else { return nil }
        guard let data = FileManager.default.contents(atPath: url.path), let json = try? JSON(parsing: [UInt8](data)),
            json["version"]?.integer == Self.version, let record = TokenRecord(json: json)
        else { throw DatasetError(path: url.path, .damagedTokens) }
        self = record
    }

    private init?(json: JSON) {
        guard let key = json["key"]?.string, let digest = json["digest"]?.string,
            let counts = Self.all(json["rows"], \.integer), counts.allSatisfy({ $0 >= 0 }),
            let paths = Self.all(json["paths"], \.string), let files = Self.all(json["files"], SourceFile.init(json:)),
            let report = json["report"].flatMap(DatasetReport.init(json:))
        else { return nil }
        self.init(key: key, digest: digest, counts: counts, paths: paths, files: files, report: report)
    }

    /// The elements of a list, or nil where it is none or one of them is of the wrong kind.
    private static func all<Element>(_ list: JSON?, _ element: (JSON) -> Element?) -> [Element]? {
        guard let list = list?.array else { return nil }
        let elements = list.compactMap(element)
        return elements.count == list.count ? elements : nil
    }

    func write(to url: URL) throws {
        let json: JSON = [
            "version": .integer(Self.version), "key": .string(key), "digest": .string(digest),
            "rows": .array(counts.map(JSON.integer)), "paths": .array(paths.map(JSON.string)),
            "files": .array(files.map(\.json)), "report": report.json,
        ]
        try AtomicFile.write(Array((json.serialized(pretty: true) + "\n").utf8), to: url)
    }

    /// The number of rows of all sources; nil where no file can hold so many.
    var rowCount: Int? {
        var sum = 0
        for count in counts {
            let (next, isTooLarge) = sum.addingReportingOverflow(count)
            if isTooLarge { return nil }
            sum = next
        }
        return sum
    }

    /// The files that are gone, which is no loss as long as their tokens are here, and those that may have changed.
    ///
    /// - Throws: `DatasetError` for a file that has changed, and for one that has come into a directory.
    func compare(with sources: [DatasetSource]) throws(DatasetError) -> (gone: [String], touched: [String]) {
        var (gone, touched): ([String], [String]) = ([], [])
        for file in files {
            switch file.change() {
            case .none: break
            case .gone: gone.append(file.path)
            case .touched: touched.append(file.path)
            case .changed: throw DatasetError(path: file.path, .changed)
            }
        }
        let known = Set(files.map(\.path))
        for source in sources {
            for path in try source.paths(besides: known) where !known.contains(path) {
                if SourceFile(path) != nil { throw DatasetError(path: path, .changed) }
            }
        }
        return (gone, touched)
    }
}
