import Foundation
import HTTP
import JSONText

// What is asked of the server, and what its answers mean.
extension Hub {
    /// The commit that a name's revision stands for, and the files it has.
    ///
    /// - Parameter isQuick: whether to give up soon, since the cache can serve
    /// - Throws: ``HubError``, which allows the cache where only asking failed.
    func listing(of name: RepositoryName, isQuick: Bool = false) async throws -> RepositoryListing {
        let path =
            "/api/\(name.kind.rawValue)s/\(name.id)/revision/\(Self.encoded(name.revision, keeping: ""))?blobs=true"
        let response = try await response(to: path, of: name, isQuick ? quickQuestions : questions)
        if response.status >= 300, response.status < 400 { throw redirection(response, to: path, of: name) }
        guard response.status == 200 else { throw refusal(response, of: name) }
        let answer: JSON
        do {
            answer = try JSON(parsing: response.body)
        } catch {
            throw HubError(
                "\(name.text): \(settings.endpoint) answers with no JSON (\(error)); does HF_ENDPOINT point to a hub?",
                allowsCache: true
            )
        }
        let listing = try RepositoryListing(answer: answer, name)
        guard !name.isCommit || listing.commit == name.revision else {
            throw HubError("\(name.text): \(settings.endpoint) answers with another commit, \(listing.commit)")
        }
        return listing
    }

    /// A file with its size and digest, which the listing lacked, from the header fields of its address.
    func described(_ file: RepositoryFile, of name: RepositoryName) async throws -> RepositoryFile {
        let path = path(of: file, in: name)
        let response = try await response(to: path, of: name, questions, wantsHeadersOnly: true)
        guard response.status < 400 else { throw refusal(response, of: name, file: file) }
        var file = file
        let isElsewhere = response.status >= 300
        if let text = response.headers["x-linked-size"] ?? (isElsewhere ? nil : response.headers["content-length"]) {
            guard let size = Int(text), (0...RepositoryListing.sizeLimit).contains(size) else {
                let shown = text.filter { $0.isASCII && !$0.isWhitespace }.prefix(40)
                throw HubError("\(name.text): the server says that \(file.path) has \(shown) bytes")
            }
            file.size = size
        }
        let tag = response.headers["x-linked-etag"] ?? response.headers["etag"]
        if isElsewhere, tag == nil { throw redirection(response, to: path, of: name) }
        file.digest = tag.flatMap { BlobDigest(etag: $0) }
        guard file.digest != nil else {
            throw HubError(
                "\(name.text): the server does not say what \(file.path) holds (no ETag); does HF_ENDPOINT point to a hub?"
            )
        }
        return file
    }

    /// The request for the content of a file.
    func request(for file: RepositoryFile, in name: RepositoryName) throws -> HTTPRequest {
        try request(to: path(of: file, in: name), .everywhere)
    }

    private func path(of file: RepositoryFile, in name: RepositoryName) -> String {
        let prefix = name.kind == .dataset ? "/datasets/" : "/"
        return prefix + name.id
            + "/resolve/\(Self.encoded(name.revision, keeping: ""))/\(Self.encoded(file.path, keeping: "/"))"
    }

    private func request(to path: String, _ redirections: HTTPRequest.Redirections) throws -> HTTPRequest {
        if let problem = settings.address.problem { throw HubError(problem) }
        var request = HTTPRequest(
            try HTTPRequest.url(settings.endpoint + path),
            headers: ["User-Agent": "rto", "Accept": "*/*"]
        )
        if let login = settings.address.login {
            request.headers["Authorization"] = "Basic " + login.secret
        } else if let token = settings.token {
            guard token.isSendable else {
                throw HubError(
                    "the token (\(token.source)) holds a character that no token has; log in anew or set HF_TOKEN"
                )
            }
            request.headers["Authorization"] = "Bearer " + token.secret
        }
        request.redirections = redirections
        return request
    }

    private func response(
        to path: String,
        of name: RepositoryName,
        _ client: HTTPClient,
        wantsHeadersOnly: Bool = false
    ) async throws -> HTTPResponse {
        var request = try request(to: path, .withinServer)
        request.wantsHeadersOnly = wantsHeadersOnly
        let asked = request
        let line = WaitingLine(
            "\(name.text): waiting for \(settings.endpoint) to answer",
            patience: settings.silentSeconds,
            write: write
        )
        do {
            return try await line.during { try await client.response(asked, beforeWait: $0) }
        } catch {
            throw HubError("\(name.text): \(error)", allowsCache: true)
        }
    }

    /// The error where an address sends on to another server, whose answers are none of the hub's.
    private func redirection(_ response: HTTPResponse, to path: String, of name: RepositoryName) -> HubError {
        var place = HTTPRequest.shown(response.headers["location"] ?? "")
        let isMirror = place.hasSuffix(path.prefix { $0 != "?" })
        if isMirror { place.removeLast(path.prefix { $0 != "?" }.count) }
        let endpoint = settings.endpoint
        guard endpoint != HubSettings.usualEndpoint else {
            return HubError(
                "\(name.text): \(endpoint) sends on to '\(place)'; does this network want a login first?",
                allowsCache: true
            )
        }
        return HubError(
            "\(name.text): HF_ENDPOINT is \(endpoint), which sends on to \(place); set HF_ENDPOINT to "
                + (isMirror ? "that address" : "a hub's address") + ", or unset it",
            allowsCache: true
        )
    }

    /// What an answer means that is no good one.
    func refusal(_ response: HTTPResponse, of name: RepositoryName, file: RepositoryFile? = nil) -> HubError {
        let (kind, endpoint) = (name.kind == .model ? "model" : "data set", settings.endpoint)
        let code = response.headers["x-error-code"]
        let message = response.headers["x-error-message"].map { ": " + HTTPResponse.shown($0) } ?? ""
        let page = endpoint + (name.kind == .dataset ? "/datasets/" : "/") + name.id
        // A login in the address goes before a token, so that a token would change nothing.
        let remedy =
            settings.address.login != nil
            ? "give HF_ENDPOINT a name and a password that may read it"
            : "set HF_TOKEN to a token that may read it"
                + (settings.token.map { " (the one of \($0.source) may not)" } ?? "")
        switch (code, response.status) {
        case ("RevisionNotFound", _):
            return HubError("\(name.id): has no branch, tag or commit '\(name.revision)' at \(endpoint)")
        case ("EntryNotFound", _):
            return HubError(
                "\(name.text): \(endpoint) lists the file \(file?.path ?? "") and does not have it; try again later"
            )
        case ("GatedRepo", _):
            return HubError(
                "\(name.id) is gated: accept its conditions at \(page) and \(remedy)",
                allowsCache: true
            )
        case (_, 401) where message.contains("Invalid credentials"):
            let source =
                settings.address.login != nil
                ? "name and password of HF_ENDPOINT; correct them"
                : "token of \(settings.token?.source ?? "HF_TOKEN"); log in anew or unset it"
            return HubError(
                "\(name.id): \(endpoint) does not know the \(source)",
                allowsCache: true
            )
        case ("RepoNotFound", _), (_, 401), (_, 404):
            return HubError(
                "\(name.id): \(endpoint) has no \(kind) of this name, or it is private: check the spelling, or \(remedy)",
                allowsCache: true
            )
        case (_, 403):
            return HubError("\(name.id): \(endpoint) refuses\(message): \(remedy)", allowsCache: true)
        default:
            return HubError(
                "\(name.text): \(endpoint) answers \(response.status)\(message)",
                allowsCache: response.status >= 500
            )
        }
    }

    /// A text as a part of an address: everything but letters, digits and `-._~` by its bytes in hexadecimal digits.
    static func encoded(_ text: String, keeping kept: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8).union(kept.utf8)
        return text.utf8.map { byte in
            plain.contains(byte)
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
