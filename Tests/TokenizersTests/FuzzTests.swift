import Foundation
import JSONText
import Testing
import Tokenizers

/// Small tokenizers of every kind and what the `tokenizers` library made of random texts, both by `Fuzz/generate.py`.
///
/// `$RTO_TOKENIZER_CORPUS` names a folder with a longer recording.
@Suite("Recorded random texts") struct FuzzTests {
    private static let bundled = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fuzz")

    static let folders: [URL] = {
        let longer = ProcessInfo.processInfo.environment["RTO_TOKENIZER_CORPUS"].map { URL(filePath: $0) }
        return [bundled, longer].compactMap(\.self).flatMap { folder in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            return names.sorted().map { folder.appending(path: $0) }.filter {
                FileManager.default.fileExists(atPath: $0.appending(path: "answers.jsonl").path)
            }
        }
    }()

    @Test("There are tokenizers of every kind") func kinds() { #expect(Self.folders.count >= 16) }

    @Test("Every text has the recorded ids, and these give the recorded text back", arguments: folders)
    func recorded(folder: URL) throws {
        let tokenizer = try Tokenizer(directory: folder)
        let answers = try Data(contentsOf: folder.appending(path: "answers.jsonl"))
        for line in answers.split(separator: UInt8(ascii: "\n")) {
            let row = try JSON(parsing: line)
            let text = try #require(row["text"]?.string)
            let ids = tokenizer.encode(text)
            #expect(row["ids"] == .array(ids.map(JSON.integer)), "\(text.debugDescription)")
            let plain = tokenizer.encode(text, addSpecialTokens: false)
            #expect(row["plain"] == .array(plain.map(JSON.integer)), "\(text.debugDescription)")
            #expect(row["decoded"] == .string(tokenizer.decode(ids)), "\(text.debugDescription)")
            #expect(row["skipped"] == .string(tokenizer.decode(ids, skipSpecialTokens: true)))
        }
    }
}
