import Foundation

/// A Python of the machine that has the packages which a test compares with.
public enum TestPython {
    /// The Python that `RTO_TEST_PYTHON` names, else the one of `.venv-test` at the root of the package, which is never committed: the first in
    /// which all of the modules can be imported; nil where there is none.
    public static func path(importing modules: String...) -> String? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        let named = ProcessInfo.processInfo.environment["RTO_TEST_PYTHON"]
        return [named, root.appending(path: ".venv-test/bin/python").path].compactMap(\.self).first { path in
            guard FileManager.default.isExecutableFile(atPath: path) else { return false }
            let process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = ["-c", "import " + modules.joined(separator: ", ")]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
    }
}
