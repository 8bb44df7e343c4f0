import Foundation

/// The key that tells a hub who asks; never shown, and sent to nobody else.
public struct HubToken: Sendable {
    /// What is sent.
    let secret: String
    /// Where it was found, for a person: `HF_TOKEN`, or a file's path.
    public let source: String

    /// The token of `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN` or the file that a login has written; nil where there is none, and where
    /// `HF_HUB_DISABLE_IMPLICIT_TOKEN` says that it must not be sent.
    init?(_ environment: HubEnvironment, home: String) {
        if environment.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") { return nil }
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
            guard let text = environment.text(name) else { continue }
            self.init(text, source: name)
            if secret.isEmpty { return nil }
            return
        }
        let path = environment.path("HF_TOKEN_PATH") ?? home + "/token"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let stored = URL(filePath: path).deletingLastPathComponent().appending(path: "stored_tokens").path
        let name = Self.storedName(
            of: Self.clean(text),
            in: (try? String(contentsOfFile: stored, encoding: .utf8)) ?? ""
        )
        self.init(text, source: path + (name.map { ", stored as \($0)" } ?? ""))
        if secret.isEmpty { return nil }
    }

    init(_ text: String, source: String) {
        secret = Self.clean(text)
        self.source = source
    }

    /// Whether it can stand in a header field.
    var isSendable: Bool { secret.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }

    private static func clean(_ text: String) -> String {
        text.trimmingCharacters(in: .whitespacesAndNewlines).filter { $0 != "\r" && $0 != "\n" && $0 != "\r\n" }
    }

    /// The name under which a login has stored a token: a section of the file with that `hf_token`.
    private static func storedName(of secret: String, in text: String) -> String? {
        var section: String?
        for line in text.split(whereSeparator: \.isNewline).map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast())
            } else if let mark = line.firstIndex(of: "="),
                line[..<mark].trimmingCharacters(in: .whitespaces) == "hf_token",
                clean(String(line[line.index(after: mark)...])) == secret
            {
                return section
            }
        }
        return nil
    }
}

extension HubToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where it was found.
    public var description: String { "a token (\(source))" }
    /// Where it was found.
    public var debugDescription: String { description }
    /// Nothing of it.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
