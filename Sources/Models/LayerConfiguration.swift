import JSONText

/// What distinguishes one layer's attention from another's.
public struct LayerConfiguration: Sendable, Equatable {
    /// How many keys a query sees, its own included; nil for all.
    public let window: Int?
    /// Which of the model's rotary configurations turns queries and keys; nil for none.
    public let rotary: Int?

    static let sliding = "sliding_attention"
    static let full = "full_attention"

    /// All layers, and the rotary configurations that they choose from.
    static func all(
        _ fields: ConfigurationFields,
        _ traits: ModelFamily.Traits,
        headDimension: Int
    ) throws(ModelError) -> ([LayerConfiguration], [RotaryConfiguration]) {
        let count = try fields.size("num_hidden_layers", atMost: 1 << 16)
        let isWindowed = try windowed(fields, traits, count: count)
        let window = isWindowed.contains(true) ? try fields.size("sliding_window") : nil
        let turns = try turning(fields, traits, count: count)
        let rotaries = try RotaryConfiguration.all(fields, traits, headDimension: headDimension)
        let layers = zip(isWindowed, turns).map { isWindowed, turns in
            LayerConfiguration(
                window: isWindowed ? window : nil,
                rotary: turns ? (isWindowed ? rotaries.count - 1 : 0) : nil
            )
        }
        return (layers, rotaries)
    }

    /// Which layers see a window only.
    private static func windowed(
        _ fields: ConfigurationFields,
        _ traits: ModelFamily.Traits,
        count: Int
    ) throws(ModelError) -> [Bool] {
        if traits.readsLayerTypes, let types = try fields.list("layer_types", \.string) {
            if let unknown = types.first(where: { $0 != sliding && $0 != full }) {
                throw ModelError(
                    fields.path,
                    "layer_types names \"\(unknown)\"; supported are \"\(full)\" and \"\(sliding)\""
                )
            }
            try check(types.count, "layer_types", fields, count)
            return types.map { $0 == sliding }
        }
        let hasWindow = fields.has("sliding_window")
        switch traits.windows {
        case .everywhere: return Array(repeating: hasWindow, count: count)
        case .fromLayer:
            guard hasWindow, try fields.flag("use_sliding_window", default: false) else {
                return Array(repeating: false, count: count)
            }
            let first = try fields.number("max_window_layers", default: 28)
            return (0..<count).map { Double($0) >= first }
        case .allButEvery(let standard):
            let step = try fields.size("sliding_window_pattern", default: standard)
            return (0..<count).map { hasWindow && ($0 + 1) % step != 0 }
        case .none:
            let asksForWindows = try fields.flag("use_sliding_window", default: false)
            guard !traits.readsLayerTypes || !asksForWindows else {
                throw ModelError(
                    fields.path,
                    "use_sliding_window is true, but layer_types does not say for which layers"
                )
            }
            return Array(repeating: false, count: count)
        }
    }

    /// Which layers turn queries and keys by their positions.
    private static func turning(
        _ fields: ConfigurationFields,
        _ traits: ModelFamily.Traits,
        count: Int
    ) throws(ModelError) -> [Bool] {
        guard traits.skipsRotary else { return Array(repeating: true, count: count) }
        if let flags = try fields.list("no_rope_layers", \.integer) {
            try check(flags.count, "no_rope_layers", fields, count)
            return flags.map { $0 != 0 }
        }
        let step = try fields.size("no_rope_layer_interval")
        return (1...count).map { $0 % step != 0 }
    }

    private static func check(
        _ found: Int,
        _ key: String,
        _ fields: ConfigurationFields,
        _ count: Int
    ) throws(ModelError) {
        guard found == count else {
            throw ModelError(fields.path, "\(key) has \(found) entries for \(count) layers")
        }
    }
}
