/// A configuration as the command that a person would type.
public enum CommandLineText {
    /// The words of the command: its name, then a flag for each setting that differs from the defaults.
    public static func words<Root: Configurable>(_ configuration: Root) -> [String] {
        let defaults = configuration.defaults
        let command = configuration.command.split(separator: " ").map(String.init)
        return configuration.settings.reduce(command) { words, setting in
            let text = setting.text(configuration)
            return text == setting.text(defaults) ? words : words + flags(text, of: setting)
        }
    }

    /// The words as a shell takes them, in lines of at most `width` characters where the words allow it.
    ///
    /// A line that goes on ends with a backslash; a flag stays with its value.
    public static func shell(_ words: [String], width: Int = 110) -> String {
        var lines: [String] = []
        var line = ""
        for part in parts(words) {
            // Two more characters for the space and the backslash.
            if !line.isEmpty, line.count + part.count + 3 > width {
                lines.append(line + " \\")
                line = "    " + part
            } else {
                line += (line.isEmpty ? "" : " ") + part
            }
        }
        return (lines + [line]).joined(separator: "\n")
    }

    private static func flags<Root>(_ text: SettingText, of setting: Setting<Root>) -> [String] {
        let flag = "--" + setting.name
        switch (text, setting.form) {
        case (.none, _): return [flag, "none"]
        case (.one(let value), .flag): return value == true.settingText ? [flag] : [flag, value]
        case (.one(let value), _): return assignment(flag, value)
        case (.many(let values), _): return values.flatMap { assignment(flag, $0) }
        }
    }

    /// Two words, or one where the value could be taken for a flag.
    private static func assignment(_ flag: String, _ value: String) -> [String] {
        value.hasPrefix("--") ? [flag + "=" + value] : [flag, value]
    }

    /// Quoted words, each flag together with the words up to the next flag.
    private static func parts(_ words: [String]) -> [String] {
        var parts: [String] = []
        for word in words {
            if word.hasPrefix("--") || parts.isEmpty {
                parts.append(quoted(word))
            } else {
                parts[parts.count - 1] += " " + quoted(word)
            }
        }
        return parts
    }

    private static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-")...UInt8(ascii: "/"), UInt8(ascii: "_"),
                    UInt8(ascii: "@"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "="):
                    true
                default: false
                }
            }
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
