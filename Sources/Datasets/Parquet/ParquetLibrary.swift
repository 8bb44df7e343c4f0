import CArrow
import Foundation

/// What Parquet files are read with.
public enum ParquetSupport {
    /// Which Apache Arrow is in use or will be fetched, and what is wrong with it, where something is.
    public static var status: (text: String, problem: String?) {
        do { return (try ParquetLibrary.status(), nil) } catch { return ("none", "Parquet: \(error.reason)") }
    }
}

/// The reader of Parquet files: Apache Arrow's libraries behind a table of four functions, opened with the first file.
///
/// The program neither links nor carries them: `scripts/parquet-reader` of the project fetches and compiles what is missing. The
/// functions hold no state but that of the file they are given, so any thread may call them.
struct ParquetLibrary: @unchecked Sendable {
    let open:
        @convention(c) (
            UnsafePointer<CChar>?, UnsafeMutablePointer<ArrowSchema>?, UnsafeMutablePointer<CChar>?, Int
        ) -> OpaquePointer?
    let choose:
        @convention(c) (
            OpaquePointer?, UnsafePointer<Int32>?, Int, UnsafeMutablePointer<ArrowSchema>?,
            UnsafeMutablePointer<CChar>?, Int
        ) -> Bool
    let next:
        @convention(c) (
            OpaquePointer?, Int64, UnsafeMutablePointer<ArrowArray>?, UnsafeMutablePointer<Int64>?,
            UnsafeMutablePointer<CChar>?, Int
        ) -> Bool
    let close: @convention(c) (OpaquePointer?) -> Void

    /// Why it cannot be had.
    struct Failure: Error {
        /// A clause, and what to do.
        let reason: String
        /// Whether Apache Arrow could not be fetched, or is not where it was said to be; else something else is wrong.
        let isWithoutArrow: Bool

        init(_ reason: String, isWithoutArrow: Bool = false) {
            (self.reason, self.isWithoutArrow) = (reason, isWithoutArrow)
        }
    }

    /// The reader of this process, or why there is none.
    static let shared: Result<ParquetLibrary, Failure> = Result { () throws(Failure) in try load() }

    /// Whether Apache Arrow is not there and cannot be fetched, which is no fault of the project.
    static var isWithoutArrow: Bool {
        if case .failure(let failure) = shared { failure.isWithoutArrow } else { false }
    }

    private static let script = "scripts/parquet-reader"

    private static func load() throws(Failure) -> ParquetLibrary { try ParquetLibrary(at: preparedPath()) }

    /// Opens a reader that is there.
    init(at path: String) throws(Failure) {
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = String(cString: dlerror()).replacing(path + ": ", with: "")
            throw Failure(
                "the reader of Parquet files, \(path), does not load (\(reason)); remove it, and it is made anew"
            )
        }
        guard let symbol = dlsym(library, "parquet_reader_interface") else {
            throw Failure("\(path) is no reader of Parquet files; remove it, and it is made anew")
        }
        typealias Interface = @convention(c) () -> UnsafePointer<ParquetReaderInterface>?
        guard let interface = unsafeBitCast(symbol, to: Interface.self)()?.pointee,
            interface.version == PARQUET_READER_VERSION, let open = interface.open, let choose = interface.choose,
            let next = interface.next, let close = interface.close
        else { throw Failure("\(path) is of another build; remove it, and it is made anew") }
        (self.open, self.choose, self.next, self.close) = (open, choose, next, close)
    }

    /// Has the project's script make the reader ready, and takes its place from what the script prints.
    ///
    /// What takes time, and what goes wrong, the script says on standard error.
    private static func preparedPath() throws(Failure) -> String {
        guard let root = projectRoot else {
            throw Failure("\(unprepared); run it from there, or convert the file to .jsonl")
        }
        let (text, status) = try run([], in: root, standardError: nil)
        guard status == 0 else {
            throw Failure(
                "Parquet files are read through Apache Arrow, which is not to be had, as \(script) says above; mend that,"
                    + " or convert the file to .jsonl",
                isWithoutArrow: status == 65
            )
        }
        return text
    }

    private static let unprepared =
        "Parquet files are read by what \(script) of the project prepares, and this program does not lie in its project"

    /// Which Apache Arrow is in use or will be, in words.
    ///
    /// - Throws: `Failure` with what the script says is wrong.
    static func status() throws(Failure) -> String {
        guard let root = projectRoot else { return "none: \(unprepared)" }
        let error = Pipe()
        let (text, status) = try run(["--status"], in: root, standardError: error)
        guard status == 0 else {
            let words = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            throw Failure(words.trimmingCharacters(in: .newlines).replacing("rto: ", with: "", maxReplacements: 1))
        }
        return text
    }

    /// What the script prints, and how it ends; with -1 where it is killed.
    private static func run(
        _ arguments: [String],
        in root: URL,
        standardError: Pipe?
    ) throws(Failure) -> (text: String, status: Int32) {
        let process = Process()
        let output = Pipe()
        process.executableURL = root.appending(path: script)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        if let standardError { process.standardError = standardError }
        do { try process.run() } catch {
            throw Failure("\(script) cannot be run (\(error.localizedDescription))")
        }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let status = process.terminationReason == .exit ? process.terminationStatus : -1
        return (text.trimmingCharacters(in: .newlines), status)
    }

    /// The folder above the executable that holds the script.
    private static let projectRoot: URL? = {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var folder = URL(filePath: link ?? CommandLine.arguments.first ?? "").deletingLastPathComponent()
        while folder.path != "/" {
            if FileManager.default.isExecutableFile(atPath: folder.appending(path: script).path) { return folder }
            folder.deleteLastPathComponent()
        }
        return nil
    }()
}
