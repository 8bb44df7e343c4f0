import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite(
    "What makes the reader of Parquet files ready: the script, with a compiler and a pip that only say they were called"
)
struct ReaderScriptTests {
    /// A project of the scripts and the reader's source, beside `bin` with the tools and `given` with an Arrow.
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
        for folder in ["scripts", "Sources/CArrow"] {
            let copy = directory.url.appending(path: "project/" + folder)
            try FileManager.default.createDirectory(
                at: copy.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try FileManager.default.copyItem(at: root.appending(path: folder), to: copy)
        }
        try make("bin", "given/include/arrow/util", "given/include/parquet/arrow")
        for file in ["libarrow.so.1", "libparquet.so.1", "include/parquet/arrow/reader.h"] {
            try directory.write("given/" + file, "")
        }
        try setVersion("26.0.1")
        try tool(
            "g++",
            #"while [ "$1" != -o ]; do shift; done; echo called >> calls; echo half > "$2"; ${COMPILER:-true}"#
        )
    }

    private func make(_ folders: String...) throws {
        for folder in folders {
            let url = directory.url.appending(path: folder)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }
    }

    private func tool(_ name: String, _ body: String) throws {
        let path = try directory.write("bin/" + name, "#!/bin/bash\n" + body + "\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    private func setVersion(_ version: String) throws {
        try directory.write("given/include/arrow/util/config.h", "#define ARROW_VERSION_STRING \"\(version)\"\n")
    }

    /// What the script prints, says and ends with, and how often the compiler was called so far.
    private func run(_ environment: [String: String] = [:], _ arguments: String...) throws -> (
        output: String, log: String, status: Int32, calls: Int
    ) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", #"project/scripts/parquet-reader "$@" > out 2> log"#, "script"] + arguments
        process.currentDirectoryURL = directory.url
        process.environment = ProcessInfo.processInfo.environment
            .merging(["PATH": directory.url.path + "/bin:/usr/bin:/bin", "RTO_ARROW": "given"]) { $1 }
            .merging(environment) { $1 }
        try process.run()
        process.waitUntilExit()
        func text(_ name: String) throws -> String {
            let text = try String(contentsOf: directory.url.appending(path: name), encoding: .utf8)
            return text.trimmingCharacters(in: .newlines)
        }
        let calls = (try? text("project/calls"))?.split(separator: "\n").count ?? 0
        return (try text("out"), try text("log"), process.terminationStatus, calls)
    }

    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.url.appending(path: folder).path).sorted()
    }

    @Test("It is compiled once, and again for another Arrow or another source; others go, and what a kill left")
    func currency() throws {
        let first = try run()
        #expect(first.status == 0 && first.calls == 1 && FileManager.default.fileExists(atPath: first.output))
        #expect(try run().output == first.output && run().calls == 1)
        // As old as can be: times say nothing.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 0)],
            ofItemAtPath: first.output
        )
        #expect(try run().calls == 1)

        let folder = URL(filePath: first.output).deletingLastPathComponent()
        let own = String(folder.path.dropFirst(directory.url.resolvingSymlinksInPath().path.count + 1))
        for name in [own + "/ParquetReader.so.7.partial", "project/.arrow/ParquetReader.partial"] {
            try directory.write(name, "half")
        }
        try setVersion("27.0.0")
        let second = try run()
        #expect(second.calls == 2 && second.output != first.output && second.output.contains("27.0.0"))
        #expect(try names(own) == [URL(filePath: second.output).lastPathComponent])
        #expect(try names("project/.arrow") == [folder.lastPathComponent, "lock"])

        let header = directory.url.appending(path: "project/Sources/CArrow/ParquetReader.h")
        try (Data(contentsOf: header) + Data("\n".utf8)).write(to: header)
        let third = try run()
        #expect(third.calls == 3 && third.output != second.output)
    }

    @Test(
        "What goes wrong is one sentence, and a status that tells a fault of the project from an Arrow that is not there"
    )
    func failures() throws {
        let compiler = try run(["COMPILER": "false"])
        #expect(compiler.status == 70 && compiler.log.contains("could not be compiled against"))
        #expect(try run().status == 0)
        for (arrow, sentence) in [
            ("none", "and there is no such directory"),
            ("project", "does not hold libarrow, libparquet and their headers"),
        ] {
            for arguments in [[], ["--status"]] {
                let failed = try arguments.isEmpty ? run(["RTO_ARROW": arrow]) : run(["RTO_ARROW": arrow], "--status")
                #expect(failed.status == 65 && failed.log.contains(sentence) && failed.output.isEmpty)
            }
        }
        try setVersion("20.0.0")
        #expect(try run().log.hasSuffix("whose version is 20.0.0; 21 and newer are supported"))
        try setVersion("26.0.1")
        try FileManager.default.removeItem(at: directory.url.appending(path: "project/.arrow"))
        try directory.write("project/.arrow", "no folder")
        let unwritable = try run()
        #expect(unwritable.status == 65 && unwritable.log.hasPrefix("rto: ") && !unwritable.log.contains("\n"))
        #expect(unwritable.log.contains("project/.arrow cannot be written"))
    }

    @Test(
        "What is fetched keeps its licences, and is made ready in the same call",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"),
            "there is no python3 to unpack wheels"
        )
    )
    func fetch() throws {
        try tool(
            "python3",
            #"""
            case "$*" in
            "-m pip --version") ;;
            "-m pip download"*) cd ..; /usr/bin/python3 wheel.py project/.arrow/download ;;
            *) exec /usr/bin/python3 "$@" ;;
            esac
            """#
        )
        try directory.write(
            "wheel.py",
            #"""
            import sys, zipfile
            wheel = zipfile.ZipFile(sys.argv[1] + "/pyarrow.whl", "w")
            wheel.writestr("pyarrow/include/arrow/util/config.h", '#define ARROW_VERSION_STRING "26.0.1"\n')
            for name in ["include/parquet/arrow/reader.h", "libarrow.so.1", "libparquet.so.1", "lib.py"]:
                wheel.writestr("pyarrow/" + name, "")
            wheel.writestr("pyarrow-26.0.1.dist-info/licenses/LICENSE.txt", "as it says")
            wheel.close()
            """#
        )
        let fetched = try run(["RTO_ARROW": ""])
        #expect(fetched.status == 0 && fetched.calls == 1, "\(fetched.log)")
        let reader = URL(filePath: fetched.output).lastPathComponent
        #expect(
            try names("project/.arrow") == [reader, "download.log", "lock", "pyarrow", "pyarrow-26.0.1.dist-info"]
        )
        #expect(try names("project/.arrow/pyarrow-26.0.1.dist-info/licenses") == ["LICENSE.txt"])
        #expect(try names("project/.arrow/pyarrow") == ["include", "libarrow.so.1", "libparquet.so.1"])
        #expect(try run(["RTO_ARROW": ""]).calls == 1)
    }

    @Test("A reader that does not load, or is none, is named with what to do")
    func unusable() throws {
        let path = try directory.write("ParquetReader.so", "no library")
        let error = #expect(throws: ParquetLibrary.Failure.self) { try ParquetLibrary(at: path) }
        let sentence = error?.reason ?? ""
        #expect(sentence.hasPrefix("the reader of Parquet files, \(path), does not load ("))
        #expect(sentence.hasSuffix("); remove it, and it is made anew") && error?.isWithoutArrow == false)
        let other = #expect(throws: ParquetLibrary.Failure.self) { try ParquetLibrary(at: "libz.so.1") }
        #expect(other?.reason == "libz.so.1 is no reader of Parquet files; remove it, and it is made anew")
    }
}
