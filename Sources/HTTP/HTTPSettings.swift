/// How long a call may take, and how it is tried again.
public struct HTTPSettings: Sendable, Equatable {
    /// Seconds for one attempt, from connecting to the last byte; a download may take longer.
    public var timeOut = 120.0
    /// Seconds for which a download may bring nothing.
    public var stallTimeOut = 30.0
    /// The most bytes of an answer.
    public var sizeLimit = 64 << 20
    /// The most bytes of a download that one transfer asks for.
    ///
    /// Foundation takes from the network whatever comes, so this is what a disk that is slower can make it hold.
    public var rangeLimit = 64 << 20
    /// How often a call is tried in all.
    public var attempts = 8
    /// How often it is tried while no connection comes about; `nil` is as often as for any other reason.
    public var connectionAttempts: Int?
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

    /// The range that a transfer asks for, as a header field says it; nil asks for everything.
    func range(behind count: Int, of whole: Int?) -> String? {
        if let whole, whole - count > rangeLimit { return "bytes=\(count)-\(count + rangeLimit - 1)" }
        return count > 0 ? "bytes=\(count)-" : nil
    }

    /// Seconds to wait after a number of failures, at a place from 0 to 1 in their random range:
    /// min(longest, first · 2ⁿ⁻¹) · (½ + ½·u).
    ///
    /// The random half keeps callers that failed together from coming back together.
    func delay(afterFailures count: Int, jitter: Double) -> Double {
        let doubled = firstDelay * Double(sign: .plus, exponent: min(count - 1, 60), significand: 1)
        return min(longestDelay, doubled) * (0.5 + 0.5 * jitter)
    }
}
