/// What a judge said of the answers A and B.
public enum Verdict {
    /// How two versions of Arena-Hard read verdicts.
    public enum Reading: Sendable {
        /// v0.1: double brackets only, and all of them must agree.
        case v01
        /// v2.0: in capitals; the last label in double brackets, else the last in single ones.
        case v20
    }

    /// What was found in a judgment.
    public enum Found: Equatable, Sendable {
        /// A label.
        case label(String)
        /// Labels that contradict each other: the game does not count.
        case contradiction
        /// None.
        case none
    }

    /// Finds the label in a judgment's text.
    public static func find(in judgment: String, _ reading: Reading) -> Found {
        switch reading {
        case .v01:
            let labels = labels(in: judgment, brackets: 2)
            guard let first = labels.first else { return .none }
            return labels.allSatisfy { $0 == first } ? .label(first) : .contradiction
        case .v20:
            let capitals = judgment.uppercased()
            let doubled = labels(in: capitals, brackets: 2)
            let found = doubled.isEmpty ? labels(in: capitals, brackets: 1) : doubled
            return found.last.map { .label($0) } ?? .none
        }
    }

    /// The texts of A, B, <, > and = between this many square brackets.
    private static func labels(in text: String, brackets: Int) -> [String] {
        let bytes = Array(text.utf8)
        let letters = Set("AB<>=".utf8)
        let (open, close) = ([UInt8](repeating: 0x5B, count: brackets), [UInt8](repeating: 0x5D, count: brackets))
        var labels: [String] = []
        var start = 0
        while start < bytes.count {
            guard bytes[start...].starts(with: open) else {
                start += 1
                continue
            }
            let label = bytes[(start + brackets)...].prefix { letters.contains($0) }
            if !label.isEmpty, bytes[label.endIndex...].starts(with: close) {
                labels.append(String(decoding: label, as: UTF8.self))
                start = label.endIndex + brackets
            } else {
                start += 1
            }
        }
        return labels
    }

    /// The model's outcome in a game where it is B, and how many battles a verdict weighs.
    ///
    /// - Parameter canonicalOnly: whether only the five labels of the prompt are known, as in v0.1; v2.0 also reads them
    ///   from right to left.
    /// - Returns: nil for any other label.
    static func outcome(_ label: String, canonicalOnly: Bool) -> (y: Double, weight: Int)? {
        switch label {
        case "A>>B": (0, 3)
        case "A>B": (0, 1)
        case "A=B": (0.5, 1)
        case "B>A": (1, 1)
        case "B>>A": (1, 3)
        case "A<B" where !canonicalOnly: (1, 1)
        case "A<<B" where !canonicalOnly: (1, 3)
        case "B<A" where !canonicalOnly: (0, 1)
        case "B<<A" where !canonicalOnly: (0, 3)
        case "B=A" where !canonicalOnly: (0.5, 1)
        default: nil
        }
    }
}
