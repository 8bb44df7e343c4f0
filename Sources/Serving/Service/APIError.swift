import JSONText
import NIOHTTP1

/// What a request is answered that cannot be answered: a status, and a sentence in the form of OpenAI's errors.
public struct APIError: Error, Sendable {
    /// HTTP's status.
    public let status: Int
    /// One sentence: what, where, what to do.
    public let message: String
    /// The member of the request that is wrong.
    public var parameter: String?
    /// A word for programs.
    public var code: String?
    var fields: HTTPHeaders = [:]

    /// An error with a status and a sentence.
    public init(_ status: Int, _ message: String, parameter: String? = nil, code: String? = nil) {
        self.status = status
        self.message = message
        self.parameter = parameter
        self.code = code
    }

    init(_ status: Int, _ message: String, code: String? = nil, fields: HTTPHeaders) {
        self.init(status, message, code: code)
        self.fields = fields
    }

    /// A request whose content is wrong.
    public static func invalid(_ message: String, _ parameter: String? = nil, code: String? = nil) -> APIError {
        APIError(400, message, parameter: parameter, code: code)
    }

    /// More requests wait than may.
    public static let overloaded = APIError(
        503,
        "too many requests wait already; try again in a moment",
        code: "overloaded",
        fields: ["Retry-After": "1"]
    )

    static let tooManyConnections = APIError(
        503,
        "too many connections are open already; try again in a moment",
        code: "overloaded",
        fields: ["Retry-After": "1"]
    )

    /// The server is about to end.
    public static let stopping = APIError(503, "the server is stopping", code: "stopping")

    static func timeOut(_ noun: String, _ seconds: Double) -> APIError {
        APIError(408, "\(noun) did not arrive within \(shortened(seconds)) s", code: "timeout")
    }

    static func answerTimeOut(_ seconds: Double) -> APIError {
        APIError(504, "the answer took longer than \(shortened(seconds)) s; ask for fewer tokens", code: "timeout")
    }

    static func bodyTooLarge(_ limit: Int) -> APIError {
        APIError(413, "the body of the request is longer than \(limit) bytes", code: "body_too_large")
    }

    static func headerTooLarge(_ limit: Int) -> APIError {
        APIError(431, "the header of the request is longer than \(limit) bytes or has too many fields")
    }

    static func notHTTP(_ reason: String) -> APIError {
        APIError(400, "this is not a request of HTTP/1.1 (\(reason))", code: "bad_http")
    }

    private static func shortened(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
    }

    var json: JSON {
        let kind =
            switch status {
            case 500...: "server_error"
            case 408: "timeout_error"
            default: "invalid_request_error"
            }
        return [
            "error": [
                "message": .string(message), "type": .string(kind), "param": parameter.map(JSON.string) ?? .null,
                "code": code.map(JSON.string) ?? .null,
            ]
        ]
    }
}
