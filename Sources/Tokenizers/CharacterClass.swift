/// Kinds of characters as the `tokenizers` library tells them, whose tables are those of older versions of Unicode.
enum CharacterClass {
    private static let categoryVersion: Unicode.Version = (8, 0)
    private static let markVersion: Unicode.Version = (9, 0)

    /// ASCII's symbols, and what was punctuation in Unicode 8.
    static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 { return scalar.properties.isPatternSyntax || scalar == "_" }
        // These have changed their categories since.
        if scalar.value == 0x166D || scalar.value == 0x111C9 { return true }
        guard ReferenceUnicode.isAssigned(scalar, in: categoryVersion) else { return false }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    /// Digits and other numbers.
    static func isNumber(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }

    /// What BERT removes: control characters other than white space, formats, and characters for private use.
    static func isBertControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control: scalar != "\t" && scalar != "\n" && scalar != "\r"
        case .privateUse: true
        case .format: ReferenceUnicode.isAssigned(scalar, in: categoryVersion)
        default: scalar == "\u{FFFD}"
        }
    }

    /// The marks that BERT removes from letters: nonspacing ones in Unicode 8.
    static func isBertAccent(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1734, 0x1171E: return true
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: return false
        default:
            return scalar.properties.generalCategory == .nonspacingMark
                && ReferenceUnicode.isAssigned(scalar, in: categoryVersion)
        }
    }

    /// All marks of Unicode 9.
    static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1CF2, 0x1CF3: return true
        case 0x111C9: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark:
            return ReferenceUnicode.isAssigned(scalar, in: markVersion)
        default: return false
        }
    }

    /// The blocks that BERT takes for Chinese characters.
    static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
