import JSONText
import Testing

@testable import ChatTemplates

@Suite("Generation blocks") struct GenerationTests {
    private static let source = """
        {% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}</s>{% endgeneration %}
        {% else %}{{ m.content }}{% endif %}{% endfor %}
        """
    private let messages: [JSON] = [
        ["role": "user", "content": "é"], ["role": "assistant", "content": "ü1"], ["role": "user", "content": "b"],
        ["role": "assistant", "content": "c"],
    ]

    @Test("The assistant's stretches are told in bytes of the text") func stretches() throws {
        let template = try ChatTemplate(Self.source)
        let rendering = try template.renderMarked(messages: messages)
        #expect(rendering.text == "<user>é<assistant>ü1</s><user>b<assistant>c</s>")
        let bytes = Array(rendering.text.utf8)
        #expect(rendering.generations.map { String(decoding: bytes[$0], as: UTF8.self) } == ["ü1</s>", "c</s>"])
        #expect(template.marksGenerations)
        #expect(try !ChatTemplate("{{ 'generation' }}").marksGenerations)
        #expect(try template.render(messages: messages, addsGenerationPrompt: false) == rendering.text)
    }

    @Test("A stretch whose place in the text cannot be known is refused, but only where places are asked for")
    func captured() throws {
        let source = "{% macro f() %}{% generation %}x{% endgeneration %}{% endmacro %}{{ f() | upper }}"
        let template = try ChatTemplate(source)
        #expect(try template.render(messages: [], addsGenerationPrompt: false) == "X")
        let error = #expect(throws: ChatTemplateError.self) { try template.renderMarked(messages: []) }
        guard case .unsupported? = error?.problem else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("What is set in a block stays in it") func scope() throws {
        let source = "{% set x = 1 %}{% generation %}{% set x = 2 %}{{ x }}{% endgeneration %}{{ x }}"
        #expect(try ChatTemplate(source).render(messages: [], addsGenerationPrompt: false) == "21")
    }
}
