import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A client of plain sockets, which can send what no proper client would, and wait as long as it likes.
public final class SocketClient {
    private let connection: Int32

    /// An answer as it came.
    public struct Answer: Sendable {
        /// The status; 0 where nothing came.
        public let status: Int
        /// The header fields by their names in lower case.
        public let fields: [String: String]
        /// What follows the header, chunks not taken apart.
        public let body: String
        /// Everything.
        public let text: String
    }

    /// Connects to a port of this machine.
    public init(port: Int) throws {
        signal(SIGPIPE, SIG_IGN)
        connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        place.sin_port = UInt16(port).bigEndian
        let status = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        // Far more than anything takes, so that a test that fails does not hang.
        var patience = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(connection) }

    /// Sends a text; false where the other side has closed.
    @discardableResult
    public func send(_ text: String) -> Bool { send(bytes: Array(text.utf8)) }

    /// Sends bytes; false where the other side has closed.
    @discardableResult
    public func send(bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Closes the connection at once.
    public func leave() { shutdown(connection, Int32(SHUT_RDWR)) }

    /// Reads until a text has come, or until the end.
    public func read(until mark: String? = nil) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(connection, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
            if let mark, bytes.firstRange(of: Array(mark.utf8)) != nil { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads until the other side closes.
    public func answer() -> Answer {
        let text = read()
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        var fields: [String: String] = [:]
        let lines = (parts.first ?? "").components(separatedBy: "\r\n")
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            if pair.count == 2 { fields[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces) }
        }
        let words = lines.first?.split(separator: " ") ?? []
        return Answer(
            status: words.count > 1 ? Int(words[1]) ?? 0 : 0,
            fields: fields,
            body: parts.count > 1 ? String(parts[1]) : "",
            text: text
        )
    }

    /// A whole request of HTTP/1.1 after which the connection ends.
    public static func request(
        _ method: String,
        _ path: String,
        fields: [String: String] = [:],
        body: String? = nil
    ) -> String {
        var all = ["Host": "127.0.0.1", "Connection": "close"]
        if let body { all["Content-Length"] = "\(body.utf8.count)" }
        all.merge(fields) { $1 }
        return "\(method) \(path) HTTP/1.1\r\n" + all.map { "\($0): \($1)\r\n" }.sorted().joined() + "\r\n"
            + (body ?? "")
    }
}
