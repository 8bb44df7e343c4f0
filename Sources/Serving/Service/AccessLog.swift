import Foundation
import Synchronization

/// One plain line a request, without prompts, answers and tokens.
public struct AccessLog: Sendable {
    private let put: @Sendable (String) -> Void

    /// A log whose lines, without their ends, go to a function.
    public init(_ put: @escaping @Sendable (String) -> Void) { self.put = put }

    func write(client: String, method: String?, path: String?, status: Int, seconds: Double, note: String) {
        let time = Date().formatted(.iso8601)
        let target = "\(method.map(Self.plain) ?? "-") \(path.map(Self.plain) ?? "-")"
        let duration = String(format: "%.3f", seconds)
        put("\(time) \(client) \(target) \(status) \(duration)s" + (note.isEmpty ? "" : " " + note))
    }

    /// What a client wrote, fit for a terminal.
    private static func plain(_ text: String) -> String {
        let safe = text.unicodeScalars.prefix(100).map { (0x21...0x7E).contains($0.value) ? Character($0) : "?" }
        return String(safe) + (text.unicodeScalars.count > 100 ? "…" : "")
    }
}
