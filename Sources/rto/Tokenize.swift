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

    func run() throws {
        let tokenizer = try modelTokenizer(locatingTokenizer(model))
        try JSONLines.answer { row in
            if let text = row["text"]?.string {
                let ids = tokenizer.encode(text, addSpecialTokens: try row.bool("add_special_tokens", default: true))
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
    }
}
