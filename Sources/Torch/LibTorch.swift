import CLibTorch
import Foundation

/// The one door to LibTorch: opens the bridge library beside the executable and reports what was found.
public enum LibTorch {
    /// Opens LibTorch, once for the process.
    ///
    /// Tensors open it by themselves; a command calls this first so that a missing library is an error and not a trap.
    /// - Throws: `LibTorchError` if the bridge or LibTorch cannot be loaded.
    public static func open() throws(LibTorchError) {
        if case .failure(let error) = opened { throw error }
    }

    /// The version LibTorch reports, for example `2.13.0`.
    public static var version: String { String(cString: libtorch.pointee.torch_version()) }

    /// How LibTorch was built: compiler, BLAS, processor capability.
    public static var buildConfiguration: String { String(cString: libtorch.pointee.build_configuration()) }

    /// The number of threads an operator may use.
    public static var threads: Int {
        get { Int(libtorch.pointee.threads()) }
        set { libtorch.pointee.set_threads(Int32(newValue)) }
    }

    /// Loads LibTorch's CUDA library, which the build does not link, and returns the number of devices.
    ///
    /// - Throws: `LibTorchError` if this build has none, or if it does not load on this machine.
    public static func openCUDA() throws(LibTorchError) -> Int {
        try open()
        guard libtorch.pointee.open_cuda("libtorch_cuda.so") == 0 else { throw LibTorchError(reason: lastError) }
        return Int(libtorch.pointee.cuda_device_count())
    }

    fileprivate static let opened: Result<OpenedLibrary, LibTorchError> = {
        let path = URL(filePath: CommandLine.arguments.first ?? "").deletingLastPathComponent()
        let directory =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .map { URL(filePath: $0).deletingLastPathComponent() } ?? path
        let bridge = directory.appending(path: "libLibTorchBridge.so").path
        var message = [CChar](repeating: 0, count: 1024)
        guard let table = libtorch_open(bridge, &message, message.count) else {
            let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return .failure(LibTorchError(reason: String(decoding: text, as: UTF8.self)))
        }
        return .success(OpenedLibrary(table: table))
    }()

    static var lastError: String { String(cString: libtorch.pointee.last_error()) }
}

/// LibTorch could not be loaded.
public struct LibTorchError: Error, CustomStringConvertible {
    /// What the loader said.
    public let reason: String

    /// One sentence: what happened and what to do.
    public var description: String { "LibTorch could not be loaded (\(reason)); run ./rto doctor" }
}

/// The table is written once by the bridge, before anybody reads it, and never changes: sharing it is safe.
private struct OpenedLibrary: @unchecked Sendable {
    let table: UnsafePointer<LibTorchInterface>
}

/// The bridge's functions.
///
/// Reading it opens LibTorch and traps where `LibTorch.open()` would throw.
nonisolated(unsafe) let libtorch: UnsafePointer<LibTorchInterface> = {
    switch LibTorch.opened {
    case .success(let library): library.table
    case .failure(let error): fatalError(error.description)
    }
}()
