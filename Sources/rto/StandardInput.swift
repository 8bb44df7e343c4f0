import Foundation

/// The lines of standard input, each available as soon as it is written.
struct StandardInput {
    private var pending: [UInt8] = []
    /// Where the next line starts in `pending`, and up to where no line end was found.
    private var start = 0
    private var searched = 0

    /// The bytes of the next line without its end; nothing after the last one.
    mutating func nextLine() throws -> [UInt8]? {
        while true {
            if let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { (start, searched) = (end + 1, end + 1) }
                return Array(pending[start..<end])
            }
            pending.removeFirst(start)
            start = 0
            searched = pending.count
            guard try readMore() else { break }
        }
        defer { (pending, searched) = ([], 0) }
        return pending.isEmpty ? nil : pending
    }

    /// Appends what can be read at once; false at the end of the input.
    private mutating func readMore() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var count: Int
        repeat { count = read(STDIN_FILENO, &chunk, chunk.count) } while count < 0 && errno == EINTR
        guard count >= 0 else { throw RowError("standard input cannot be read: " + String(cString: strerror(errno))) }
        pending += chunk[..<count]
        return count > 0
    }
}
