import JSONText
import Testing

@testable import Tokenizers

@Suite("Post-processors")
struct PostProcessorTests {
    static let template: JSON = [
        "type": "TemplateProcessing",
        "single": [["SpecialToken": ["id": "<s>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]]],
        "pair": [
            ["Sequence": ["id": "B", "type_id": 1]], ["SpecialToken": ["id": "<s>", "type_id": 0]],
            ["Sequence": ["id": "A", "type_id": 0]],
        ],
        "special_tokens": ["<s>": ["id": "<s>", "ids": [8, 9], "tokens": ["<", "s>"]]],
    ]

    @Test("a template says what goes where")
    func template() throws {
        try expect(Self.template, single: [8, 9, 1, 2], pair: [3, 8, 9, 1, 2], plainPair: [3, 1, 2])
    }

    @Test("the older forms put one token before and one or two between")
    func olderForms() throws {
        let roberta: JSON = ["type": "RobertaProcessing", "cls": ["<s>", 8], "sep": ["</s>", 9]]
        try expect(roberta, single: [8, 1, 2, 9], pair: [8, 1, 2, 9, 9, 3, 9], plainPair: [1, 2, 3])
        let bert: JSON = ["type": "BertProcessing", "cls": ["<s>", 8], "sep": ["</s>", 9]]
        try expect(bert, single: [8, 1, 2, 9], pair: [8, 1, 2, 9, 3, 9], plainPair: [1, 2, 3])
    }

    @Test("a byte-level post-processor adds nothing, alone or in a sequence")
    func byteLevel() throws {
        try expect(["type": "ByteLevel"], single: [1, 2], pair: [1, 2, 3], plainPair: [1, 2, 3])
        let sequence: JSON = ["type": "Sequence", "processors": [["type": "ByteLevel"], Self.template]]
        try expect(sequence, single: [8, 9, 1, 2], pair: [3, 8, 9, 1, 2], plainPair: [3, 1, 2])
        let twice: JSON = ["type": "Sequence", "processors": [Self.template, Self.template]]
        #expect(throws: TokenizerError.self) { try PostProcessor(setting(twice)) }
    }

    private func expect(_ json: JSON, single: [Int], pair: [Int], plainPair: [Int]) throws {
        let processor = try PostProcessor(setting(json))
        #expect(processor.ids([1, 2], addSpecialTokens: true) == single)
        #expect(processor.ids([1, 2], addSpecialTokens: false) == [1, 2])
        #expect(processor.ids([1, 2], [3], addSpecialTokens: true) == pair)
        #expect(processor.ids([1, 2], [3], addSpecialTokens: false) == plainPair)
    }
}
