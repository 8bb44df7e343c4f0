/// What a client may ask of the server's memory and patience.
public struct ServerLimits: Sendable {
    /// The most bytes of a request's body.
    public var bodyBytes = 16 << 20
    /// The most bytes of a request's target and header fields, each and together.
    public var headerBytes = 16 << 10
    /// The most header fields of a request.
    public var headerFields = 100
    /// Connections at once; those beyond are told so and closed.
    public var connections = 512
    /// Seconds from connecting to the end of the first request's header.
    public var headerSeconds = 10.0
    /// Seconds from the end of a header to the end of its body.
    public var bodySeconds = 30.0
    /// Seconds that a connection may lie idle between two requests.
    public var idleSeconds = 75.0
    /// Seconds from the end of a request to the end of its answer.
    public var answerSeconds = 600.0
    /// Seconds that a client has after an answer that comes before its request has ended, or to take the last of a late one.
    public var lingerSeconds = 2.0
    /// Seconds that running requests have when the server stops.
    public var graceSeconds = 30.0

    /// The defaults.
    public init() {}
}
