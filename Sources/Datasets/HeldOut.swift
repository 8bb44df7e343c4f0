import JSONText

/// A share of the prompts that is kept from training, to evaluate on.
///
/// Where a prompt belongs follows from the seed and from what it says, and from nothing else: the two parts have no prompt in
/// common, whatever lies in which file; and other limits, more files or a resumed run leave every prompt where it is. A share
/// is therefore met up to chance: of n prompts within about √(n · share).
public struct HeldOut: Sendable, Equatable {
    /// The share of the prompts that is held out, between 0 and 1.
    public let share: Double
    /// What decides which ones.
    public let seed: UInt64
    /// Which of the two parts is wanted.
    public let part: Part

    /// The parts of a data set.
    public enum Part: Sendable {
        /// What is not held out.
        case training
        /// What is.
        case evaluation
    }

    /// One of the two parts.
    public init(share: Double, seed: UInt64, part: Part) {
        self.share = share
        self.seed = seed
        self.part = part
    }

    /// Whether a row is in the part.
    func takes(_ row: JSONObject, _ keys: DatasetKeys) -> Bool {
        var digest = ContentDigest()
        digest.add(Self.prompt(of: row, keys).identity)
        var random = SplitMix(seed: seed, number: digest.value)
        let isHeldOut = Double(random.next() >> 11) * 0x1p-53 < share
        return isHeldOut == (part == .evaluation)
    }

    /// What rows that answer the same prompt have in common; the whole row where no prompt stands apart.
    private static func prompt(of row: JSONObject, _ keys: DatasetKeys) -> JSON {
        for key in [keys.input, keys.prompt, "prompt_ids", "context_messages", "prompt"] {
            if let value = key.flatMap({ row[$0] }), !value.isNull { return value }
        }
        if let ids = row["input_ids"]?.array, let length = row["prompt_length"]?.integer, length > 0 {
            return .array(Array(ids.prefix(length)))
        }
        if let messages = row["messages"]?.array, messages.count > 1 { return .array(messages.dropLast()) }
        return .object(row)
    }
}

extension JSON {
    /// Bytes that are equal for equal values.
    ///
    /// Bytes, since texts that look the same are equal as strings and become other tokens.
    var identity: [UInt8] { Array(withSortedKeys.serialized().utf8) }

    /// The same value with the members of every object in the order of their names.
    private var withSortedKeys: JSON {
        switch self {
        case .array(let elements): return .array(elements.map(\.withSortedKeys))
        case .object(let object):
            var sorted = JSONObject()
            for (key, value) in object.members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                sorted[key] = value.withSortedKeys
            }
            return .object(sorted)
        default: return self
        }
    }
}
