import Foundation
import JSONText

/// One call: where to, and what is sent.
public struct HTTPRequest: Sendable {
    /// The address.
    public var url: URL
    /// Header fields beside those that follow from the body; never part of an error.
    public var headers: [String: String]
    /// What is sent by POST; `nil` asks by GET.
    public var body: JSON?
    /// Asks for the header fields alone, by HEAD.
    public var wantsHeadersOnly = false
    /// What becomes of an answer that the thing asked for is elsewhere.
    public var redirections = Redirections.refused

    /// How far redirections are followed.
    public enum Redirections: Sendable {
        /// Not at all: one is an error.
        case refused
        /// To other places of the same server; one to another server is the answer.
        case withinServer
        /// Anywhere; another server is not told what ``HTTPRequest/headers`` say under `Authorization`.
        case everywhere
    }

    /// A call with a JSON body, or without one.
    public init(_ url: URL, headers: [String: String] = [:], body: JSON? = nil) {
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Reads an address given by a person.
    ///
    /// - Throws: ``HTTPError`` where it is not an `http` or `https` address.
    public static func url(_ text: String) throws(HTTPError) -> URL {
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme?.lowercased()),
            url.host?.isEmpty == false
        else { throw HTTPError(address: shown(text), attempts: 0, problem: .badAddress) }
        return url
    }

    /// An address as a message may show it: without a name and password before an `@`, and without what follows a question mark,
    /// which may hold a key.
    public static func shown(_ address: String) -> String {
        // A password with a slash or a question mark in it makes the address a bad one, and is one nevertheless: the last mark of
        // the whole counts, even where that hides too much.
        let mark = address.lastIndex(of: "@")
        let scheme = address.firstRange(of: "://").map { address[..<$0.upperBound] } ?? ""
        let text = mark.map { scheme + "…" + address[$0...] } ?? address
        return String(text.prefix { $0 != "?" && $0 != "#" })
    }
}

extension HTTPRequest {
    /// The most redirections that are followed for one attempt.
    static let redirectionLimit = 10

    /// What follows from an answer that names another place: the request to make there, or `nil` where the answer stands.
    ///
    /// - Throws: `HTTPProblem` for a place that must not be followed to.
    func redirected(by response: HTTPResponse) throws(HTTPProblem) -> HTTPRequest? {
        guard let place = response.redirection else { return nil }
        let shown = Self.shown(place)
        if redirections == .refused { throw .status(response.status, excerpt: "redirects to \(shown)") }
        guard let target = URL(string: place, relativeTo: url)?.absoluteURL,
            ["http", "https"].contains(target.scheme?.lowercased()), target.host?.isEmpty == false
        else { throw .status(response.status, excerpt: "redirects to \(shown), which is no address") }
        guard url.scheme?.lowercased() != "https" || target.scheme?.lowercased() == "https" else {
            throw .status(response.status, excerpt: "redirects from https to \(shown), where anybody could listen")
        }
        var next = self
        next.url = target
        if !Self.isSameServer(url, target) {
            if redirections == .withinServer { return nil }
            next.headers = headers.filter { $0.key.lowercased() != "authorization" }
        }
        return next
    }

    private static func isSameServer(_ first: URL, _ second: URL) -> Bool {
        func port(_ url: URL) -> Int { url.port ?? (url.scheme?.lowercased() == "https" ? 443 : 80) }
        return first.scheme?.lowercased() == second.scheme?.lowercased()
            && first.host?.lowercased() == second.host?.lowercased() && port(first) == port(second)
    }
}

/// A server's answer, whatever its status.
public struct HTTPResponse: Sendable {
    /// The status: 200 and its neighbours are good.
    public let status: Int
    /// The header fields by their names in lower case.
    public let headers: [String: String]
    /// The body.
    public let body: [UInt8]

    /// The place that the answer sends to, as written there.
    var redirection: String? { [301, 302, 303, 307, 308].contains(status) ? headers["location"] : nil }

    /// What a server says, as a message may show it: on one line, and without what a terminal obeys.
    public static func shown(_ text: String) -> String {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return String(
            String.UnicodeScalarView(words.unicodeScalars.filter { $0.properties.generalCategory != .control })
        )
    }

    /// The start of the body as text, for an error.
    var excerpt: String {
        Self.shown(String(decoding: body.prefix(300), as: UTF8.self))
    }
}
