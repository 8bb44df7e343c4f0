import Foundation

/// A file that takes no byte, as on a full disk.
public enum FullDevice {
    /// Where it is, on systems that have one.
    public static let path = "/dev/full"

    /// Whether there is one.
    public static let isPresent = FileManager.default.fileExists(atPath: path)

    /// Why a test that needs it is skipped.
    public static let reason = "there is no /dev/full here"
}
