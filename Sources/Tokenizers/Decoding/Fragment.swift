/// A part of a token's text on its way through the decoders.
///
/// Decoders are defined on lists of tokens; to decode while tokens still come, each works on fragments, which a decoder
/// that fuses tokens hands on before their token ends.
struct Fragment {
    /// Whole characters, in UTF-8.
    let bytes: UnsafeBufferPointer<UInt8>
    /// Whether the token ends here.
    let endsToken: Bool
}

/// The fragments that one decoder hands to the next, in one buffer that is used again and again.
struct FragmentList: Sendable {
    /// All fragments, one after the other.
    private(set) var bytes: [UInt8] = []
    private var ends: [(offset: Int, endsToken: Bool)] = []

    var isEmpty: Bool { ends.isEmpty }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    mutating func append(_ fragment: some Sequence<UInt8>, endsToken: Bool) {
        append(endsToken: endsToken) { $0.append(contentsOf: fragment) }
    }

    /// Appends a fragment of the bytes that `body` appends.
    mutating func append(endsToken: Bool, _ body: (inout [UInt8]) -> Void) {
        body(&bytes)
        ends.append((bytes.count, endsToken))
    }

    func forEach(_ body: (Fragment) -> Void) {
        bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            for end in ends {
                body(
                    Fragment(bytes: UnsafeBufferPointer(rebasing: bytes[start..<end.offset]), endsToken: end.endsToken)
                )
                start = end.offset
            }
        }
    }
}

/// Puts fragments together for a decoder that needs whole tokens.
struct TokenAssembler: Sendable {
    private var bytes: [UInt8] = []

    /// The token that ends with this fragment, or `nil` where it goes on.
    mutating func token(completedBy fragment: Fragment) -> [UInt8]? {
        bytes.append(contentsOf: fragment.bytes)
        guard fragment.endsToken else { return nil }
        defer { bytes = [] }
        return bytes
    }
}
