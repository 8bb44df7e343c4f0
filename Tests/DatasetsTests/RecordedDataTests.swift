import Foundation
import JSONText
import TestSupport
import Testing
import Tokenizers

@testable import Datasets

@Suite(.enabled(if: SharedFixtures.arePresent, "\(SharedFixtures.reason)"))
struct RecordedDataTests {
    private let shared: URL

    init() throws { shared = try #require(SharedFixtures.directory) }

    private func source(_ path: String) -> [DatasetSource] { [DatasetSource(path: shared.appending(path: path).path)] }

    private func stories() throws -> Tokenizer {
        try Tokenizer(directory: shared.appending(path: "models/stories260K"))
    }

    @Test("Real preferences and prompts are read from compressed and plain files")
    func realData() throws {
        let tokenizer = try stories()
        let reader = DatasetReader(sources: source("data/alpaca_preferences.test.jsonl.gz"), tokenizer: tokenizer)
        let pairs = try reader.rows(.pairs)
        #expect(pairs.report.rowsUsed == pairs.report.rowsRead)
        #expect(pairs.report.responsesTokenizedApart * 100 < pairs.report.rowsUsed * 2)
        for pair in pairs.rows.prefix(50) {
            #expect(pair.prompt.first == tokenizer.beginningOfSequence)
            #expect(pair.chosen.last == tokenizer.endOfSequence)
        }
        let prompts = try DatasetReader(sources: source("data/prompts.jsonl"), tokenizer: tokenizer).prompts()
        #expect(prompts.rows.count > 100)
        #expect(prompts.rows.allSatisfy { $0.text != nil && $0.row["prompt"]?.string == $0.text })
    }

    @Test("Rows of ids are those of the recorded runs")
    func tokenizedRows() throws {
        let recorded = try JSON(parsing: Data(contentsOf: shared.appending(path: "fixtures/steps/tokenized.json")))
        let rows = try #require(recorded["rows"]?.array)
        var options = DatasetOptions()
        options.vocabularySize = 512
        let pairs = try DatasetReader(
            sources: source("fixtures/steps/cli/preferences.jsonl"),
            tokenizer: nil,
            options: options
        )
        .rows(.pairs)
        #expect(pairs.rows.count <= rows.count)
        for (pair, row) in zip(pairs.rows, rows) {
            #expect(row["chosen_ids"]?.array?.compactMap(\.integer) == pair.prompt + pair.chosen)
            #expect(row["rejected_ids"]?.array?.compactMap(\.integer) == pair.prompt + pair.rejected)
        }
        #expect(
            try DatasetReader(sources: source("fixtures/steps/cli/sft.jsonl"), tokenizer: nil).rows(.examples).rows
                .count > 0
        )
    }

    @Test("Texts have the reference's ids, but for the lone space that it leaves in front of the end of sequence")
    func referenceTokens() throws {
        let recorded = try JSON(parsing: Data(contentsOf: shared.appending(path: "fixtures/steps/tokenized.json")))
        let rows = try #require(recorded["rows"]?.array)
        for template in [nil, try InputTemplate("<s>{}")] {
            var options = DatasetOptions()
            options.inputTemplate = template
            let pairs = try DatasetReader(
                sources: source("fixtures/steps/preferences.jsonl"),
                tokenizer: stories(),
                options: options
            ).rows(.pairs).rows
            #expect(pairs.count == rows.count)
            for (pair, row) in zip(pairs, rows) {
                let ids = row["chosen_ids"]?.array?.compactMap(\.integer) ?? []
                let end = try #require(ids.last)
                #expect(pair.prompt + pair.chosen == Array(ids.dropLast(2)) + [end])
                #expect(pair.prompt.count == row["prompt_len"]?.integer)
            }
        }
    }

    @Test("With every recorded tokenizer, prompt and response put together spell the whole text")
    func boundaries() throws {
        let folders = shared.appending(path: "fixtures/tokenizers")
        for name in try FileManager.default.contentsOfDirectory(atPath: folders.path).sorted() where !name.contains(".")
        {
            // A kind of tokenizer that is not read at all is not this room's affair.
            guard let tokenizer = try? Tokenizer(directory: folders.appending(path: name)) else { continue }
            let rowTokenizer = RowTokenizer(tokenizer: tokenizer, chatTemplate: nil, inputTemplate: nil)
            let row = DatasetRow(location: RowLocation(path: name, line: 1), object: JSONObject())
            for (front, back) in [
                ("The wor", "ld is round"), ("Hello", " there"), ("x", "y"), ("Wait.", ".. no"), ("日", "本語"),
            ] {
                let prompt = try rowTokenizer.prompt(.text(front), row)
                let response = try rowTokenizer.response(back, to: prompt, row)
                let ids = response.ids.last == tokenizer.endOfSequence ? Array(response.ids.dropLast()) : response.ids
                let whole = tokenizer.decode(
                    tokenizer.encode(front + back, addSpecialTokens: false),
                    skipSpecialTokens: true
                )
                #expect(
                    tokenizer.decode(prompt.ids + ids, skipSpecialTokens: true) == whole,
                    "\(name): \(front)|\(back)"
                )
            }
        }
    }

    @Test("Generation blocks give transformers' mask, also where the tokenizer puts spaces behind special tokens")
    func generations() throws {
        var options = DatasetOptions()
        options.chatTemplate = """
            {{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}A:{% generation %} {{ m.content }}{{ eos_token }}\
            {% endgeneration %}{% else %}Q: {{ m.content }}{% endif %}{% endfor %}
            """
        let row =
            #"{"messages":[{"role":"user","content":"Who is there?"},{"role":"assistant","content":"Lily é"},"#
            + #"{"role":"user","content":"Where?"},{"role":"assistant","content":"in the park"}]}"#
        let directory = try TemporaryDirectory()
        let path = try directory.write("rows.jsonl", row)
        let reader = DatasetReader(sources: [DatasetSource(path: path)], tokenizer: try stories(), options: options)
        let example = try #require(try reader.rows(.examples).rows.first)
        let prompt = [1, 410, 473, 467, 410, 448, 415, 414, 410, 293, 383, 450, 447, 467]
        let rest = [317, 410, 485, 2, 410, 473, 467, 410, 448, 260, 276, 450, 447, 467, 322, 265, 282, 295, 433, 2]
        #expect(example.ids == prompt + rest && example.promptLength == prompt.count)
        // The mask of apply_chat_template(return_assistant_tokens_mask=True).
        let mask = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
        #expect(example.isLearned == mask.map { $0 == 1 })
    }
}
