import CPCRE2

/// Characters that the system's PCRE2 classifies otherwise than the Unicode version that tokenizers are defined by.
///
/// Token ids must not depend on a machine's PCRE2, which knows no letter younger than itself. So a pattern is shown, in
/// place of each such character, the nearest one of the right category and of equal length that both agree on.
struct StandIns: Sendable {
    static let shared = StandIns(patternVersion: systemVersion())

    private var scalars: [UInt32: [UInt8]] = [:]
    /// Which blocks of 256 characters hold any, so that most text is passed over quickly.
    private var blocks = [Bool](repeating: false, count: 0x1100)

    init(patternVersion: Unicode.Version) {
        var nearest: [Kind: Unicode.Scalar] = [:]
        for value in UInt32(0x80)..<0x3_4000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let category = Self.category(of: scalar, in: ReferenceUnicode.version)
            let kind = Kind(category: category, width: UTF8.width(scalar))
            if category == Self.category(of: scalar, in: patternVersion) {
                nearest[kind] = scalar
            } else if let standIn = nearest[kind] {
                scalars[value] = Array(Character(standIn).utf8)
                blocks[Int(value >> 8)] = true
            }
        }
    }

    private struct Kind: Hashable {
        var category: Unicode.GeneralCategory
        var width: Int
    }

    private static func category(of scalar: Unicode.Scalar, in version: Unicode.Version) -> Unicode.GeneralCategory {
        ReferenceUnicode.isAssigned(scalar, in: version) ? scalar.properties.generalCategory : .unassigned
    }

    private static func systemVersion() -> Unicode.Version {
        var buffer = [UInt8](repeating: 0, count: 64)
        let length = pcre2_config_8(UInt32(PCRE2_CONFIG_UNICODE_VERSION), &buffer)
        let text = String(decoding: buffer.prefix(max(0, Int(length) - 1)), as: UTF8.self)
        let numbers = text.split(separator: ".").compactMap { Int($0) }
        return numbers.count >= 2 ? (numbers[0], numbers[1]) : ReferenceUnicode.version
    }

    /// A text of the same length in which the stand-ins are put, or `nil` where there is nothing to put.
    static func substituted(in text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        // All of them take three bytes or more.
        guard text.contains(where: { $0 >= 0xE0 }) else { return nil }
        return shared.substituted(in: text)
    }

    func substituted(in text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard !scalars.isEmpty else { return nil }
        var result: [UInt8]?
        var position = 0
        while position < text.count {
            let length = UTF8Text.lengthOfCharacter(startingWith: text[position])
            if length >= 3, let standIn = standIn(for: UTF8Text.scalar(at: position, in: text)) {
                if result == nil { result = Array(text) }
                result?.replaceSubrange(position..<position + length, with: standIn)
            }
            position += length
        }
        return result
    }

    private func standIn(for scalar: UInt32) -> [UInt8]? {
        blocks[Int(scalar >> 8)] ? scalars[scalar] : nil
    }
}
