/// The status with which the process ends, after BSD's `sysexits.h`.
public struct ExitStatus: RawRepresentable, Sendable, Hashable {
    /// The number given to the operating system.
    public let rawValue: Int32

    /// Creates a status from the operating system's number.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The command did what it was asked to.
    public static let success = ExitStatus(rawValue: 0)
    /// The command line or a configuration file asks for something that does not exist or does not fit together.
    public static let usage = ExitStatus(rawValue: 64)
    /// A file, a row or a checkpoint is missing or is not what it should be.
    public static let data = ExitStatus(rawValue: 65)
    /// The program itself is at fault.
    public static let fault = ExitStatus(rawValue: 70)
    /// Training diverged; the last checkpoint is good.
    public static let diverged = ExitStatus(rawValue: 75)

    /// The status after a signal ended the run and a checkpoint was written: 130 for SIGINT, 143 for SIGTERM.
    public static func interrupted(bySignal signal: Int32) -> ExitStatus {
        ExitStatus(rawValue: 128 + signal)
    }
}

/// An error that knows with which status the process should end.
///
/// Errors of rooms that do not know this protocol speak of files and data, so whoever renders an error takes
/// ``ExitStatus/data`` where the protocol is not adopted.
public protocol ExitStatusProviding: Error {
    /// The status of a process that this error ends.
    var exitStatus: ExitStatus { get }
}

extension ExitStatusProviding {
    /// Bad data, unless the error says otherwise.
    public var exitStatus: ExitStatus { .data }
}
