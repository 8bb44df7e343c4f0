/// Why a call has no answer, after every attempt that made sense.
public struct HTTPError: Error, Equatable, Sendable {
    /// The address that was called.
    public let address: String
    /// How often it was tried.
    public let attempts: Int
    /// What went wrong the last time.
    public let problem: HTTPProblem
}

/// What can go wrong with one attempt.
public enum HTTPProblem: Error, Equatable, Sendable {
    /// The text is not an `http` or `https` address.
    case badAddress
    /// No connection, no trust in the certificate, or one that broke: the system's words.
    case connection(String)
    /// No whole answer in this many seconds.
    case timeOut(seconds: Double)
    /// A download brought nothing for this many seconds.
    case stalled(seconds: Double)
    /// What a download brings cannot be kept: why.
    case storage(String)
    /// The answer is longer than this many bytes.
    case tooLarge(limit: Int)
    /// The server refuses: its status and the start of its answer.
    case status(Int, excerpt: String)
    /// The server wants this many seconds of silence, more than anybody waits.
    case patience(seconds: Double)
    /// The answer is not JSON: why, and its start.
    case notJSON(String, excerpt: String)
    /// The answer is JSON, but not what the caller can use: why, and its start.
    case unexpected(String, excerpt: String)
    /// The task that waited was cancelled.
    case cancelled
}

extension HTTPProblem {
    /// Whether the same call may succeed later.
    var isPassing: Bool {
        switch self {
        case .connection, .timeOut, .stalled, .notJSON, .unexpected: true
        // An account without credit answers 429 as a busy server does, and no waiting helps it.
        case .status(429, let excerpt): !excerpt.contains("insufficient_quota")
        case .status(let status, _): [408, 409, 425].contains(status) || status >= 500
        case .badAddress, .storage, .tooLarge, .patience, .cancelled: false
        }
    }

    /// Whether no answer came.
    var isUnreachable: Bool {
        switch self {
        case .connection, .timeOut, .stalled: true
        default: false
        }
    }
}

extension HTTPError: CustomStringConvertible {
    /// One sentence: where, what, how often.
    public var description: String {
        "\(address): \(problem)" + (attempts > 1 ? " (after \(attempts) attempts)" : "")
    }
}

extension HTTPProblem: CustomStringConvertible {
    /// What happened, as the second half of a sentence.
    public var description: String {
        switch self {
        case .badAddress: "this is not an http:// or https:// address"
        case .connection(let reason): "no connection: \(reason)"
        case .timeOut(let seconds): "no whole answer within \(seconds) s"
        case .stalled(let seconds): "nothing came for \(seconds) s"
        case .storage(let reason): reason
        case .tooLarge(let limit): "the answer is longer than \(limit) bytes"
        case .status(let status, let excerpt): "the server answers \(status): \(excerpt)"
        case .patience(let seconds): "the server asks to be left alone for \(Int(min(seconds, 1e9))) s; try again then"
        case .notJSON(let reason, let excerpt): "the answer is not JSON (\(reason)): \(excerpt)"
        case .unexpected(let reason, let excerpt): "the answer \(reason): \(excerpt)"
        case .cancelled: "the call was cancelled"
        }
    }
}
