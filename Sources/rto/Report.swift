import ArgumentParser
import Configuration
import Foundation
import Hub
import Reporting
import Safetensors

/// `rto report`.
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Make one HTML page of runs: curves, tables, samples, token credit.",
        discussion: """
            The page needs nothing else and no network. Runs may be of any stage, finished or not; of several runs, those that share a \
            metric share its chart. Tokens are coloured by their rewards where a run saved its rollouts (--save-rollouts).
            """
    )

    @Argument(help: "The run directories, in the order in which they are shown.") var runs: [String]

    @Option(
        help: ArgumentHelp(
            "The page to write; report.html in the run's directory, or here for several runs, where none is given. A page "
                + "of this command is replaced, and nothing else.",
            valueName: "file"
        )
    )
    var output: String?

    func run() throws {
        let places = runs.map { URL(filePath: $0).standardizedFileURL.path }
        if let twice = runs.indices.first(where: { places[..<$0].contains(places[$0]) }) {
            throw CommandError(description: "\(runs[twice]) is given twice; name each run once")
        }
        let path = output ?? (runs.count == 1 ? runs[0] + "/report.html" : "report.html")
        // Of a link, it is the file behind it that is looked at and replaced.
        let url = URL(filePath: path).resolvingSymlinksInPath()
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) {
            guard !isDirectory.boolValue else {
                throw CommandError(description: "\(path): is a directory; --output names a file")
            }
            guard RunReport.isReport(url) else {
                throw ReportingError("\(path): exists and is no page of rto report; choose another --output")
            }
        } else if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil {
            throw ReportingError("\(path): is a link that leads nowhere; choose another --output")
        }
        let report = try RunReport(paths: runs, version: programVersion) { name in
            RepositoryName(name, kind: .model).flatMap(LocatedRepositories.snapshot)?.folder
        }
        try AtomicFile.write(Array(report.html.utf8), to: url)
        note("the report is in \(path)")
    }
}
