/// A type whose values can be written as the text after a flag or a key.
public protocol SettingConvertible: Equatable, Sendable {
    /// Reads the text, or throws what was wanted.
    init(settingText: String) throws(ValueProblem)
    /// The text that reads back as the same value.
    var settingText: String { get }
    /// What an error says is wanted: "a number".
    static var noun: String { get }
    /// What help shows in the place of a value.
    static var placeholder: String { get }
    /// Whether a file may have to quote the text, since it is not a number or a keyword.
    static var isText: Bool { get }
    /// The path, where the value is one or has one.
    var inputPath: String { get }
    /// The value with another path in the place of its own.
    func replacingInputPath(_ path: String) -> Self
}

extension SettingConvertible {
    /// Text, unless the type says otherwise.
    public static var isText: Bool { true }
    /// The text itself, unless the type says otherwise.
    public var inputPath: String { settingText }
    /// The value itself, which has no path, unless the type says otherwise.
    public func replacingInputPath(_ path: String) -> Self { self }
}

/// Why a text is not a value of a setting.
public enum ValueProblem: Error, Equatable {
    /// Something else was wanted: "a number more than 0".
    case wrong(expected: String)
    /// The value is one that other programs have and this one has not; `instead` says what there is.
    case notAvailable(instead: String)
}

/// A setting with a few named values; its raw values are the names.
public protocol SettingChoice: SettingConvertible, CaseIterable, RawRepresentable where RawValue == String {
    /// Names of values that other programs have and this one has not.
    static var elsewhere: [String] { get }
    /// Names of the same values in other programs.
    static var synonyms: [String: Self] { get }
}

extension SettingChoice {
    /// No such names.
    public static var elsewhere: [String] { [] }
    /// No other names.
    public static var synonyms: [String: Self] { [:] }

    /// Reads a name, with underscores or dashes.
    public init(settingText text: String) throws(ValueProblem) {
        let name = String(text.map { $0 == "_" ? "-" : $0 })
        if let choice = Self(rawValue: name) ?? Self.synonyms[text] {
            self = choice
        } else if Self.elsewhere.contains(name) {
            throw .notAvailable(instead: "there is " + joined(Self.names))
        } else {
            throw .wrong(expected: Self.noun)
        }
    }

    /// The name of the value.
    public var settingText: String { rawValue }
    /// The names to choose from.
    public static var noun: String { joined(names, with: "or") }
    /// The names to choose from, as help shows them.
    public static var placeholder: String { names.joined(separator: "|") }

    private static var names: [String] { allCases.map(\.rawValue) }
}

extension Int: SettingConvertible {
    /// Reads a whole number in decimal digits.
    public init(settingText text: String) throws(ValueProblem) {
        guard let value = Int(text) else { throw .wrong(expected: Self.noun) }
        self = value
    }

    /// Decimal digits.
    public var settingText: String { String(self) }
    /// What an error says is wanted.
    public static var noun: String { "a whole number" }
    /// What help shows in the place of a value.
    public static var placeholder: String { "n" }
    /// A number needs no quotes.
    public static var isText: Bool { false }
}

extension Double: SettingConvertible {
    /// Reads a finite number in decimal digits, with or without an exponent.
    public init(settingText text: String) throws(ValueProblem) {
        let isDecimal = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
        guard isDecimal, let value = Double(text), value.isFinite else { throw .wrong(expected: Self.noun) }
        self = value
    }

    /// The shortest decimal digits that read back as the same number: `1`, `0.05`, `5e-7`.
    public var settingText: String {
        let text = String(self)
        if text.hasSuffix(".0") { return String(text.dropLast(2)) }
        let parts = text.split(separator: "e-0")
        return parts.joined(separator: "e-")
    }

    /// What an error says is wanted.
    public static var noun: String { "a number" }
    /// What help shows in the place of a value.
    public static var placeholder: String { "x" }
    /// A number needs no quotes.
    public static var isText: Bool { false }
}

extension Bool: SettingConvertible {
    /// Reads YAML's words for yes and no.
    public init(settingText text: String) throws(ValueProblem) {
        switch text.lowercased() {
        case "true", "yes", "on": self = true
        case "false", "no", "off": self = false
        default: throw .wrong(expected: Self.noun)
        }
    }

    /// `true` or `false`.
    public var settingText: String { self ? "true" : "false" }
    /// What an error says is wanted.
    public static var noun: String { "true or false" }
    /// What help shows in the place of a value.
    public static var placeholder: String { "true|false" }
    /// A keyword needs no quotes.
    public static var isText: Bool { false }
}

extension String: SettingConvertible {
    /// Takes the text as it is; it must not be empty.
    public init(settingText text: String) throws(ValueProblem) {
        guard !text.isEmpty else { throw .wrong(expected: Self.noun) }
        self = text
    }

    /// The text itself.
    public var settingText: String { self }
    /// The path.
    public func replacingInputPath(_ path: String) -> String { path }
    /// What an error says is wanted.
    public static var noun: String { "some text" }
    /// What help shows in the place of a value.
    public static var placeholder: String { "text" }
}
