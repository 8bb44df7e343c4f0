import Foundation

extension Configurable {
    /// Throws where a model, a tokenizer or a data file that a setting names does not exist.
    ///
    /// The rooms that read them check their contents; this names a mistyped path before anything large is loaded.
    public func checkInputs() throws(ConfigurationError) {
        for setting in settings {
            for path in setting.inputs(self) where !path.isEmpty && !isThere(path) {
                if looksLikeHubName(path) {
                    let origin = SettingOrigin.commandLine(flag: "--" + setting.name)
                    let reason = "there is no such path here, and nothing is fetched from a hub"
                    throw .notAvailable(origin, value: path, instead: reason)
                }
                throw .missingInput(setting: setting.name, path: path)
            }
        }
    }
}

/// Whether there is a file or directory, or a directory in front of a colon and the name of one of its splits.
private func isThere(_ path: String) -> Bool {
    if FileManager.default.fileExists(atPath: path) { return true }
    guard let colon = path.lastIndex(of: ":") else { return false }
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: String(path[..<colon]), isDirectory: &isDirectory)
        && isDirectory.boolValue
}

/// Whether a path that does not exist is rather meant as `organisation/name` on a hub than as a mistyped path here.
private func looksLikeHubName(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && $0 != "~" }) else {
        return false
    }
    return !FileManager.default.fileExists(atPath: String(parts[0]))
}
