import Foundation
import JSONText
import Serving
import TestSupport
import Testing

@Suite("Clients that come, wait and leave")
struct ClientTests {
    private static let request = #"{"prompt":"a","stream":true}"#

    private static func stalling(_ limits: ServerLimits = ServerLimits()) throws -> TestServer {
        try TestServer(limits: limits) { _ in .stall(97) }
    }

    /// Waits for something that another thread does.
    private static func wait(_ isDone: () -> Bool) {
        for _ in 0..<6000 where !isDone() { usleep(10000) }
        #expect(isDone())
    }

    @Test("a client that leaves takes its orders along, in a stream and before an answer", arguments: [true, false])
    func leaving(streams: Bool) throws {
        let server = try Self.stalling()
        let client = try SocketClient(port: server.port)
        let body = #"{"prompt":"a","n":3,"stream":\#(streams)}"#
        client.send(SocketClient.request("POST", "/v1/completions", body: body))
        if streams { _ = client.read(until: "\"a\"") } else { Self.wait { server.engine.orders.count == 3 } }
        #expect(server.engine.leaveCount == 0)
        client.leave()
        Self.wait { server.engine.leaveCount == 3 }
        Self.wait { !server.log.isEmpty }
        #expect(server.log.last?.contains(streams ? " 200 " : " 499 ") == true)
    }

    @Test("of requests that were sent ahead too: the end of one answer is not taken for that of the next")
    func leavingAhead() throws {
        var limits = ServerLimits()
        limits.idleSeconds = 0.2
        let server = try Self.stalling(limits)
        let client = try SocketClient(port: server.port)
        let kept = ["Connection": "keep-alive"]
        client.send(
            SocketClient.request("GET", "/health", fields: kept)
                + SocketClient.request("POST", "/v1/completions", fields: kept, body: Self.request)
        )
        _ = client.read(until: "\"a\"")
        // Its connection is not idle.
        usleep(500_000)
        #expect(server.engine.leaveCount == 0 && server.log.count == 1)
        client.leave()
        Self.wait { server.engine.leaveCount == 1 }
    }

    @Test("an answer that takes too long ends: 504, or an error in the stream")
    func answerTimeOut() throws {
        var limits = ServerLimits()
        limits.answerSeconds = 0.3
        let server = try Self.stalling(limits)
        let whole = try server.ask("POST", "/v1/completions", #"{"prompt":"a"}"#)
        #expect(whole.status == 504 && whole.body.contains("0.3 s"))
        let stream = try server.ask("POST", "/v1/completions", Self.request)
        #expect(stream.status == 200 && stream.body.contains("\"error\"") && stream.body.contains("0.3 s"))
        #expect(!stream.body.contains("[DONE]"))
        #expect(server.engine.leaveCount == 2)
    }

    @Test("a client that does not read is closed in the end")
    func notReading() throws {
        var limits = ServerLimits()
        limits.answerSeconds = 0.5
        limits.lingerSeconds = 0.2
        let count = 60
        // Far more than the system's buffers take, were it written.
        let server = try TestServer(limits: limits) { _ in .ids(Array(repeating: 97, count: count)) }
        let clients = try (0..<20).map { _ in try SocketClient(port: server.port) }
        for client in clients { client.send(SocketClient.request("POST", "/v1/completions", body: Self.request)) }
        Self.wait { server.log.count == 20 }
        for client in clients { client.leave() }
        #expect(try server.ask("GET", "/health").status == 200)
    }

    @Test("too many requests are told to come again, and too many connections as well")
    func fullness() throws {
        let full = try TestServer { _ in .full }
        let answer = try full.ask("POST", "/v1/completions", Self.request)
        #expect(answer.status == 503 && answer.fields["retry-after"] == "1" && answer.body.contains("overloaded"))
        var limits = ServerLimits()
        limits.connections = 2
        let server = try TestServer(limits: limits)
        let held = try (0..<2).map { _ in try SocketClient(port: server.port) }
        for client in held {
            client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = client.read(until: "ok")
        }
        let excess = try SocketClient(port: server.port)
        let refusal = excess.answer()
        #expect(refusal.status == 503 && refusal.fields["retry-after"] == "1")
        for client in held { client.leave() }
        Self.wait { (try? server.ask("GET", "/health").status) == 200 }
    }

    @Test("a server that stops ends what runs, takes nothing new, and does not wait for who is idle")
    func stopping() async throws {
        var patient = ServerLimits()
        patient.headerSeconds = 600
        let server = try Self.stalling(patient)
        let idle = try SocketClient(port: server.port)
        let running = try SocketClient(port: server.port)
        running.send(
            SocketClient.request("POST", "/v1/completions", fields: ["Connection": "keep-alive"], body: Self.request)
        )
        _ = running.read(until: "\"a\"")
        var limits = ServerLimits()
        limits.graceSeconds = 0.5
        let other = try Self.stalling(limits)
        let abandoned = try SocketClient(port: other.port)
        abandoned.send(SocketClient.request("POST", "/v1/completions", body: Self.request))
        _ = abandoned.read(until: "\"a\"")
        // Beyond its grace, a request is broken off.
        await other.server.stop()
        #expect(!abandoned.read().contains("[DONE]"))
        #expect(throws: (any Error).self) { try SocketClient(port: other.port) }
        let stop = Task { await server.server.stop() }
        #expect(idle.read().isEmpty)
        running.leave()
        await stop.value
        #expect(server.engine.leaveCount == 1)
    }

    @Test("a log has no prompt, no answer and nothing that a terminal obeys")
    func log() throws {
        let server = try TestServer("answer")
        _ = try server.ask("POST", "/v1/completions?key=hidden", #"{"prompt":"question"}"#)
        ClientTests.wait { server.log.count == 1 }
        _ = try server.ask("GET", "/%1b[31m" + String(repeating: "y", count: 200))
        ClientTests.wait { server.log.count == 2 }
        let text = server.log.joined(separator: "\n")
        for word in ["answer", "question", "hidden", "\u{1B}"] { #expect(!text.contains(word)) }
        #expect(server.log[0].contains(" 127.0.0.1 POST /v1/completions 200 ") && server.log[0].hasSuffix("9+7 tokens"))
        #expect(server.log[1].count < 200)
    }
}
