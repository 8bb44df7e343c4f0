import Foundation

/// What Unicode's compatibility decompositions make of the characters that have one beyond the canonical.
struct CompatibilityTable: Sendable {
    static let shared = CompatibilityTable()

    private static let version: Unicode.Version = (9, 0)
    private var expansions: [Unicode.Scalar: [Unicode.Scalar]] = [:]

    private init() {
        // Every block that has any.
        let blocks: [Range<UInt32>] = [
            0xA0..<0x3400, 0xA640..<0xA800, 0xAB50..<0xAB70, 0xF900..<0x1_0000, 0x1_1000..<0x1_2000,
            0x1_D100..<0x1_D200, 0x1_D400..<0x1_D800, 0x1_EE00..<0x1_EF00, 0x1_F100..<0x1_F300, 0x2_F800..<0x2_FA20,
        ]
        for scalar in blocks.joined().compactMap(Unicode.Scalar.init)
        where ReferenceUnicode.isAssigned(scalar, in: Self.version) {
            let expansion = Array(String(scalar).decomposedStringWithCompatibilityMapping.unicodeScalars)
            if expansion != [scalar] { expansions[scalar] = expansion }
        }
    }

    func expanded(_ text: String) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if scalar.value >= 0xA0, let expansion = expansions[scalar] {
                result += expansion
            } else {
                result.append(scalar)
            }
        }
        return result
    }
}

extension String {
    init(scalars: some Sequence<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}
