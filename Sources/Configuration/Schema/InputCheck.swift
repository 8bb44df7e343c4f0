extension Configurable {
    /// Throws where a model, a tokenizer or a file that a setting names does not exist.
    ///
    /// The rooms that read them check their contents; this names a mistyped path before anything large is loaded.
    ///
    /// - Parameter exists: whether what a path or name stands for is there
    public func checkInputs(_ exists: (_ path: String, SettingInput) -> Bool) throws(ConfigurationError) {
        for setting in settings {
            guard let input = setting.input else { continue }
            for path in setting.inputs(self) where !path.isEmpty && !exists(path, input) {
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
