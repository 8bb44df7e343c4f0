import Foundation

/// The recorded fixtures: in `$RTO_SHARED`, else in `../shared` beside the package.
public enum SharedFixtures {
    /// Where they lie, or nil where they are absent.
    public static let directory: URL? = {
        if let path = ProcessInfo.processInfo.environment["RTO_SHARED"] { return URL(filePath: path) }
        var place = URL(filePath: #filePath).deletingLastPathComponent()
        while place.path != "/" {
            if FileManager.default.fileExists(atPath: place.appending(path: "Package.swift").path) {
                let shared = place.appending(path: "../shared").standardizedFileURL
                return FileManager.default.fileExists(atPath: shared.path) ? shared : nil
            }
            place.deleteLastPathComponent()
        }
        return nil
    }()

    /// Whether there are any.
    public static let arePresent = directory != nil

    /// Why a test that needs them is skipped.
    public static let reason = "the recorded fixtures are neither in $RTO_SHARED nor in ../shared beside the package"

    /// The place of a file or folder among them; one that does not exist where they are absent.
    public static func url(_ path: String) -> URL { (directory ?? URL(filePath: "/absent")).appending(path: path) }

    /// Whether that file or folder is there.
    public static func contains(_ path: String) -> Bool { FileManager.default.fileExists(atPath: url(path).path) }
}
