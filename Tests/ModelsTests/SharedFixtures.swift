import Foundation
import JSONText
import Models
import Safetensors
import Torch

/// The recorded fixtures beside the project, where they are present.
enum SharedFixtures {
    static let directory: URL? = {
        if let path = ProcessInfo.processInfo.environment["RTO_SHARED"] { return URL(filePath: path) }
        var place = URL(filePath: #filePath).deletingLastPathComponent()
        while place.path != "/" {
            if FileManager.default.fileExists(atPath: place.appending(path: "Package.swift").path) {
                let shared = place.deletingLastPathComponent().appending(path: "shared")
                return FileManager.default.fileExists(atPath: shared.path) ? shared : nil
            }
            place.deleteLastPathComponent()
        }
        return nil
    }()

    static let arePresent = directory != nil
    static let reason = "../shared is absent: the recorded fixtures are not checked"

    static func url(_ path: String) -> URL { (directory ?? URL(filePath: "/")).appending(path: path) }
    static func model(_ name: String) -> URL { url("fixtures/models/" + name) }
}

/// The largest violation of |a - b| <= absolute + relative·|b|; not positive where all agree.
func excess(_ found: Tensor, _ expected: Tensor, absolute: Double, relative: Double) -> Double {
    guard found.shape == expected.shape else { return .infinity }
    let allowed = expected.to(.float64).magnitude() * relative + absolute
    return ((found.to(.float64) - expected.to(.float64)).magnitude() - allowed).max().scalar
}
