import NIOHTTP1

/// One request as it came.
struct Call: Sendable {
    let head: RequestHead
    var body: [UInt8] = []
}

/// The first lines of a request.
struct RequestHead: Sendable {
    /// The method in capitals.
    let method: String
    /// What stands before the question mark, as it was sent.
    let path: String
    private let headers: HTTPHeaders
    /// The version that the answer is written in: HTTP/1.0 knows no chunks.
    let version: HTTPVersion
    /// Whether the connection may serve another request.
    let keepsAlive: Bool
    /// Whether the client waits for a word before it sends the body.
    let expectsContinue: Bool

    init(_ head: HTTPRequestHead) {
        method = head.method.rawValue
        path = String(head.uri.prefix { $0 != "?" })
        headers = head.headers
        version = head.version == .http1_0 ? .http1_0 : .http1_1
        // Behind an offer to change the protocol the parser reads nothing more.
        keepsAlive = head.isKeepAlive && version == .http1_1 && !head.headers.contains(name: "upgrade")
        expectsContinue = version == .http1_1 && head.headers.first(name: "expect")?.lowercased() == "100-continue"
    }

    /// The value of a field, whatever the case of its name; of several equal ones the first.
    func field(_ name: String) -> String? { headers.first(name: name) }

    /// How often a field occurs.
    func count(_ name: String) -> Int { headers[name].count }

    /// The length of the body where the header says it.
    var contentLength: Int? { field("content-length").flatMap { Int($0) } }
    /// Whether a body follows.
    var hasBody: Bool { contentLength.map { $0 > 0 } ?? (field("transfer-encoding") != nil) }
}
