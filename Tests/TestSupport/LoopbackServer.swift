import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// An HTTP server on an ephemeral port of this machine whose misbehaviour a test chooses, call by call.
///
/// Plain sockets, so that it can stall, break off and send what is no HTTP at all. Every answer closes its connection.
public final class LoopbackServer: Sendable {
    /// A call that arrived.
    public struct Call: Sendable {
        /// How many calls arrived before it.
        public let number: Int
        /// `GET`, `HEAD` or `POST`.
        public let method: String
        /// The path of the address.
        public let path: String
        /// The header fields by their names in lower case.
        public let headers: [String: String]
        /// The body as text.
        public let body: String
    }

    /// What happens to a call.
    public enum Reply: Sendable {
        /// A proper answer.
        case answer(status: Int = 200, headers: [String: String] = [:], body: String)
        /// A proper answer with any bytes; where the call asks for a range, with what is behind its start.
        case file(headers: [String: String] = [:], [UInt8])
        /// As ``file(headers:_:)``, but after so many bytes of the body the end of the connection, or nothing more.
        case part(headers: [String: String] = [:], [UInt8], sent: Int, thenStalls: Bool = false)
        /// Nothing until the client goes away.
        case stall
        /// The header and half of the body, then the end of the connection.
        case breakOff(body: String)
        /// These bytes alone, then the end of the connection.
        case bytes(String, [UInt8] = [])
        /// A body of this many bytes, piece by piece, for as long as the client takes it.
        case flood(bytes: Int)
    }

    /// The address, without a path.
    public let address: String
    private let listener: Int32
    private let isStopped = Atomic(false)
    private let seen = Mutex<[Call]>([])
    private let reply: @Sendable (Call) -> Reply

    /// Starts a server that answers as the closure says, from any number of threads at once, until it is stopped or the process ends.
    public init(_ reply: @escaping @Sendable (Call) -> Reply) throws {
        signal(SIGPIPE, SIG_IGN)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 256) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        address = "http://127.0.0.1:\(UInt16(bigEndian: place.sin_port))"
        (self.listener, self.reply) = (listener, reply)
        Thread.detachNewThread {
            while !self.isStopped.load(ordering: .acquiring) {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { continue }
                Thread.detachNewThread {
                    self.serve(connection)
                    close(connection)
                }
            }
            close(listener)
        }
    }

    /// Takes no more calls.
    public func stop() {
        isStopped.store(true, ordering: .releasing)
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// The calls that arrived so far, in order.
    public var calls: [Call] { seen.withLock { $0 } }

    private func serve(_ connection: Int32) {
        guard let call = readCall(connection) else { return }
        switch reply(call) {
        case .answer(let status, let headers, let body):
            send(Self.head(status, headers, length: body.utf8.count) + (call.method == "HEAD" ? "" : body), connection)
        case .file(let headers, let body): send(body, headers, for: call, connection)
        case .part(let headers, let body, let sent, let stalls):
            send(body, headers, for: call, limit: sent, connection)
            if stalls { waitForEnd(connection) }
        case .stall: waitForEnd(connection)
        case .breakOff(let body):
            send(Self.head(200, [:], length: body.utf8.count) + body.prefix(body.count / 2), connection)
        case .bytes(let text, let rest):
            send(text, connection)
            send(bytes: rest[...], connection)
        case .flood(let bytes):
            send(Self.head(200, [:], length: bytes), connection)
            let piece = String(repeating: "x", count: 65536)
            for _ in 0..<bytes / 65536 where !send(piece, connection) { return }
        }
    }

    private func waitForEnd(_ connection: Int32) {
        var byte: UInt8 = 0
        _ = read(connection, &byte, 1)
    }

    /// Sends a file, from where the call wants it.
    private func send(
        _ body: [UInt8],
        _ headers: [String: String],
        for call: Call,
        limit: Int = .max,
        _ connection: Int32
    ) {
        let words = (call.headers["range"] ?? "").dropFirst("bytes=".count)
            .split(separator: "-", omittingEmptySubsequences: false)
        guard let start = words.first.flatMap({ Int($0) }) else {
            send(Self.head(200, headers, length: body.count), connection)
            if call.method != "HEAD" { send(bytes: body.prefix(limit), connection) }
            return
        }
        guard start < body.count else { return _ = send(Self.head(416, headers, length: 0), connection) }
        let end = min(body.count, words.last.flatMap { Int($0) }.map { $0 + 1 } ?? body.count)
        let range = ["Content-Range": "bytes \(start)-\(end - 1)/\(body.count)"]
        send(Self.head(206, headers.merging(range) { $1 }, length: end - start), connection)
        send(bytes: body[start..<end].prefix(limit), connection)
    }

    private static func head(_ status: Int, _ headers: [String: String], length: Int) -> String {
        "HTTP/1.1 \(status) Scripted\r\nConnection: close\r\nContent-Length: \(length)\r\n"
            + headers.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
    }

    @discardableResult
    private func send(_ text: String, _ connection: Int32) -> Bool {
        send(bytes: Array(text.utf8)[...], connection)
    }

    @discardableResult
    private func send(bytes: ArraySlice<UInt8>, _ connection: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Reads one whole call and numbers it.
    private func readCall(_ connection: Int32) -> Call? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let end = Array("\r\n\r\n".utf8)
        while true {
            let count = read(connection, &chunk, chunk.count)
            guard count > 0 else { return nil }
            bytes += chunk[..<count]
            guard let head = bytes.firstRange(of: end) else { continue }
            let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
            }
            guard bytes.count >= head.upperBound + (headers["content-length"].flatMap { Int($0) } ?? 0) else {
                continue
            }
            let body = String(decoding: bytes[head.upperBound...], as: UTF8.self)
            let words = lines[0].split(separator: " ").map(String.init)
            return seen.withLock { seen in
                seen.append(Call(number: seen.count, method: words[0], path: words[1], headers: headers, body: body))
                return seen.last
            }
        }
    }
}
