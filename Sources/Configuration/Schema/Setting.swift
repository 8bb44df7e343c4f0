/// One named setting of a configuration: its flag, its key, its help, its limits, and the property that holds it.
///
/// A setting is declared once, in a ``SettingGroup``. Command line, configuration files, `--help`, `--print-config` and
/// `recipe.yaml` all go through that declaration; its default is the property's initial value.
public struct Setting<Root: Sendable>: Sendable {
    /// The flag without its dashes: `learning-rate`.
    public let name: String
    /// One line of help.
    public let summary: String
    /// How many words follow the flag.
    public let form: Form
    /// Whether the setting may have no value.
    let isOptional: Bool
    /// Whether a file may have to quote the value.
    let isText: Bool
    /// What an error says is wanted.
    let expectation: String
    let assign: @Sendable (inout Root, SettingText) throws(ValueProblem) -> Void
    let text: @Sendable (Root) -> SettingText
    /// What the setting names that must exist; nil where it names nothing.
    let input: SettingInput?
    /// The paths or names of that.
    let inputs: @Sendable (Root) -> [String]
    /// Puts as many others in their place.
    let replaceInputs: @Sendable (inout Root, [String]) -> Void
    /// The default beside the other settings of a configuration, where it depends on them.
    private(set) var dependentDefault: (@Sendable (Root) -> SettingText)?

    /// How many words follow a flag.
    public enum Form: Equatable, Sendable {
        /// None: the flag alone says yes, and with `no-` in front of its name no.
        case flag
        /// One, shown in help by this placeholder.
        case value(placeholder: String)
        /// One each time, and the flag may be repeated.
        case list(placeholder: String)
    }
}

/// What a setting names that must exist, here or on a hub.
public enum SettingInput: Sendable {
    /// A directory with a model, or the name of a model on a hub.
    case model
    /// A directory with a tokenizer, or the name of a model on a hub that has one.
    case tokenizer
    /// A file of rows, a directory of such files, or the name of a data set on a hub.
    case data
    /// A file or a directory of files here.
    case file

    /// How help names it.
    var placeholder: String {
        switch self {
        case .model, .tokenizer: "model"
        case .data: "data"
        case .file: "path"
        }
    }
}

/// The value of a setting as written on a command line or in a file.
public enum SettingText: Equatable, Sendable {
    /// No value: `none` or YAML's null.
    case none
    /// One value.
    case one(String)
    /// The values of a repeatable setting.
    case many([String])
}

extension Setting {
    /// This setting with a default that depends on settings declared before it.
    ///
    /// Those settings must bring the default with them when they are set; here it is for text that marks differences.
    func defaulting<Value: SettingConvertible>(to value: @escaping @Sendable (Root) -> Value) -> Setting {
        var setting = self
        setting.dependentDefault = { .one(value($0).settingText) }
        return setting
    }

    /// A setting that always has a value.
    static func value<Value: SettingConvertible>(
        _ name: String,
        _ path: WritableKeyPath<Root, Value> & Sendable,
        in limits: Limits<Value> = .any,
        input: SettingInput? = nil,
        _ summary: String
    ) -> Setting {
        Setting(
            name: name,
            summary: summary,
            form: .value(placeholder: input?.placeholder ?? Value.placeholder),
            isOptional: false,
            isText: Value.isText,
            expectation: expectation(limits),
            assign: { (root, text) throws(ValueProblem) in
                guard case .one(let text) = text else { throw .wrong(expected: expectation(limits)) }
                root[keyPath: path] = try read(text, limits)
            },
            // A text that must be given is empty until it is.
            text: { $0[keyPath: path].settingText.isEmpty ? .none : .one($0[keyPath: path].settingText) },
            input: input,
            inputs: { input == nil ? [] : [$0[keyPath: path].inputPath] },
            replaceInputs: { root, paths in
                for replacement in paths { root[keyPath: path] = root[keyPath: path].replacingInputPath(replacement) }
            }
        )
    }

    /// A setting that may have no value.
    static func optional<Value: SettingConvertible>(
        _ name: String,
        _ path: WritableKeyPath<Root, Value?> & Sendable,
        in limits: Limits<Value> = .any,
        input: SettingInput? = nil,
        _ summary: String
    ) -> Setting {
        Setting(
            name: name,
            summary: summary,
            form: .value(placeholder: input?.placeholder ?? Value.placeholder),
            isOptional: true,
            isText: Value.isText,
            expectation: expectation(limits),
            assign: { (root, text) throws(ValueProblem) in
                switch text {
                case .none: root[keyPath: path] = nil
                case .one(let text): root[keyPath: path] = try read(text, limits)
                case .many: throw .wrong(expected: expectation(limits))
                }
            },
            text: { $0[keyPath: path].map { .one($0.settingText) } ?? .none },
            input: input,
            inputs: { input == nil ? [] : $0[keyPath: path].map { [$0.inputPath] } ?? [] },
            replaceInputs: { root, paths in
                for replacement in paths { root[keyPath: path] = root[keyPath: path]?.replacingInputPath(replacement) }
            }
        )
    }

    /// A setting that may be repeated.
    static func list<Value: SettingConvertible>(
        _ name: String,
        _ path: WritableKeyPath<Root, [Value]> & Sendable,
        input: SettingInput? = nil,
        _ summary: String
    ) -> Setting {
        Setting(
            name: name,
            summary: summary,
            form: .list(placeholder: Value.self == String.self ? input?.placeholder ?? "text" : Value.placeholder),
            isOptional: true,
            isText: Value.isText,
            expectation: Value.noun,
            assign: { (root, text) throws(ValueProblem) in
                switch text {
                case .none: root[keyPath: path] = []
                case .one(let text): root[keyPath: path] = [try read(text, .any)]
                // A list of texts may hold this word; among the names of choices it can only stand for no choice.
                case .many(["none"]) where Value.self is any SettingChoice.Type: root[keyPath: path] = []
                case .many(let texts):
                    var values: [Value] = []
                    for text in texts { values.append(try read(text, .any)) }
                    root[keyPath: path] = values
                }
            },
            text: { .many($0[keyPath: path].map(\.settingText)) },
            input: input,
            inputs: { input == nil ? [] : $0[keyPath: path].map(\.inputPath) },
            replaceInputs: { root, paths in
                guard input != nil else { return }
                root[keyPath: path] = zip(root[keyPath: path], paths).map { $0.replacingInputPath($1) }
            }
        )
    }

    /// A setting that is on or off.
    static func flag(_ name: String, _ path: WritableKeyPath<Root, Bool> & Sendable, _ summary: String) -> Setting {
        Setting(
            name: name,
            summary: summary,
            form: .flag,
            isOptional: false,
            isText: false,
            expectation: Bool.noun,
            assign: { (root, text) throws(ValueProblem) in
                guard case .one(let text) = text else { throw .wrong(expected: Bool.noun) }
                root[keyPath: path] = try Bool(settingText: text)
            },
            text: { .one($0[keyPath: path].settingText) },
            input: nil,
            inputs: { _ in [] },
            replaceInputs: { _, _ in }
        )
    }

    private static func expectation<Value: SettingConvertible>(_ limits: Limits<Value>) -> String {
        limits.description.isEmpty ? Value.noun : Value.noun + " " + limits.description
    }

    private static func read<Value: SettingConvertible>(
        _ text: String,
        _ limits: Limits<Value>
    ) throws(ValueProblem) -> Value {
        do throws(ValueProblem) {
            let value = try Value(settingText: text)
            guard limits.allows(value) else { throw ValueProblem.wrong(expected: expectation(limits)) }
            return value
        } catch {
            guard case .wrong(let expected) = error, expected == Value.noun else { throw error }
            throw .wrong(expected: expectation(limits))
        }
    }
}
