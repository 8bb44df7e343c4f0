import Foundation
import Safetensors

/// A file of events that TensorBoard shows, also while it grows: every record is handed to the system as soon as it is made.
public final class TensorBoardFile {
    /// Where the file stands.
    public let url: URL
    /// Whether the directory holds event files of earlier processes of the same run.
    public let isContinuation: Bool
    private let descriptor: Int32

    private static let prefix = "events.out.tfevents."
    /// The largest number of a name: with more digits, later names would sort in front of earlier ones.
    private static let lastSecond = 9_999_999_999

    /// Begins a file.
    ///
    /// It begins with the mark of a start, at which TensorBoard's loader in Python forgets what earlier files of the run say of steps
    /// after the last one that counts. The first file of a run has it too: that loader takes the first mark for the beginning and
    /// only later ones for new starts. The loader in Rust passes over marks: for it, a number of a tag makes void what stood of this
    /// tag at the same step and later ones.
    ///
    /// - Parameters:
    ///   - directory: The run.
    ///   - step: The last step that counts of those that earlier files may hold.
    /// - Throws: `ReportingError` where the file cannot be made or written.
    public convenience init(directory: URL, goingOnAfter step: Int = 0) throws(ReportingError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        let earlier = names.filter { $0.hasPrefix(Self.prefix) }
        let seconds = earlier.compactMap { Int($0.dropFirst(Self.prefix.count).prefix { $0.isASCII && $0.isNumber }) }
        // Readers take the files of a run in the order of their names, of which the second is the first part that differs.
        let second = max(Int(Self.now), (seconds.filter { $0 < Self.lastSecond }.max() ?? -1) + 1)
        let digits = String(repeating: "0", count: max(0, 10 - String(second).count)) + String(second)
        let name = "\(Self.prefix)\(digits).\(Self.hostName).\(ProcessInfo.processInfo.processIdentifier).0"
        let place = directory.appending(path: name)
        try self.init(url: place, flags: O_CREAT | O_EXCL, isContinuation: !earlier.isEmpty)
        try append(.fileVersion, step: step + 1)
        try append(.start, step: step + 1)
    }

    init(url: URL, flags: Int32, isContinuation: Bool) throws(ReportingError) {
        (self.url, self.isContinuation) = (url, isContinuation)
        descriptor = open(url.path, O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0o666)
        guard descriptor >= 0 else { throw .system(url, "cannot be made") }
    }

    deinit { close(descriptor) }

    /// Appends the numbers of a step; what is not finite stays so, and what is beyond single precision becomes infinite.
    ///
    /// - Throws: `ReportingError` where the file cannot be written.
    public func append(scalars: [(tag: String, value: Double)], step: Int) throws(ReportingError) {
        try append(.scalars(scalars), step: step)
    }

    /// Appends a text in Markdown.
    ///
    /// - Throws: `ReportingError` where the file cannot be written.
    public func append(text: String, tag: String, step: Int) throws(ReportingError) {
        try append(.text(tag: tag, text), step: step)
    }

    private func append(_ content: TensorBoardEvent.Content, step: Int) throws(ReportingError) {
        let record = TensorBoardEvent(wallTime: Self.now, step: step, content: content).record
        guard writeAll(record, to: descriptor) else { throw .system(url, "cannot be written") }
    }

    private static var now: Double { Date().timeIntervalSince1970 }

    /// The machine's name, which is asked of the system alone: Foundation would ask the network.
    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
        return isPlain ? text : "localhost"
    }
}
