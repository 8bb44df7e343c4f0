/// The help of a command whose settings are declared here.
public enum HelpText {
    /// The overview, the usage, and every setting with its default.
    public static func text<Root: Configurable>(for configuration: Root) -> String {
        let defaults = configuration.defaults
        var lines = [
            "OVERVIEW: " + configuration.overview,
            "",
            "USAGE: \(configuration.command) [--config FILE.yaml] [--print-config] [--FLAG VALUE …]",
        ]
        for group in configuration.groups {
            lines += ["", group.title.uppercased() + ":"]
            lines += group.settings.map { line(flag($0), $0.summary + remark($0, defaults: defaults)) }
        }
        lines += ["", "OTHER:"]
        lines.append(line("--config <file>", "Read settings from a YAML file with the same names; flags override it"))
        lines.append(line("--print-config", "Show the resolved settings and do nothing else"))
        lines.append(line("-h, --help", "Show this help"))
        if configuration.groups.contains(where: { $0.settings.contains { $0.input != nil && $0.input != .file } }) {
            lines += [
                "",
                "A model is a directory here or organisation/name[@revision] on the Hugging Face hub; data are files here or",
                "the same. What is fetched is kept where HF_HOME says (~/.cache/huggingface); HF_TOKEN lets private ones be read.",
            ]
        }
        lines += ["", "Names may be written with underscores, and the names of OpenRLHF and TRL are understood."]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func flag<Root>(_ setting: Setting<Root>) -> String {
        switch setting.form {
        case .flag: "--" + setting.name
        case .value(let placeholder), .list(let placeholder): "--\(setting.name) <\(placeholder)>"
        }
    }

    private static func remark<Root>(_ setting: Setting<Root>, defaults: Root) -> String {
        switch setting.text(defaults) {
        case .none: setting.isOptional ? "" : " (required)"
        case .one(let text): setting.form == .flag ? "" : " (default: \(text))"
        case .many: ""
        }
    }

    /// The flag in a column of its own, and what it means beside or below it.
    private static func line(_ flag: String, _ meaning: String) -> String {
        let column = 34
        let start = "  " + flag
        guard start.count < column else { return start + "\n" + String(repeating: " ", count: column) + meaning }
        return start + String(repeating: " ", count: column - start.count) + meaning
    }
}
