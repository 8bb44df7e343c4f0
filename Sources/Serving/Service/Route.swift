import Foundation

/// What the server can be asked.
enum Route: Equatable {
    case health
    case models
    case model(String)
    case chat
    case completions
    case reward

    /// Reads a path as it was sent: nothing of it is resolved, but the name of a model may be escaped.
    init?(path: String) {
        switch path {
        case "/health": self = .health
        case "/v1/models": self = .models
        case "/v1/chat/completions": self = .chat
        case "/v1/completions": self = .completions
        case "/get_reward": self = .reward
        default:
            let front = "/v1/models/"
            guard path.hasPrefix(front), path.utf8.count > front.utf8.count,
                let name = String(path.dropFirst(front.count)).removingPercentEncoding
            else { return nil }
            self = .model(name)
        }
    }

    var method: String {
        switch self {
        case .health, .models, .model: "GET"
        case .chat, .completions, .reward: "POST"
        }
    }
}
