/// The version of Unicode by which tokenizers are defined: that of the `tokenizers` library and its regular
/// expressions.
///
/// Letters assigned later must not change the ids of a text, whatever version the Swift run time knows.
enum ReferenceUnicode {
    static let version: Unicode.Version = (16, 0)

    /// Whether that version, or another one, has this character at all.
    static func isAssigned(_ scalar: Unicode.Scalar, in version: Unicode.Version = version) -> Bool {
        scalar.properties.age.map { $0 <= version } ?? false
    }
}
