import Foundation

/// Where a download goes, piece by piece.
public protocol DownloadTarget: AnyObject, Sendable {
    /// How many bytes are there already, counted from the start; a download goes on behind them.
    var byteCount: Int { get }
    /// How many bytes there will be, where that is known; a large download is then asked for in parts.
    var expectedCount: Int? { get }
    /// The server sends everything from this offset on; whatever stands behind it is given up.
    ///
    /// - Parameter count: how many bytes there will be in all, where the server says
    /// - Throws: an error that ends the download, since what it brings cannot be kept.
    func begin(at offset: Int, of count: Int?) throws
    /// Takes the bytes that follow those before them.
    ///
    /// - Throws: an error that ends the download, since what it brings cannot be kept.
    func append(_ bytes: Data) throws
}

extension HTTPResponse {
    /// Where the body belongs in what was asked for: at the start, or behind what is there already; `nil` where it is no part of it.
    ///
    /// - Throws: `HTTPProblem` for a part that was not asked for.
    func offset(behind count: Int) throws(HTTPProblem) -> Int? {
        if status == 200 { return 0 }
        guard status == 206 else { return nil }
        // bytes 100-199/200
        let range = headers["content-range"]?.split(separator: " ").last?.split(separator: "-").first.flatMap {
            Int($0)
        }
        guard let range, range == count else {
            throw .unexpected(
                "holds bytes from \(range.map(String.init) ?? "nowhere") on, not from \(count)",
                excerpt: ""
            )
        }
        return range
    }

    /// How many bytes the whole of what was asked for has, where the answer says; `nil` where it says nothing that can be used.
    var announcedCount: Int? {
        // bytes 100-199/200
        if status == 206 { return headers["content-range"]?.split(separator: "/").last.flatMap { Self.count($0) } }
        // Of an answer that comes packed, the length is that of the pack.
        guard status == 200, [nil, "", "identity"].contains(headers["content-encoding"]?.lowercased()) else {
            return nil
        }
        return headers["content-length"].flatMap { Self.count($0) }
    }

    private static func count(_ text: some StringProtocol) -> Int? { Int(text).flatMap { $0 >= 0 ? $0 : nil } }
}
