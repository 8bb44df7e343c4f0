import Foundation
import Synchronization

/// How far the files of a repository have come, on standard error: a live line with rate and time left on a terminal, plain lines
/// now and then elsewhere.
final class FetchProgress: Sendable {
    private let name: String
    private let isTerminal: Bool
    private let write: @Sendable (String) -> Void
    private let state: Mutex<State>

    /// Seconds between two plain lines.
    private static let pause = 10.0

    private struct State {
        var total = 0
        var done = 0
        var transferred = 0
        let start = ContinuousClock.now
        var lastLine = ContinuousClock.now
        var isOpen = false
    }

    init(_ name: String, isTerminal: Bool, write: @escaping @Sendable (String) -> Void) {
        self.name = name
        self.isTerminal = isTerminal
        self.write = write
        state = Mutex(State())
    }

    /// Says what will be fetched.
    func begin(files: Int, bytes: Int, from endpoint: String) {
        state.withLock { $0.total = $0.total.clampedSum(bytes) }
        write("fetching \(name): \(files) \(files == 1 ? "file" : "files"), \(Self.size(bytes)), from \(endpoint)\n")
    }

    /// Counts bytes that are there; those that were there before are no part of the rate.
    func arrived(_ count: Int, isTransfer: Bool = true) {
        let line = state.withLock { state -> String? in
            state.done = state.done.clampedSum(count)
            if isTransfer { state.transferred = state.transferred.clampedSum(count) }
            let pause = (ContinuousClock.now - state.lastLine) / .seconds(1)
            guard pause >= (isTerminal ? 0.1 : Self.pause) else { return nil }
            state.lastLine = .now
            state.isOpen = isTerminal
            return Self.line(state)
        }
        guard let line else { return }
        write(isTerminal ? "\r\u{1B}[2K\(name): \(line)" : "\(name): \(line)\n")
    }

    /// Says something in between.
    func note(_ sentence: String) {
        endLine()
        write(sentence + "\n")
    }

    /// Says what was fetched.
    func finish() {
        endLine()
        let state = state.withLock { ($0.done, $0.transferred, (ContinuousClock.now - $0.start) / .seconds(1)) }
        let rate = Self.size(Int(clamping: Double(state.1) / max(state.2, 0.001))) + "/s"
        write("fetched \(name): \(Self.size(state.0)) in \(Self.clock(state.2)), \(rate)\n")
    }

    /// Ends a live line, so that the next sentence has one of its own.
    func endLine() {
        let wasOpen = state.withLock { state in
            defer { state.isOpen = false }
            return state.isOpen
        }
        if wasOpen { write("\n") }
    }

    private static func line(_ state: State) -> String {
        let seconds = (ContinuousClock.now - state.start) / .seconds(1)
        let rate = Double(state.transferred) / max(seconds, 0.001)
        var parts = ["\(size(state.done)) of \(size(state.total))", size(Int(clamping: rate)) + "/s"]
        if rate > 0 { parts.append(clock(max(0, Double(state.total) - Double(state.done)) / rate) + " left") }
        return parts.joined(separator: "  ")
    }

    /// Bytes in the unit that suits them: `1.5 GB`.
    static func size(_ bytes: Int) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB"]
        var (value, unit) = (Double(bytes), 0)
        while value >= 999.95, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
        return unit == 0 ? "\(bytes) bytes" : String(format: "%.1f ", value) + units[unit]
    }

    private static func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(.up), 1e9))
        return whole >= 3600
            ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
            : String(format: "%d:%02d", whole / 60, whole % 60)
    }
}

extension Int {
    /// The sum, or the number nearest to it: what a server says of sizes may be anything.
    func clampedSum(_ other: Int) -> Int {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other > 0 ? .max : .min) : sum
    }

    /// The whole number nearest to a finite one.
    init(clamping value: Double) {
        self = Int(exactly: value.rounded()) ?? (value > 0 ? .max : .min)
    }
}
