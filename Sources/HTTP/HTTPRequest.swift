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
        else { throw HTTPError(address: text, attempts: 0, problem: .badAddress) }
        return url
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

    /// The start of the body as text, for an error.
    var excerpt: String {
        let text = String(decoding: body.prefix(300), as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
