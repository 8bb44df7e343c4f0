import ArgumentParser
import Foundation
import JSONText
import Tokenizers
import Training

/// `rto tokenize`: texts to ids and ids to texts.
struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn texts into token ids and back, one JSON object per line.",
        discussion: """
            Reads {"text", "add_special_tokens"} or {"ids", "skip_special_tokens"} from standard input and answers \
            {"ids"} or {"text"}. Special tokens are added unless the row says false, and kept unless it says true.
            """
    )

    @Option(
        help: "The model whose tokenizer is used: a directory, or a name on the Hugging Face hub.",
        completion: .directory
    ) var model: String

    @Flag(help: "Say on standard error how long reading the tokenizer and encoding took.") var timing = false

    func run() throws {
        let start = ContinuousClock.now
        let tokenizer = try modelTokenizer(locatingTokenizer(model))
        let loading = ContinuousClock.now - start
        var (encoding, byteCount, tokenCount) = (Duration.zero, 0, 0)
        try JSONLines.answer { row in
            if let text = row["text"]?.string {
                let addsSpecialTokens = try row.bool("add_special_tokens", default: true)
                let start = ContinuousClock.now
                let ids = tokenizer.encode(text, addSpecialTokens: addsSpecialTokens)
                encoding += ContinuousClock.now - start
                byteCount += text.utf8.count
                tokenCount += ids.count
                return ["ids": .array(ids.map(JSON.integer))]
            }
            guard let ids = row["ids"]?.array?.map(\.integer) else { throw RowError("a row needs 'text' or 'ids'") }
            let known = try ids.map { id in
                guard let id, tokenizer.token(id) != nil else { throw RowError("'ids' holds what is no token's id") }
                return id
            }
            let skips = try row.bool("skip_special_tokens", default: false)
            return ["text": .string(tokenizer.decode(known, skipSpecialTokens: skips))]
        }
        guard timing else { return }
        let times: JSON = [
            "load_seconds": .number(loading / .seconds(1)), "encode_seconds": .number(encoding / .seconds(1)),
            "bytes": .integer(byteCount), "tokens": .integer(tokenCount),
        ]
        try FileHandle.standardError.write(contentsOf: Data((times.serialized() + "\n").utf8))
    }
}
