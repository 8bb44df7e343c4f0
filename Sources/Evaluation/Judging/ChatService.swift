import Foundation
import HTTP
import JSONText

/// An OpenAI-compatible service that completes chats.
public struct ChatService: Sendable {
    /// The model's name there.
    public let model: String
    private let url: URL
    private let headers: [String: String]
    private let client: HTTPClient

    /// A message of a chat.
    public struct Message: Equatable, Sendable {
        /// Who speaks: `system`, `user` or `assistant`.
        public var role: String
        /// What is said.
        public var content: String

        /// A message.
        public init(_ role: String, _ content: String) { (self.role, self.content) = (role, content) }

        /// The message as services take it.
        public var json: JSON { ["role": .string(role), "content": .string(content)] }
    }

    /// A service at an address such as `https://api.openai.com/v1`.
    ///
    /// - Parameter key: what the service knows its customer by; nil for services that ask for none.
    /// - Throws: `HTTPError` where the address is none.
    public init(address: String, model: String, key: String?, _ settings: HTTPSettings) throws(HTTPError) {
        let base = address.hasSuffix("/") ? String(address.dropLast()) : address
        url = try HTTPRequest.url(base.hasSuffix("/chat/completions") ? base : base + "/chat/completions")
        headers = key.map { ["Authorization": "Bearer " + $0] } ?? [:]
        client = HTTPClient(settings)
        self.model = model
    }

    /// What a service answered.
    public struct Completion: Sendable {
        /// The first choice.
        public let choice: JSON
        /// The tokens of prompt and completion together, where the service counts them.
        public let tokens: Int?
    }

    /// A completion of a chat.
    ///
    /// - Parameters:
    ///   - messages: the chat.
    ///   - parameters: further members of the request.
    ///   - isUsable: whether a choice holds what is needed; one that does not is asked for again.
    /// - Throws: `HTTPError` where there is no usable answer.
    public func complete(
        _ messages: [Message],
        _ parameters: JSONObject,
        isUsable: (JSON) -> Bool
    ) async throws(HTTPError) -> Completion {
        var body = JSONObject()
        body["model"] = .string(model)
        body["messages"] = .array(messages.map(\.json))
        for (key, value) in parameters.members { body[key] = value }
        let answer = try await client.answer(HTTPRequest(url, headers: headers, body: .object(body))) { answer in
            guard let choice = answer["choices"]?[0] else { return "has no choices" }
            return isUsable(choice) ? nil : "lacks what was asked for"
        }
        return Completion(choice: answer["choices"]?[0] ?? .null, tokens: answer["usage"]?["total_tokens"]?.integer)
    }
}

extension HTTPError {
    /// Whether every other call would fail as this one did: a wrong key, a wrong address, no credit.
    var concernsEveryCall: Bool {
        switch problem {
        case .badAddress, .cancelled, .patience: true
        case .status(429, let excerpt): excerpt.contains("insufficient_quota")
        case .status(let status, _): [301, 302, 307, 308, 401, 402, 403, 404, 405].contains(status)
        default: false
        }
    }
}
