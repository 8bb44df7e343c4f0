import CArrow
import Foundation

/// What Parquet files are read with.
public enum ParquetSupport {
    /// Which Apache Arrow is in use or will be fetched, or why there is none, in words.
    public static var status: String {
        do { return try ParquetLibrary.status() } catch { return error.reason }
    }
}

/// The reader of Parquet files: Apache Arrow's libraries behind a table of three functions, opened with the first file.
///
/// The program neither links nor carries them: `scripts/parquet-reader` of the project fetches and compiles what is missing. The
/// functions hold no state but that of the file they are given, so any thread may call them.
struct ParquetLibrary: @unchecked Sendable {
    let open:
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<UnsafePointer<CChar>?>?, Int, Int64,
            UnsafeMutablePointer<ArrowSchema>?,
            UnsafeMutablePointer<CChar>?, Int
        ) -> OpaquePointer?
    let next:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<ArrowArray>?, UnsafeMutablePointer<CChar>?, Int
        ) -> Bool
    let close: @convention(c) (OpaquePointer?) -> Void

    /// Why it cannot be had: a clause, and what to do.
    struct Failure: Error { let reason: String }

    /// The reader of this process, or why there is none.
    static let shared: Result<ParquetLibrary, Failure> = Result { () throws(Failure) in try load() }

    private static let script = "scripts/parquet-reader"

    private static func load() throws(Failure) -> ParquetLibrary {
        let path = try preparedPath()
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw Failure(reason: "the reader of Parquet files does not load (\(String(cString: dlerror())))")
        }
        guard let symbol = dlsym(library, "parquet_reader_interface") else {
            throw Failure(reason: "\(path) is no reader of Parquet files; remove it, and it is made anew")
        }
        typealias Interface = @convention(c) () -> UnsafePointer<ParquetReaderInterface>?
        guard let interface = unsafeBitCast(symbol, to: Interface.self)()?.pointee,
            interface.version == PARQUET_READER_VERSION, let open = interface.open, let next = interface.next,
            let close = interface.close
        else { throw Failure(reason: "\(path) is of another build; remove it, and it is made anew") }
        return ParquetLibrary(open: open, next: next, close: close)
    }

    /// Which Apache Arrow is in use or will be, in words.
    static func status() throws(Failure) -> String { try run(["--status"]) }

    /// Has the project's script make the reader ready, and takes its place from what the script prints.
    private static func preparedPath() throws(Failure) -> String { try run([]) }

    /// What the script prints.
    ///
    /// What takes time, and what goes wrong, the script says on standard error.
    private static func run(_ arguments: [String]) throws(Failure) -> String {
        guard let root = projectRoot else {
            throw Failure(
                reason:
                    "Parquet files are read by what \(script) of the project prepares, and this program does not lie in its"
                    + " project; run it from there, or convert the file to .jsonl"
            )
        }
        let process = Process()
        let output = Pipe()
        process.executableURL = root.appending(path: script)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        do { try process.run() } catch {
            throw Failure(reason: "\(script) cannot be run (\(error.localizedDescription))")
        }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw Failure(
                reason:
                    "Parquet files are read through Apache Arrow, which is not to be had, as \(script) says above; mend that,"
                    + " or convert the file to .jsonl"
            )
        }
        return text.trimmingCharacters(in: .newlines)
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
