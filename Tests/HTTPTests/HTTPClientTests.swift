import Foundation
import JSONText
import Synchronization
import TestSupport
import Testing

@testable import HTTP

/// Calls against a server of this machine that misbehaves as told.
@Suite struct HTTPClientTests {
    private static let quick: HTTPSettings = {
        var settings = HTTPSettings()
        // Long enough for a machine that is busy with other tests.
        settings.timeOut = 60
        settings.firstDelay = 0.001
        settings.longestDelay = 0.01
        return settings
    }()

    private static func request(_ server: LoopbackServer, body: JSON? = nil) throws -> HTTPRequest {
        HTTPRequest(
            try HTTPRequest.url(server.address + "/v1?key=hidden"),
            headers: ["Authorization": "Bearer k"],
            body: body
        )
    }

    private static func failure(
        _ reply: LoopbackServer.Reply,
        _ settings: HTTPSettings = quick
    ) async throws -> HTTPError? {
        let server = try LoopbackServer { _ in reply }
        return await #expect(throws: HTTPError.self) {
            try await HTTPClient(settings).answer(request(server))
        }
    }

    @Test("a call sends its JSON and headers and returns the server's JSON")
    func answers() async throws {
        let server = try LoopbackServer { call in .answer(body: #"{"echo": \#(call.body)}"#) }
        let answer = try await HTTPClient(Self.quick).answer(Self.request(server, body: ["n": 3, "text": "é\u{2028}"]))
        #expect(answer == ["echo": ["n": 3, "text": "é\u{2028}"]])
        let call = try #require(server.calls.first)
        #expect(call.path == "/v1?key=hidden")
        #expect(call.headers["authorization"] == "Bearer k")
        #expect(call.headers["content-type"] == "application/json")
    }

    @Test("the blocking call answers the same")
    func blocks() throws {
        let server = try LoopbackServer { call in
            call.number < 2 ? .answer(status: 503, body: "busy") : .answer(body: "[1]")
        }
        #expect(try HTTPClient(Self.quick).blockingAnswer(Self.request(server)) == [1])
        #expect(server.calls.count == 3)
    }

    @Test(
        "failures that pass are tried again",
        arguments: [
            .answer(status: 500, body: ""), .answer(status: 429, body: "slow down"),
            .breakOff(body: #"{"long": "text"}"#),
            .bytes("what?\n\n"), .answer(body: "<html>no JSON</html>"), .bytes(""),
        ] as [LoopbackServer.Reply]
    )
    func retries(failure: LoopbackServer.Reply) async throws {
        let server = try LoopbackServer { call in call.number < 3 ? failure : .answer(body: "true") }
        #expect(try await HTTPClient(Self.quick).answer(Self.request(server)) == true)
        #expect(server.calls.count == 4)
    }

    @Test("an answer that the caller objects to is asked for again")
    func objections() async throws {
        let server = try LoopbackServer { call in .answer(body: call.number < 2 ? "{}" : #"{"n": 1}"#) }
        let answer = try await HTTPClient(Self.quick).answer(Self.request(server)) { answer in
            answer["n"] == nil ? "has no n" : nil
        }
        #expect(answer["n"] == 1 && server.calls.count == 3)
    }

    @Test("a server that stalls is given up after the time-out, and tried again")
    func stalls() async throws {
        var settings = Self.quick
        settings.timeOut = 0.2
        let server = try LoopbackServer { call in call.number == 0 ? .stall : .answer(body: "1") }
        #expect(try await HTTPClient(settings).answer(Self.request(server)) == 1)
        settings.attempts = 2
        let error = try await Self.failure(.stall, settings)
        #expect(error?.problem == .timeOut(seconds: 0.2) && error?.attempts == 2)
    }

    @Test("refusals are not tried again, and the sentence has neither key nor query")
    func refusals() async throws {
        let refused = try await Self.failure(.answer(status: 401, body: "bad\n key"))
        let error = try #require(refused)
        #expect(error.problem == .status(401, excerpt: "bad key") && error.attempts == 1)
        #expect(error.description.hasSuffix("/v1: the server answers 401: bad key"))
        let broke = try await Self.failure(.answer(status: 429, body: #"{"error": {"code": "insufficient_quota"}}"#))
        #expect(broke?.attempts == 1)
        let moved = try await Self.failure(
            .answer(status: 302, headers: ["Location": "http://127.0.0.1:1/x"], body: "")
        )
        #expect(moved?.problem == .status(302, excerpt: "redirects to http://127.0.0.1:1/x"))
    }

    @Test("no sentence has the name and password of an address")
    func passwords() async throws {
        let server = try LoopbackServer { call in
            let place = "http://me:scret@127.0.0.1:1/x?key=scret"
            return call.path == "/moved"
                ? .answer(status: 302, headers: ["Location": place], body: "") : .answer(status: 401, body: "no")
        }
        let address = server.address.replacingOccurrences(of: "http://", with: "http://me:scret@")
        for (path, mention) in [("/", "the server answers 401: no"), ("/moved", "redirects to http://…@127.0.0.1:1/x")]
        {
            let request = HTTPRequest(try HTTPRequest.url(address + path))
            let error = await #expect(throws: HTTPError.self) { try await HTTPClient(Self.quick).answer(request) }
            let sentence = error?.description ?? ""
            #expect(sentence.hasPrefix(server.address.replacingOccurrences(of: "http://", with: "http://…@")))
            #expect(sentence.contains(mention) && !sentence.contains("scret"))
        }
        let bad = #expect(throws: HTTPError.self) { try HTTPRequest.url("ftp://me:s/cret@host/x?key=cret") }
        #expect(bad?.address == "ftp://…@host/x")
    }

    @Test("an answer beyond the limit is cut off")
    func limits() async throws {
        var settings = Self.quick
        settings.sizeLimit = 100_000
        let error = try await Self.failure(.flood(bytes: 1 << 30), settings)
        #expect(error?.problem == .tooLarge(limit: 100_000))
    }

    @Test("nobody listening is an error after the attempts")
    func noServer() async throws {
        var settings = Self.quick
        settings.attempts = 3
        let request = HTTPRequest(try HTTPRequest.url("http://127.0.0.1:1/"))
        let error = await #expect(throws: HTTPError.self) { try await HTTPClient(settings).answer(request) }
        #expect(error?.attempts == 3)
        #expect(error.map { "\($0)".contains("no connection") } == true)
    }

    @Test("Retry-After is waited for, by every caller")
    func retryAfter() async throws {
        let times = Mutex<[ContinuousClock.Instant]>([])
        let server = try LoopbackServer { call in
            times.withLock { $0.append(.now) }
            return call.number == 0
                ? .answer(status: 429, headers: ["Retry-After": "0.3"], body: "") : .answer(body: "1")
        }
        let client = HTTPClient(Self.quick)
        _ = try await client.answer(Self.request(server))
        let (first, second) = times.withLock { ($0[0], $0[1]) }
        #expect(second - first >= .seconds(0.3))
        let impatient = try await Self.failure(.answer(status: 429, headers: ["Retry-After": "86400"], body: ""))
        #expect(impatient?.problem == .patience(seconds: 86400))
    }

    @Test("a good answer that leaves nothing of the rate limit delays the next call")
    func remaining() async throws {
        let times = Mutex<[ContinuousClock.Instant]>([])
        let server = try LoopbackServer { _ in
            times.withLock { $0.append(.now) }
            let headers = ["x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "200ms"]
            return .answer(headers: headers, body: "1")
        }
        let client = HTTPClient(Self.quick)
        for _ in 0..<2 { _ = try await client.answer(Self.request(server)) }
        let (first, second) = times.withLock { ($0[0], $0[1]) }
        #expect(second - first >= .seconds(0.2))
    }

    @Test("many callers at once get their own answers")
    func concurrent() async throws {
        let server = try LoopbackServer { call in
            call.number % 3 == 0 ? .answer(status: 500, body: "") : .answer(body: call.body)
        }
        let client = HTTPClient(Self.quick)
        let request = try Self.request(server)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<50 {
                group.addTask {
                    var request = request
                    request.body = ["n": .integer(number)]
                    let answer = try await client.answer(request)
                    #expect(answer["n"]?.integer == number)
                    return number
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 50 * 49 / 2)
    }

    @Test("a cancelled task ends its call")
    func cancels() async throws {
        let server = try LoopbackServer { _ in .stall }
        let request = try Self.request(server)
        let task = Task { try await HTTPClient(Self.quick).answer(request) }
        while server.calls.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.problem == .cancelled)
    }

    @Test("what is not a web address is refused", arguments: ["", "ftp://a/b", "localhost:80", "https://", "/v1"])
    func addresses(text: String) {
        #expect(throws: HTTPError(address: text, attempts: 0, problem: .badAddress)) { try HTTPRequest.url(text) }
    }

    /// Keeps what arrives in memory.
    private final class Target: DownloadTarget {
        private let bytes: Mutex<[UInt8]>
        let expectedCount: Int?
        init(_ bytes: [UInt8] = [], of count: Int? = nil) {
            self.bytes = Mutex(bytes)
            expectedCount = count
        }
        var content: [UInt8] { bytes.withLock { $0 } }
        var byteCount: Int { bytes.withLock(\.count) }
        func begin(at offset: Int, of count: Int?) throws { bytes.withLock { $0.removeLast($0.count - offset) } }
        func append(_ data: Data) throws {
            bytes.withLock { $0 += data }
            if byteCount > 5_000_000 { throw HTTPProblem.storage("is full") }
        }
    }

    private static func download(_ server: LoopbackServer, _ target: Target, _ settings: HTTPSettings = quick)
        async throws -> Int
    {
        var request = HTTPRequest(try HTTPRequest.url(server.address), headers: ["Authorization": "Bearer k"])
        request.redirections = .everywhere
        return try await HTTPClient(settings).download(request, into: target).status
    }

    @Test("a download goes on where it broke; failures are forgotten when it has got a good deal further")
    func downloads() async throws {
        let content = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 >> 3) }
        let server = try LoopbackServer { _ in .part(content, sent: 1_100_000) }
        let target = Target()
        var settings = Self.quick
        settings.attempts = 2
        #expect(try await Self.download(server, target, settings) == 206)
        #expect(target.content == content)
        #expect(
            server.calls.map { $0.headers["range"] } == [nil, "bytes=1100000-", "bytes=2200000-", "bytes=3300000-"]
        )

        let stubborn = try LoopbackServer { _ in .part(content, sent: 1000) }
        await #expect(throws: HTTPError.self) { try await Self.download(stubborn, Target(), settings) }
        #expect(stubborn.calls.count == 2)
    }

    @Test("a large download comes in parts, so that a slow disk does not fill the memory", arguments: [true, false])
    func parts(takesRanges: Bool) async throws {
        let content = (0..<35).flatMap { [UInt8](repeating: $0, count: 10_000) }
        let server = try LoopbackServer { _ in
            takesRanges ? .file(content) : .bytes("HTTP/1.1 200 OK\r\nContent-Length: 350000\r\n\r\n", content)
        }
        let target = Target(of: content.count)
        var settings = Self.quick
        settings.rangeLimit = 100_000
        #expect(try await Self.download(server, target, settings) == (takesRanges ? 206 : 200))
        #expect(target.content == content)
        let ranges = ["bytes=0-99999", "bytes=100000-199999", "bytes=200000-299999", "bytes=300000-"]
        #expect(server.calls.map { $0.headers["range"] } == (takesRanges ? ranges : ["bytes=0-99999"]))
    }

    @Test("an answer that is no part of the content leaves the target alone")
    func downloadRefused() async throws {
        for (status, headers) in [(404, [:]), (416, [:]), (206, ["Content-Range": "bytes 0-2/3"])]
            as [(Int, [String: String])]
        {
            let server = try LoopbackServer { _ in .answer(status: status, headers: headers, body: "abc") }
            let target = Target([1, 2])
            var settings = Self.quick
            settings.attempts = 2
            let found = try? await Self.download(server, target, settings)
            #expect(found == (status == 206 ? nil : status) && target.content == [1, 2])
        }
    }

    @Test("what cannot be kept ends a download at once")
    func downloadFull() async throws {
        let server = try LoopbackServer { _ in .flood(bytes: 1 << 30) }
        let error = await #expect(throws: HTTPError.self) { try await Self.download(server, Target()) }
        #expect(error?.problem == .storage("is full") && server.calls.count == 1)
    }

    @Test("a download that brings nothing is given up, however long it may take as a whole")
    func downloadStalls() async throws {
        let server = try LoopbackServer { call in .part([1, 2, 3], sent: call.number, thenStalls: call.number < 2) }
        let target = Target()
        var settings = Self.quick
        settings.stallTimeOut = 0.3
        #expect(try await Self.download(server, target, settings) == 206)
        #expect(target.content == [1, 2, 3])
    }

    @Test("a redirection to another server does not take the key along")
    func redirections() async throws {
        let other = try LoopbackServer { _ in .file([7]) }
        let server = try LoopbackServer { [address = other.address] call in
            let place = call.number == 0 ? "/second?x" : address + "/third"
            return .answer(status: 302, headers: ["Location": place], body: "moved")
        }
        let target = Target()
        #expect(try await Self.download(server, target) == 200)
        #expect(target.content == [7] && server.calls.map(\.path) == ["/", "/second?x"])
        #expect(server.calls.map { $0.headers["authorization"] } == ["Bearer k", "Bearer k"])
        #expect(other.calls.map { $0.headers["authorization"] } == [nil])
    }
}
