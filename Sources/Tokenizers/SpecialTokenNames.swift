import Foundation
import JSONText

/// What the files beside `tokenizer.json` say about special tokens and conversations.
struct SpecialTokenNames {
    var beginningOfSequence: String?
    var endOfSequence: String?
    var padding: String?
    var unknown: String?
    var chatTemplate: String?

    /// Reads `tokenizer_config.json`, then what it lacks from `special_tokens_map.json`; neither need exist.
    init(directory: URL) throws(TokenizerError) {
        var files: [Setting] = []
        for name in ["tokenizer_config.json", "special_tokens_map.json"] {
            let file = directory.appendingPathComponent(name)
            if FileManager.default.fileExists(atPath: file.path) { files.append(try Setting(file: file)) }
        }
        beginningOfSequence = try Self.token("bos_token", files)
        endOfSequence = try Self.token("eos_token", files)
        padding = try Self.token("pad_token", files)
        unknown = try Self.token("unk_token", files)
        chatTemplate = try Self.chatTemplate(directory, files)
    }

    /// A token is named by its text or by an object that holds its text.
    private static func token(_ key: String, _ files: [Setting]) throws(TokenizerError) -> String? {
        for file in files {
            guard let token = file[key] else { continue }
            return try token.value.object == nil ? token.string() : token.required("content").string()
        }
        return nil
    }

    /// The file of its own goes first; of several named templates, `default` is meant.
    private static func chatTemplate(_ directory: URL, _ files: [Setting]) throws(TokenizerError) -> String? {
        let file = directory.appendingPathComponent("chat_template.jinja")
        if FileManager.default.fileExists(atPath: file.path) {
            do {
                return try String(contentsOf: file, encoding: .utf8)
            } catch {
                throw TokenizerError("cannot read \(file.path): \(error.localizedDescription)")
            }
        }
        guard let template = files.first?["chat_template"] else { return nil }
        guard template.value.array != nil else { return try template.string() }
        for named in try template.elements() where try named.required("name").string() == "default" {
            return try named.required("template").string()
        }
        return nil
    }
}
