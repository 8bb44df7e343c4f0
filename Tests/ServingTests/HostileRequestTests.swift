import Foundation
import JSONText
import Serving
import TestSupport
import Testing

/// What no proper client sends, and what it gets; the table of the documentation has these rows.
@Suite("Hostile requests", .serialized)
struct HostileRequestTests {
    /// A request as it is sent, and the status and a word of its answer.
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: [UInt8]
        let status: Int
        let mention: String

        init(_ name: String, _ request: String, _ status: Int, _ mention: String = "") {
            testDescription = name
            // Of the same length, and in no text.
            self.request = Array(request.utf8).replacing("\u{FFFD}".utf8, with: [0xFF, 0xFE, 0xFD])
            self.status = status
            self.mention = mention
        }
    }

    private static func post(_ body: String, _ fields: [String: String] = [:], path: String = "/v1/completions")
        -> String
    {
        SocketClient.request("POST", path, fields: fields, body: body)
    }

    private static func get(_ path: String, _ fields: [String: String] = [:], method: String = "GET") -> String {
        SocketClient.request(method, path, fields: fields)
    }

    private static let good = #"{"prompt":"a"}"#
    private static let big = String(repeating: "x", count: 40000)

    static let attacks: [Attack] = [
        Attack(
            "a length beyond the limit",
            get("/v1/completions", ["Content-Length": "99999999999"], method: "POST"),
            413
        ),
        Attack(
            "a length beyond any number",
            get("/v1/completions", ["Content-Length": "9999999999999999999999"], method: "POST"),
            400
        ),
        Attack("a negative length", get("/v1/completions", ["Content-Length": "-1"], method: "POST"), 400),
        Attack("a body beyond the limit", post(big), 413, "32768"),
        Attack(
            "chunks beyond the limit",
            get("/v1/completions", ["Transfer-Encoding": "chunked"], method: "POST") + "9c40\r\n\(big)\r\n0\r\n\r\n",
            413
        ),
        Attack(
            "a length and chunks at once",
            post(good, ["Transfer-Encoding": "chunked"]),
            400
        ),
        Attack(
            "two lengths",
            "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
            400
        ),
        Attack("a field beyond the limit", get("/health", ["X-Long": big]), 431),
        Attack("a target beyond the limit", get("/" + big), 431),
        Attack(
            "too many fields",
            get("/health", Dictionary(uniqueKeysWithValues: (0..<150).map { ("X-\($0)", "v") })),
            431
        ),
        Attack("no HTTP at all", "hello\r\n\r\n", 400),
        Attack("bytes of TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}", 400),
        Attack("another version", "GET /health HTTP/3.7\r\n\r\n", 400),
        Attack("a line break in a field", "GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n", 400),
        Attack("no JSON", post("{"), 400, "line 1, column 2"),
        Attack("no UTF-8", post("{\"prompt\":\"\u{FFFD}\"}"), 400, "line 1"),
        Attack("JSON that is no object", post("[1]"), 400, "an array"),
        Attack("nesting without end", post(String(repeating: "[", count: 5000)), 400),
        Attack("a number beyond any", post(#"{"prompt":"a","temperature":1e999}"#), 400),
        Attack("no body", get("/v1/completions", ["Content-Length": "0"], method: "POST"), 400),
        Attack(
            "a prompt beyond the context",
            post(#"{"prompt":"\#(big.prefix(2000))"}"#),
            400,
            "context_length_exceeded"
        ),
        Attack("another type", post(good, ["Content-Type": "text/plain"]), 415),
        Attack("a packed body", post(good, ["Content-Encoding": "gzip"]), 415),
        Attack("an unknown path", get("/"), 404),
        Attack("a path upwards", get("/v1/../v1/models"), 404),
        Attack("a path upwards, escaped", get("/v1/%2e%2e/models"), 404),
        Attack("a file", get("/v1/models/..%2f..%2f..%2fetc%2fpasswd"), 404),
        Attack("a zero byte, escaped", get("/v1/models/tiny%00"), 404),
        Attack("two slashes", get("//v1/models"), 404),
        Attack("an escaped path", get("/%76%31/models"), 404),
        Attack("a whole address", get("http://example.com/v1/models"), 404),
        Attack("a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        Attack("the wrong method", get("/v1/completions"), 405, "Allow: POST"),
        Attack(
            "a question of browsers",
            get("/v1/completions", ["Origin": "http://127.0.0.1"], method: "OPTIONS"),
            405
        ),
        Attack("a web page", post(good, ["Origin": "https://example.com"]), 403),
        Attack("a name that leads here", post(good, ["Host": "example.com"]), 403),
        Attack("a name that begins as an address", post(good, ["Host": "[::1].example.com"]), 403),
        Attack("two hosts", "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        Attack("a script in the model's name", post(#"{"prompt":"a","model":"\"\r\nX: <script>"}"#), 404, #"\"\r\nX"#),
    ]

    @Test("each is answered, the connection ends, and the server goes on", arguments: attacks)
    func attack(attack: Attack) throws {
        var limits = ServerLimits()
        limits.bodyBytes = 32768
        limits.lingerSeconds = 0.3
        let server = try TestServer(limits: limits)
        let client = try SocketClient(port: server.port)
        client.send(bytes: attack.request)
        let answer = client.answer()
        #expect(answer.status == attack.status, "\(answer.text)")
        #expect(attack.mention.isEmpty || answer.text.contains(attack.mention), "\(answer.text)")
        #expect(answer.fields.keys.allSatisfy { !$0.hasPrefix("access-control") && $0 != "x" })
        if answer.status != 0 { #expect(try JSON(parsing: answer.body)["error"]?["message"]?.string != nil) }
        #expect(server.engine.orders.isEmpty)
        #expect(try server.ask("POST", "/v1/completions", Self.good).status == 200)
    }

    static let keys: [(field: String?, status: Int)] = [
        (nil, 401), ("Bearer secre", 401), ("Bearer secrets", 401), ("Bearer ", 401), ("Bearer Secret", 401),
        ("secret", 401), ("Basic secret", 401), ("Bearer secret secret", 401), ("bearer  secret", 200),
        ("Bearer secret", 200),
    ]

    @Test("with a token, only who bears it is answered, before the body is read", arguments: keys)
    func tokens(field: String?, status: Int) throws {
        let server = try TestServer(token: "secret")
        let fields = field.map { ["Authorization": $0, "Host": "example.com"] } ?? ["X-Token": "secret"]
        let answer = try server.ask("POST", "/v1/completions?token=secret&api_key=secret", Self.good, fields: fields)
        #expect(answer.status == status)
        let path = try server.ask("GET", "/nothing", fields: fields)
        #expect(path.status == (status == 200 ? 404 : 401))
        #expect(try server.ask("GET", "/health").status == 200)
        #expect(!server.log.joined().contains("secret"))
        guard status == 401 else { return }
        #expect(answer.fields["www-authenticate"] == "Bearer" && !answer.body.contains("secret"))
        // It need not send what it announces.
        let client = try SocketClient(port: server.port)
        client.send(SocketClient.request("POST", "/v1/completions", fields: ["Content-Length": "1000"]))
        #expect(client.answer().status == 401)
    }

    @Test("a header and a body that come too slowly are answered 408, an idle connection is closed")
    func slowness() throws {
        var limits = ServerLimits()
        limits.headerSeconds = 0.3
        limits.bodySeconds = 0.3
        limits.idleSeconds = 0.3
        limits.lingerSeconds = 0.2
        let server = try TestServer(limits: limits)
        let slowHeader = try SocketClient(port: server.port)
        slowHeader.send("POST /v1/completions HT")
        let header = slowHeader.answer()
        #expect(header.status == 408 && header.body.contains("header"))
        let slowBody = try SocketClient(port: server.port)
        slowBody.send(SocketClient.request("POST", "/v1/completions", fields: ["Content-Length": "20"]) + "{")
        let body = slowBody.answer()
        #expect(body.status == 408 && body.body.contains("body"))
        let idle = try SocketClient(port: server.port)
        idle.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(idle.answer().status == 200)
        #expect(server.engine.orders.isEmpty)
    }

    @Test("a client that waits for a word before its body gets it, or its refusal")
    func expectation() throws {
        let server = try TestServer()
        let fields = ["Expect": "100-continue", "Content-Length": "\(Self.good.utf8.count)"]
        let client = try SocketClient(port: server.port)
        client.send(SocketClient.request("POST", "/v1/completions", fields: fields))
        #expect(client.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 100"))
        client.send(Self.good)
        #expect(client.answer().status == 200)
        let refused = try SocketClient(port: server.port)
        let large = ["Expect": "100-continue", "Content-Length": "999999999"]
        refused.send(SocketClient.request("POST", "/v1/completions", fields: large))
        #expect(refused.answer().status == 413)
    }

    @Test("a client of HTTP/1.0 gets no chunks, and the end of the connection is the end of its answer")
    func oldVersion() throws {
        let server = try TestServer()
        let body = #"{"prompt":"a","stream":true}"#
        for field in ["", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n"] {
            let client = try SocketClient(port: server.port)
            client.send(
                "POST /v1/completions HTTP/1.0\r\n\(field)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            let answer = client.answer()
            #expect(answer.text.hasPrefix("HTTP/1.0 200 ") && answer.fields["transfer-encoding"] == nil)
            #expect(answer.fields["connection"] == "close")
            #expect(answer.body.hasPrefix("data: {") && answer.body.hasSuffix("\n\ndata: [DONE]\n\n"))
        }
    }

    @Test("a client that offers another protocol is answered in this one, and knows that the connection ends")
    func upgrade() throws {
        let server = try TestServer()
        for protocolName in ["h2c", "websocket"] {
            let client = try SocketClient(port: server.port)
            let fields = [
                "Connection": "Upgrade, HTTP2-Settings", "Upgrade": protocolName, "HTTP2-Settings": "AAMAAABk",
            ]
            client.send(SocketClient.request("POST", "/v1/completions", fields: fields, body: Self.good))
            let answer = client.answer()
            #expect(answer.status == 200 && answer.fields["connection"] == "close" && answer.body.contains("Hello"))
        }
    }

    @Test("requests sent ahead are answered in their order")
    func pipelining() throws {
        let server = try TestServer()
        let client = try SocketClient(port: server.port)
        let kept = SocketClient.request("GET", "/v1/models/tiny", fields: ["Connection": "keep-alive"])
        client.send(kept + SocketClient.request("GET", "/health", fields: ["Connection": "keep-alive"]) + kept)
        client.send(SocketClient.request("GET", "/v1/models/judge"))
        let text = client.read()
        #expect(text.components(separatedBy: "HTTP/1.1 200").count == 5 && text.hasSuffix("}"))
        let places = ["\"tiny\"", "\"ok\"", "\"judge\""].compactMap { text.range(of: $0)?.lowerBound }
        #expect(places.count == 3 && places == places.sorted())
    }
}
