import Foundation
import Testing

/// The directory of recorded fixtures: `$RTO_SHARED`, else `../shared` beside the package.
private let sharedDirectory: URL? = {
    if let path = ProcessInfo.processInfo.environment["RTO_SHARED"] { return URL(filePath: path) }
    var directory = URL(filePath: #filePath).deletingLastPathComponent()
    while directory.path != "/" {
        if FileManager.default.fileExists(atPath: directory.appending(path: "Package.swift").path) {
            return directory.appending(path: "../shared").standardizedFileURL
        }
        directory.deleteLastPathComponent()
    }
    return nil
}()

/// Where the recorded losses lie, if there are any.
let lossFixtures: URL? = sharedDirectory?.appending(path: "fixtures/losses")

extension Trait where Self == ConditionTrait {
    /// Skips where the recorded fixtures are absent.
    static var needsSharedFixtures: Self {
        .enabled("the recorded fixtures are neither in $RTO_SHARED nor in ../shared beside the package") {
            lossFixtures.map { FileManager.default.fileExists(atPath: $0.path) } ?? false
        }
    }
}
