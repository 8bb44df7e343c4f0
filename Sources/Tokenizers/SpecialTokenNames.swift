import Foundation
import JSONText

/// What the files beside `tokenizer.json` say about special tokens and conversations.
struct SpecialTokenNames {
    var beginningOfSequence: String?
    var endOfSequence: String?
    var padding: String?
    var unknown: String?
    /// Every token that the files name under a key that ends with `_token`, as templates know it.
    var all: [String: String] = [:]
    var chatTemplates: [String: String] = [:]
    /// The tokens under `added_tokens_decoder`, which files without added tokens of their own need.
    var addedTokens: [Int: String] = [:]
    /// The pattern that cuts text into words, where `pat_str` gives one for a tiktoken file.
    var wordPattern: String?
    /// Whether `add_bos_token` and `add_eos_token` ask for these around every text.
    var addsBeginning: Bool?
    var addsEnd: Bool?

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
        for file in files {
            for (key, value) in try file.object().members where key.hasSuffix("_token") && all[key] == nil {
                guard value.string != nil || value["content"]?.string != nil else { continue }
                all[key] = try Self.token(key, [file])
            }
        }
        chatTemplates = try Self.chatTemplates(directory, files)
        guard let configuration = files.first else { return }
        wordPattern = try configuration["pat_str"]?.string()
        addsBeginning = try configuration["add_bos_token"]?.bool()
        addsEnd = try configuration["add_eos_token"]?.bool()
        for (key, token) in try configuration["added_tokens_decoder"]?.object().members ?? [] {
            guard let id = Int(key), TokenID.range.contains(id), let content = token["content"]?.string else {
                continue
            }
            addedTokens[id] = content
        }
    }

    /// A token is named by its text or by an object that holds its text.
    private static func token(_ key: String, _ files: [Setting]) throws(TokenizerError) -> String? {
        for file in files {
            guard let token = file[key] else { continue }
            return try token.value.object == nil ? token.string() : token.required("content").string()
        }
        return nil
    }

    /// The templates by their names, of which the usual one is `default`; files of their own go first.
    private static func chatTemplates(_ directory: URL, _ files: [Setting]) throws(TokenizerError) -> [String: String] {
        var templates = try templateFiles(directory)
        if let template = files.first?["chat_template"], templates["default"] == nil {
            guard template.value.array != nil else {
                templates["default"] = try template.string()
                return templates
            }
            for named in try template.elements() {
                let name = try named.required("name").string()
                if templates[name] == nil { templates[name] = try named.required("template").string() }
            }
        }
        return templates
    }

    /// `chat_template.jinja` and what lies in `additional_chat_templates`.
    private static func templateFiles(_ directory: URL) throws(TokenizerError) -> [String: String] {
        var files = ["default": directory.appendingPathComponent("chat_template.jinja")]
        let folder = directory.appendingPathComponent("additional_chat_templates")
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        where name.hasSuffix(".jinja") {
            files[String(name.dropLast(".jinja".count))] = folder.appendingPathComponent(name)
        }
        var templates: [String: String] = [:]
        for (name, file) in files where FileManager.default.fileExists(atPath: file.path) {
            do {
                templates[name] = try String(contentsOf: file, encoding: .utf8)
            } catch {
                throw TokenizerError("cannot read \(file.path): \(error.localizedDescription)")
            }
        }
        return templates
    }
}
