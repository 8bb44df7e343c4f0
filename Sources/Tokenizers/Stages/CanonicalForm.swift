import Foundation

/// Unicode's canonical composition and decomposition, as the `tokenizers` library does them.
///
/// Foundation's own functions would not do: they know younger marks, and take characters beyond the basic plane for
/// others. Only their answers for single characters are used, to make the tables.
struct CanonicalForm: Sendable {
    /// The version of the library's tables: later marks keep their places.
    private static let version: Unicode.Version = (9, 0)

    static let shared = CanonicalForm()

    /// The full decomposition of each character that has one, Hangul aside.
    private var decompositions: [Unicode.Scalar: [Unicode.Scalar]] = [:]
    /// What two characters become together, by `first << 32 | second`, Hangul aside.
    private var compositions: [UInt64: Unicode.Scalar] = [:]

    private init() {
        // Every block that has canonical decompositions.
        let blocks: [Range<UInt32>] = [
            0xC0..<0x3100, 0xF900..<0xFB50, 0x1_1000..<0x1_2000, 0x1_D100..<0x1_D200, 0x2_F800..<0x2_FA20,
        ]
        for scalar in blocks.joined().compactMap(Unicode.Scalar.init)
        where ReferenceUnicode.isAssigned(scalar, in: Self.version) {
            let decomposition = Array(String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars)
            if decomposition != [scalar] { decompositions[scalar] = decomposition }
        }
        // Shorter ones first: a longer one is a shorter one and one more mark.
        for (scalar, decomposition) in decompositions.sorted(by: { $0.value.count < $1.value.count }) {
            let isExcluded = Array(String(scalar).precomposedStringWithCanonicalMapping.unicodeScalars) != [scalar]
            guard !isExcluded, let last = decomposition.last else { continue }
            let base = composed(ordered: Array(decomposition.dropLast()))
            if base.count == 1 { compositions[Self.key(base[0], last)] = scalar }
        }
    }

    private static func key(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> UInt64 {
        UInt64(first.value) << 32 | UInt64(second.value)
    }

    /// Normalisation form D.
    func decomposed(_ text: String) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if let syllable = HangulSyllable(scalar) {
                result += syllable.letters
            } else if scalar.value >= 0xC0, let decomposition = decompositions[scalar] {
                result += decomposition
            } else {
                result.append(scalar)
            }
        }
        order(&result)
        return result
    }

    /// Normalisation form KD.
    func compatiblyDecomposed(_ text: String) -> [Unicode.Scalar] {
        decomposed(String(scalars: CompatibilityTable.shared.expanded(text)))
    }

    /// Normalisation form KC.
    func compatiblyComposed(_ text: String) -> [Unicode.Scalar] {
        composed(ordered: compatiblyDecomposed(text))
    }

    /// Normalisation form C.
    func composed(_ text: String) -> [Unicode.Scalar] {
        composed(ordered: decomposed(text))
    }

    /// Sorts every run of marks by their classes.
    private func order(_ text: inout [Unicode.Scalar]) {
        var start = 0
        while start < text.count {
            guard markClass(text[start]) > 0 else {
                start += 1
                continue
            }
            var end = start + 1
            while end < text.count, markClass(text[end]) > 0 { end += 1 }
            if end > start + 1 { text[start..<end].sort { markClass($0) < markClass($1) } }
            start = end
        }
    }

    private func composed(ordered text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        /// Where the last character is that marks may join, and the class of the last mark behind it.
        var base: Int?
        var lastClass: UInt8 = 0
        for scalar in text {
            let markClass = markClass(scalar)
            let isBlocked = base.map { $0 + 1 < result.count && lastClass >= markClass } ?? true
            if !isBlocked, let position = base, let composition = composition(result[position], scalar) {
                result[position] = composition
                continue
            }
            if markClass == 0 { base = result.count }
            lastClass = markClass
            result.append(scalar)
        }
        return result
    }

    private func composition(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
        HangulSyllable.composition(first, second) ?? compositions[Self.key(first, second)]
    }

    /// The canonical combining class, 0 for all that is no mark.
    private func markClass(_ scalar: Unicode.Scalar) -> UInt8 {
        guard scalar.value >= 0x300 else { return 0 }
        let markClass = scalar.properties.canonicalCombiningClass.rawValue
        return markClass > 0 && ReferenceUnicode.isAssigned(scalar, in: Self.version) ? markClass : 0
    }
}

/// A Korean syllable, which is composed of its letters by arithmetic.
private struct HangulSyllable {
    private static let base: UInt32 = 0xAC00
    private static let initialBase: UInt32 = 0x1100
    private static let vowelBase: UInt32 = 0x1161
    private static let finalBase: UInt32 = 0x11A7
    private static let initialCount: UInt32 = 19
    private static let vowelCount: UInt32 = 21
    /// One more than there are final letters: none is the first.
    private static let finalCount: UInt32 = 28

    private let index: UInt32

    init?(_ scalar: Unicode.Scalar) {
        guard scalar.value >= Self.base else { return nil }
        index = scalar.value - Self.base
        guard index < Self.initialCount * Self.vowelCount * Self.finalCount else { return nil }
    }

    var letters: [Unicode.Scalar] {
        let final = index % Self.finalCount
        let numbers = [
            Self.initialBase + index / (Self.vowelCount * Self.finalCount),
            Self.vowelBase + index / Self.finalCount % Self.vowelCount,
        ]
        return (numbers + (final > 0 ? [Self.finalBase + final] : [])).compactMap(Unicode.Scalar.init)
    }

    static func composition(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
        if let initial = offset(first, from: initialBase, count: initialCount),
            let vowel = offset(second, from: vowelBase, count: vowelCount)
        {
            return Unicode.Scalar(base + (initial * vowelCount + vowel) * finalCount)
        }
        if let syllable = HangulSyllable(first), syllable.index % finalCount == 0,
            let final = offset(second, from: finalBase, count: finalCount), final > 0
        {
            return Unicode.Scalar(first.value + final)
        }
        return nil
    }

    private static func offset(_ scalar: Unicode.Scalar, from base: UInt32, count: UInt32) -> UInt32? {
        (base..<base + count).contains(scalar.value) ? scalar.value - base : nil
    }
}
