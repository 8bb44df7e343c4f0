/// Who may ask: whoever has the token, or, where there is none, programs on this machine that no web page has sent.
public struct Gate: Sendable {
    private let token: [UInt8]?
    private let host: String

    /// A gate that wants a token, or none.
    public init(token: String?, host: String) {
        precondition(token?.isEmpty != true, "an empty token guards nothing")
        self.token = token.map { Array($0.utf8) }
        self.host = host.lowercased()
    }

    /// Whether a host is this machine's own, so that no other can reach it.
    public static func isLoopback(_ host: String) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name == "::1" || name == "[::1]" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    func objection(to head: RequestHead) -> APIError? {
        guard head.count("host") <= 1, head.count("authorization") <= 1 else {
            return .invalid("the request has a field twice that can be there once")
        }
        // Browsers send it with what a page of another site asks for.
        if let origin = head.field("origin"), origin.lowercased() != "http://" + (head.field("host") ?? "").lowercased()
        {
            return APIError(403, "requests of web pages are not answered (the request has an Origin)", code: "origin")
        }
        guard let token else {
            // A name of somebody's choosing that leads here would let a page pass for this machine.
            guard let named = head.field("host").map(Self.name), named != host, !Self.isLoopback(named) else {
                return nil
            }
            return APIError(
                403,
                "the request is for the host '\(named.prefix(100))', and without a token only loopback names are answered",
                code: "host"
            )
        }
        guard let field = head.field("authorization") else { return .unauthorized("no token came; send it as") }
        let words = field.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer", Self.isEqual(Array(words[1].utf8), token) else {
            return .unauthorized("the token is wrong; send the right one as")
        }
        return nil
    }

    /// The host without its port, in small letters.
    private static func name(_ field: String) -> String {
        let text = field.lowercased()
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            return rest.isEmpty || rest.hasPrefix(":") ? String(text[...end]) : text
        }
        return String(text.prefix { $0 != ":" })
    }

    /// Compares in a time that does not tell how much of the guess is right.
    static func isEqual(_ guess: [UInt8], _ token: [UInt8]) -> Bool {
        var difference = UInt8(guess.count == token.count ? 0 : 1)
        for (place, byte) in guess.enumerated() { difference |= byte ^ token[place % token.count] }
        return difference == 0
    }
}

extension APIError {
    fileprivate static func unauthorized(_ reason: String) -> APIError {
        APIError(
            401,
            "\(reason) 'Authorization: Bearer TOKEN'",
            code: "invalid_api_key",
            fields: ["WWW-Authenticate": "Bearer"]
        )
    }
}
