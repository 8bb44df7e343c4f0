import JSONText
import NIOCore
import NIOHTTP1
import Synchronization

/// Writes the answer to one request: whole, or piece by piece.
///
/// Every method returns when the connection has taken the bytes, so that whoever writes is as slow as the client reads.
final class Responder: Sendable {
    private let channel: any Channel
    private let head: RequestHead
    private let state = Mutex(State())

    private struct State {
        var status: Int?
        var isOver = false
        var note = ""

        mutating func begin(_ status: Int) -> Bool {
            guard self.status == nil else { return false }
            self.status = status
            return true
        }

        mutating func end() -> Bool {
            defer { isOver = true }
            return !isOver
        }
    }

    init(_ channel: any Channel, _ head: RequestHead) {
        self.channel = channel
        self.head = head
    }

    /// The status that was sent, nil before.
    var status: Int? { state.withLock(\.status) }
    /// Whether the client is still there.
    var isConnected: Bool { channel.isActive }
    /// What the access log says beside the status.
    var note: String {
        get { state.withLock(\.note) }
        set { state.withLock { $0.note = newValue } }
    }

    /// Answers as a whole.
    func reply(_ reply: Reply, closes: Bool = false) async throws {
        guard state.withLock({ $0.begin(reply.status) }) else { return }
        var fields = reply.fields
        fields.add(name: "Content-Length", value: "\(reply.body.utf8.count)")
        writeHead(reply.status, fields, closes: closes)
        // The answer to HEAD is the header alone.
        if head.method != "HEAD", !reply.body.isEmpty { write(reply.body) }
        try await end(closes: closes)
    }

    /// Begins an answer in pieces.
    func beginStream() async throws {
        guard state.withLock({ $0.begin(200) }) else { return }
        writeHead(
            200,
            ["Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"],
            closes: false
        )
        try await channel.eventLoop.makeSucceededVoidFuture().get()
    }

    /// Sends one event of a stream.
    func send(event: String) async throws {
        try await channel.writeAndFlush(
            HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "data: \(event)\n\n")))
        )
        .get()
    }

    /// Ends an answer in pieces.
    func endStream() async throws { try await end(closes: false) }

    private func end(closes: Bool) async throws {
        guard state.withLock({ $0.end() }) else { return }
        try await channel.writeAndFlush(HTTPServerResponsePart.end(nil)).get()
        if closes || !head.keepsAlive { channel.close(promise: nil) }
    }

    private func writeHead(_ status: Int, _ fields: HTTPHeaders, closes: Bool) {
        var fields = fields
        if closes || !head.keepsAlive { fields.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(version: self.head.version, status: .init(statusCode: status), headers: fields)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
    }

    private func write(_ text: String) {
        channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
    }
}

/// A whole answer.
struct Reply: Sendable {
    let status: Int
    var fields: HTTPHeaders
    let body: String

    /// An answer in JSON.
    init(_ json: JSON, status: Int = 200, fields: HTTPHeaders = [:]) {
        self.status = status
        self.fields = fields
        self.fields.add(name: "Content-Type", value: "application/json; charset=utf-8")
        body = json.serialized()
    }

    /// What is wrong, in the form that OpenAI's clients read.
    init(_ error: APIError) {
        self.init(error.json, status: error.status, fields: error.fields)
    }

    /// The bytes of an answer after which the connection ends.
    func closingText(hasBody: Bool) -> String {
        var fields = fields
        fields.add(name: "Content-Length", value: "\(body.utf8.count)")
        fields.add(name: "Connection", value: "close")
        let first = "HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n"
        return first + fields.map { "\($0.name): \($0.value)\r\n" }.joined() + "\r\n" + (hasBody ? body : "")
    }
}
