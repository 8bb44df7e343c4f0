import Foundation

/// Where a hub is, where its files are kept here, and who asks: what `huggingface_hub` reads from the environment too.
public struct HubSettings: Sendable {
    /// The folder of the cache: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `$HF_HOME/hub`, `$XDG_CACHE_HOME/huggingface/hub`, or
    /// `~/.cache/huggingface/hub`.
    public var cache: URL
    /// The hub's address, with what else `HF_ENDPOINT` holds.
    let address: HubAddress
    /// Whether nothing may be asked of the hub: `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE`.
    public var isOffline: Bool
    /// Whether snapshots hold the files themselves, and no links to them: `HF_HUB_DISABLE_SYMLINKS`.
    public var avoidsLinks: Bool
    /// The key that tells the hub who asks.
    public var token: HubToken?

    /// Seconds for which a download may bring nothing: `HF_HUB_DOWNLOAD_TIMEOUT`.
    public var stallTimeOut = 30.0
    /// Seconds for an answer about a repository: `HF_HUB_ETAG_TIMEOUT`.
    public var answerTimeOut = 30.0
    /// The same where the cache holds the repository, so that nobody need wait for the hub.
    public var quickAnswerTimeOut = 10.0
    /// Seconds without an answer after which a line says so.
    var silentSeconds = 3.0

    /// The hub's address, without a slash at its end, and without a name and a password: `HF_ENDPOINT`.
    public var endpoint: String { address.text }

    /// The address of the hub that everybody means.
    static let usualEndpoint = "https://huggingface.co"

    /// What the environment says.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let variables = HubEnvironment(environment)
        let home =
            variables.path("HF_HOME") ?? (variables.path("XDG_CACHE_HOME") ?? variables.home + "/.cache")
            + "/huggingface"
        cache = URL(
            filePath: variables.path("HF_HUB_CACHE") ?? variables.path("HUGGINGFACE_HUB_CACHE") ?? home + "/hub"
        )
        address = HubAddress(variables.text("HF_ENDPOINT") ?? Self.usualEndpoint)
        isOffline = variables.isTrue("HF_HUB_OFFLINE") || variables.isTrue("TRANSFORMERS_OFFLINE")
        avoidsLinks = variables.isTrue("HF_HUB_DISABLE_SYMLINKS")
        token = HubToken(variables, home: home)
        func seconds(_ name: String) -> Double? {
            variables.text(name).flatMap(Double.init).flatMap { $0 > 0 ? $0 : nil }
        }
        stallTimeOut = seconds("HF_HUB_DOWNLOAD_TIMEOUT") ?? stallTimeOut
        answerTimeOut = seconds("HF_HUB_ETAG_TIMEOUT") ?? answerTimeOut
        quickAnswerTimeOut = seconds("HF_HUB_ETAG_TIMEOUT") ?? quickAnswerTimeOut
    }
}

extension HubSettings {
    /// What is wrong with these settings, each with its remedy.
    public var problems: [String] {
        var problems = [address.problem].compactMap(\.self)
        if let token, !token.isSendable {
            problems.append(
                "the token (\(token.source)) holds a character that no token has; log in anew or set HF_TOKEN"
            )
        }
        return problems
    }
}

/// The variables of an environment, as `huggingface_hub` understands them.
struct HubEnvironment {
    private let variables: [String: String]

    init(_ variables: [String: String]) { self.variables = variables }

    /// The value of a variable, nil where it is empty.
    func text(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// Whether a variable says yes: 1, true, yes or on.
    func isTrue(_ name: String) -> Bool { ["1", "true", "yes", "on"].contains(text(name)?.lowercased()) }

    /// The person's directory.
    var home: String { text("HOME") ?? FileManager.default.homeDirectoryForCurrentUser.path }

    /// The value of a variable with `~` and `$NAME` put in.
    func path(_ name: String) -> String? {
        guard var path = text(name) else { return nil }
        if path == "~" || path.hasPrefix("~/") { path = home + path.dropFirst() }
        guard path.contains("$") else { return path }
        var result = ""
        var rest = path[...]
        while let mark = rest.firstIndex(of: "$") {
            result += rest[..<mark]
            let inner = rest[rest.index(after: mark)...]
            let isBraced = inner.first == "{"
            let name = inner.dropFirst(isBraced ? 1 : 0).prefix {
                $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")
            }
            let isWhole = !name.isEmpty && (!isBraced || inner.dropFirst(1 + name.count).first == "}")
            if isWhole, let value = variables[String(name)] {
                result += value
                rest = inner.dropFirst(name.count + (isBraced ? 2 : 0))
            } else {
                // A variable that is not there stays as it is written.
                result += "$"
                rest = inner
            }
        }
        return result + rest
    }
}
