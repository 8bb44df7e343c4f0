import Foundation

/// The text of a small file that a setting names.
///
/// - Throws: ``ConfigurationError`` where the file is missing, cannot be read or is not UTF-8.
public func textFile(_ path: String) throws(ConfigurationError) -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
        throw .badFile(path: path, line: nil, reason: "there is no such file, or it cannot be read")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
        throw .badFile(path: path, line: nil, reason: "not UTF-8 text")
    }
    return text
}
