import Foundation

extension Configurable {
    /// Throws where a model, a tokenizer or a file that a setting names does not exist.
    ///
    /// The rooms that read them check their contents; this names a mistyped path before anything large is loaded.
    public func checkInputs() throws(ConfigurationError) {
        for setting in settings {
            for path in setting.inputs(self) where !path.isEmpty && !exists(path, setting.input) {
                throw .missingInput(setting: setting.name, path: path)
            }
        }
    }

    /// The same configuration with every model, tokenizer and file put through a function.
    ///
    /// - Parameter replacement: what stands in the place of a path or name, given the setting's name and what it names
    public func replacingInputs(
        _ replacement: (_ setting: String, SettingInput, _ path: String) throws -> String
    ) rethrows -> Self {
        var configuration = self
        for setting in settings {
            guard let input = setting.input else { continue }
            // What must be given is empty until it is.
            let paths = try setting.inputs(self).map { $0.isEmpty ? $0 : try replacement(setting.name, input, $0) }
            setting.replaceInputs(&configuration, paths)
        }
        return configuration
    }
}

/// Whether something is there; rows may be one split of a directory, named behind a colon.
private func exists(_ path: String, _ input: SettingInput?) -> Bool {
    if FileManager.default.fileExists(atPath: path) { return true }
    guard input == .data, let directory = splitSource(path)?.directory else { return false }
    return FileManager.default.fileExists(atPath: directory)
}

/// The directory and the split of `directory:split`; nil where there is no colon.
public func splitSource(_ text: String) -> (directory: String, split: String)? {
    guard let colon = text.lastIndex(of: ":"), colon > text.startIndex else { return nil }
    let split = String(text[text.index(after: colon)...])
    return split.isEmpty || split.contains("/") ? nil : (String(text[..<colon]), split)
}
