/// How long a call may take, and how it is tried again.
public struct HTTPSettings: Sendable, Equatable {
    /// Seconds for one attempt, from connecting to the last byte.
    public var timeOut = 120.0
    /// The most bytes of an answer.
    public var sizeLimit = 64 << 20
    /// How often a call is tried in all.
    public var attempts = 8
    /// Seconds to wait after the first failure; doubled after each further one.
    public var firstDelay = 0.5
    /// The most seconds to wait unless the server asks for more.
    public var longestDelay = 60.0
    /// The most seconds of silence that a server may ask for.
    public var patience = 900.0
    /// The seed of the waits' random part.
    public var seed: UInt64 = 0

    /// The defaults.
    public init() {}

    /// Seconds to wait after a number of failures, at a place from 0 to 1 in their random range:
    /// min(longest, first · 2ⁿ⁻¹) · (½ + ½·u).
    ///
    /// The random half keeps callers that failed together from coming back together.
    func delay(afterFailures count: Int, jitter: Double) -> Double {
        let doubled = firstDelay * Double(sign: .plus, exponent: min(count - 1, 60), significand: 1)
        return min(longestDelay, doubled) * (0.5 + 0.5 * jitter)
    }
}
