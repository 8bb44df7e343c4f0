/// The values of a type that a setting allows.
public struct Limits<Value: Sendable>: Sendable {
    /// What follows the noun in an error: "more than 0"; empty where every value is allowed.
    let description: String
    let allows: @Sendable (Value) -> Bool

    /// Every value of the type.
    public static var any: Limits { Limits(description: "") { _ in true } }
}

extension Limits where Value: Comparable & ExpressibleByIntegerLiteral {
    /// More than 0.
    public static var positive: Limits { Limits(description: "more than 0") { $0 > 0 } }
    /// 0 or more.
    public static var notNegative: Limits { Limits(description: "of at least 0") { $0 >= 0 } }
}

extension Limits<Int> {
    /// A number of tokens of one sequence: more than any model takes, and few enough to be counted with.
    public static func tokens(atLeast bound: Int = 1) -> Limits { .from(bound, through: 1 << 30) }
}

extension Limits where Value: Comparable & SettingConvertible {
    /// At least the bound.
    public static func atLeast(_ bound: Value) -> Limits {
        Limits(description: "of at least \(bound.settingText)") { $0 >= bound }
    }

    /// More than the bound.
    public static func moreThan(_ bound: Value) -> Limits {
        Limits(description: "more than \(bound.settingText)") { $0 > bound }
    }

    /// From the lower to the upper bound, both allowed.
    public static func from(_ lower: Value, through upper: Value) -> Limits {
        Limits(description: "from \(lower.settingText) to \(upper.settingText)") { $0 >= lower && $0 <= upper }
    }

    /// From the lower bound, which is allowed, to the upper, which is not.
    public static func from(_ lower: Value, below upper: Value) -> Limits {
        Limits(description: "from \(lower.settingText) to less than \(upper.settingText)") {
            $0 >= lower && $0 < upper
        }
    }

    /// More than the lower bound, and at most the upper.
    public static func above(_ lower: Value, through upper: Value) -> Limits {
        Limits(description: "more than \(lower.settingText) and at most \(upper.settingText)") {
            $0 > lower && $0 <= upper
        }
    }
}

extension Limits where Value == Int {
    /// As many threads as a machine can run; far more would only keep it from working.
    public static var threads: Limits { .from(1, through: 1024) }
}

extension Limits where Value == String {
    /// A template with exactly one place for the prompt.
    public static var template: Limits {
        Limits(description: "with {} where the prompt goes") {
            $0.split(separator: "{}", omittingEmptySubsequences: false).count == 2
        }
    }
}
