/// A configuration as a YAML document that `--config` reads back.
public enum ConfigurationText {
    /// What `--print-config` shows: every setting, those that differ from the defaults marked.
    public static func printed<Root: Configurable>(_ configuration: Root) -> String {
        "# \(configuration.command); comments mark what differs from the defaults\n"
            + document(configuration, marksDifferences: true)
    }

    static func document<Root: Configurable>(_ configuration: Root, marksDifferences: Bool) -> String {
        let defaults = configuration.defaults
        var lines: [String] = []
        for group in configuration.groups {
            lines.append("\n# " + group.title)
            for setting in group.settings {
                let text = setting.text(configuration)
                let usual = setting.dependentDefault?(configuration) ?? setting.text(defaults)
                var line = fileKey(setting.name) + ": " + value(text, of: setting)
                if text == .none && !setting.isOptional {
                    line = "# " + fileKey(setting.name) + " must be given"
                } else if marksDifferences, text != usual {
                    let pad = String(repeating: " ", count: max(1, 40 - line.count))
                    line += pad + "# default: " + value(usual, of: setting)
                }
                lines.append(line)
            }
        }
        return lines.joined(separator: "\n").dropFirst() + "\n"
    }

    private static func value<Root>(_ text: SettingText, of setting: Setting<Root>) -> String {
        switch text {
        case .none: "null"
        case .one(let text): setting.isText ? YAMLText.plainOrQuoted(text) : text
        // Between brackets a comma would end a plain text.
        case .many(let texts): "[" + texts.map(YAMLText.quoted).joined(separator: ", ") + "]"
        }
    }
}
