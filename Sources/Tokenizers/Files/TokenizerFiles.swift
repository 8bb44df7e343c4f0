import Foundation
import JSONText

/// Finds the file of a folder that defines its tokenizer.
enum TokenizerFiles {
    /// The content of `tokenizer.json`, or what says the same of another form.
    static func setting(in directory: URL, _ names: SpecialTokenNames) throws(TokenizerError) -> Setting {
        func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
        let json = directory.appendingPathComponent("tokenizer.json")
        if exists(json) { return try Setting(file: json) }
        let model = directory.appendingPathComponent("tokenizer.model")
        if exists(model), !isTiktoken(model) {
            let content = try SentencePieceModel(file: model).tokenizerFile(adding: names)
            return Setting(value: content, place: model.path + ":")
        }
        let others = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        let tiktoken = others.sorted().filter { $0.hasSuffix(".tiktoken") }.map(directory.appendingPathComponent)
        guard let file = exists(model) ? model : tiktoken.first else {
            throw TokenizerError(
                "\(directory.path) holds no tokenizer.json, tokenizer.model or .tiktoken file; copy it from the model's folder"
            )
        }
        let content = try TiktokenFile(file: file).tokenizerFile(
            specialTokens: names.addedTokens,
            pattern: names.wordPattern
        )
        return Setting(value: content, place: file.path + ":")
    }

    /// Whether a folder holds one of the files.
    static func exist(in directory: URL) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return names.contains { ["tokenizer.json", "tokenizer.model"].contains($0) || $0.hasSuffix(".tiktoken") }
    }

    /// Whether a file's first line is a token in Base64 and a rank, as in Llama 3's `tokenizer.model`.
    private static func isTiktoken(_ file: URL) -> Bool {
        guard let handle = try? FileHandle(forReadingFrom: file), let start = try? handle.read(upToCount: 256) else {
            return false
        }
        let parts = start.prefix { $0 != UInt8(ascii: "\n") }.split(separator: UInt8(ascii: " "))
        return parts.count == 2 && Data(base64Encoded: Data(parts[0])) != nil
            && parts[1].allSatisfy { (48...57).contains($0) }
    }
}
