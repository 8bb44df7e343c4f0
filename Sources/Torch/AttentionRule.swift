import CLibTorch

/// How queries look at keys: softmax over scale · q·k of the keys that a window leaves, the scores brought into a soft cap.
public struct AttentionRule: Sendable, Equatable {
    /// What products of queries and keys are multiplied by.
    public var scale: Double
    /// How many keys a query sees, the latest ones, its own included; nil for all.
    public var window: Int?
    /// c in c · tanh(score / c), the scores as they go into softmax; nil for none.
    public var softCap: Double?

    /// A rule, by default without window and cap.
    public init(scale: Double, window: Int? = nil, softCap: Double? = nil) {
        self.scale = scale
        self.window = window
        self.softCap = softCap
    }

    /// Whether it is anything but plain causal attention.
    public var isRestricted: Bool { window != nil || softCap != nil }

    var raw: CLibTorch.AttentionRule {
        CLibTorch.AttentionRule(scale: scale, window: Int64(window ?? 0), soft_cap: softCap ?? 0)
    }
}
