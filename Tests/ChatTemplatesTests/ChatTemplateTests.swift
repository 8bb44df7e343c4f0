import JSONText
import Testing

@testable import ChatTemplates

@Suite struct ChatTemplateTests {
    private func render(
        _ source: String,
        _ messages: [JSON] = [["role": "user", "content": " hi\n"]],
        prompt: Bool = false,
        _ variables: [String: JSON] = [:]
    ) throws -> String {
        try ChatTemplate(source).render(messages: messages, addsGenerationPrompt: prompt, variables: variables)
    }

    private func problem(_ source: String, _ messages: [JSON] = []) -> ChatTemplateError.Problem? {
        #expect(throws: ChatTemplateError.self) { try render(source, messages) }?.problem
    }

    @Test("White space around tags follows trim_blocks, lstrip_blocks and the signs in tags")
    func whiteSpace() throws {
        #expect(try render("a\n  {% if true %}\n  b\n  {% endif %}\nc\n") == "a\n  b\nc")
        #expect(try render("a\n\n") == "a\n")
        #expect(try render("a  {%- if true -%}\n\n b {% endif %}") == "ab ")
        #expect(try render("  {%+ if true %}x{% endif +%}\ny") == "  x\ny")
        #expect(try render("  {{- 'x' -}}  \n y") == "xy")
        #expect(try render("  {{ 'x' }}\n y") == "  x\n y")
        #expect(try render("a\n  {# note\n #}\nb") == "a\nb")
        #expect(try render("x {% if true %} y {% endif %}") == "x  y ")
        #expect(try render("{% if true %}\n\n{% endif %}") == "\n")
    }

    @Test("Strings know Python's escapes, and adjacent ones are one")
    func strings() throws {
        #expect(try render(#"{{ 'a\n\t\\\'\"' "b" '\x41\u00e9\q' }}"#) == "a\n\t\\'\"bAé\\q")
        #expect(try render("{{ 'a\nb' }}") == "a\nb")
        #expect(try render("{{ '}}' + '%}' }}") == "}}%}")
    }

    @Test("Filters bind more tightly than operators, and comparisons less")
    func precedence() throws {
        #expect(try render("{{ '<' + ' a ' | trim + ' b ' }}") == "<a b ")
        #expect(try render("{{ 1 + 2 * 3 % 4 == 3 and not 2 > 3 }}") == "True")
        #expect(try render("{{ not x is defined }}{{ x is not defined }}") == "TrueTrue")
        #expect(try render("{{ -7 % 3 }} {{ 7 % -3 }} {{ 1 ~ 2 }}") == "2 -2 12")
        #expect(try render("{{ 'a' if 0 else 'b' }}{{ 'c' if 1 }}{{ 'd' if 0 }}") == "bc")
        #expect(try render("{{ 'a' in ['a'] }}{{ 'b' not in 'abc' }}{{ 'role' in messages[0] }}") == "TrueFalseTrue")
        #expect(try render("{{ 1 == true }}{{ 1 < 2 < 3 }}{{ 3 > 2 > 2 }}") == "TrueTrueFalse")
    }

    @Test("A missing name counts as a sequence, and a macro's names of arguments are a tuple, as in Jinja")
    func kindsOfValues() throws {
        #expect(try render("{{ x is sequence }}{{ messages[0].x is sequence }}{{ 1 is sequence }}") == "TrueTrueFalse")
        #expect(try render("{% macro f(a, b=1) %}{% endmacro %}{{ f.arguments }}") == "('a', 'b')")
    }

    @Test("A loop knows where it stands, and what it sets ends with each of its turns")
    func loops() throws {
        let messages: [JSON] = [["role": "a"], ["role": "b"], ["role": "c"]]
        let source =
            "{% for m in messages %}{{ loop.index0 }}{{ m.role }}{% if not loop.last %},{% endif %}{% endfor %}"
        #expect(try render(source, messages) == "0a,1b,2c")
        #expect(
            try render(
                "{% for m in messages[1:] if m['role'] != 'b' %}{{ loop.length }}{{ m.role }}{% endfor %}",
                messages
            ) == "1c"
        )
        #expect(try render("{% for m in [] %}x{% else %}none{% endfor %}") == "none")
        let scope = "{% set x = 1 %}{% for m in messages %}{{ x }}{% set x = 2 %}{{ x }}{% endfor %}{{ x }}"
        #expect(try render(scope, messages) == "1212121")
        let namespace =
            "{% set n = namespace(x=1) %}{% for m in messages %}{% set n.x = n.x + 1 %}{% endfor %}{{ n.x }}"
        #expect(try render(namespace, messages) == "4")
        #expect(try render("{% if true %}{% set x = 5 %}{% endif %}{{ x }}") == "5")
    }

    @Test("What is missing prints as nothing, and is an error only where more is asked of it")
    func undefined() throws {
        #expect(try render("[{{ bos_token }}{{ messages[0].name }}{{ messages[9] }}]") == "[]")
        #expect(try render("{{ x | default('d') }}{{ '' | default('e', true) }}{{ tools is none }}") == "deTrue")
        for source in ["{{ x + 'a' }}", "{{ x.y }}", "{{ messages[9]['role'] }}", "{{ 'a' + none }}", "{{ 1 + 'a' }}"] {
            guard case .evaluation? = problem(source) else {
                Issue.record("\(source) was rendered or refused for another reason")
                continue
            }
        }
    }

    @Test("The template's own refusal is an error with its message")
    func raising() throws {
        #expect(problem("{{ raise_exception('no ' + 'tools') }}") == .raised("no tools"))
        let error = #expect(throws: ChatTemplateError.self) { try render("\n\n{{ raise_exception('x') }}") }
        #expect(error?.line == 3 && error?.column == 19)
    }

    @Test(
        "A text that is no template is refused",
        arguments: [
            "{{", "{{ }}", "{{ 'a }}", "{% if %}{% endif %}", "{% if x %}", "{% endif %}", "{% else %}", "{% for %}",
            "{% for x of y %}{% endfor %}", "{% if x %}{% endfor %}", "{{ a b }}", "{{ (a }}", "{{ a[ }}", "{# open",
            "{{ a[1 2] }}", "{{ ? }}", "{{ 99999999999999999999 }}", "{% %}", "{{ '\\x4' }}",
            "{% set = 3 %}", "{% set true = 1 %}", "{% break %}", "{% for loop in [] %}{% endfor %}",
            "{% macro f(a=1, b) %}{% endmacro %}", "{% call x %}{% endcall %}", "{{ f(a=1, 2) }}", "{{ 012 }}",
            "{{ [1) }}", "{% raw %}", "{{ x is string is string }}",
            "{% for i in x %}{% macro f() %}{% break %}{% endmacro %}{% endfor %}",
        ]
    )
    func syntax(source: String) {
        switch problem(source) {
        case .syntax?, .unsupported?: break
        case let problem: Issue.record("\(source) gave \(String(describing: problem))")
        }
    }

    @Test(
        "Deep nesting is refused and does not overflow the stack",
        arguments: ["{{ (", "{{ [", "{{ x[", "{{ f(", "{% if x %}"]
    )
    func depth(opening: String) {
        let start = opening.hasPrefix("{{") ? "{{ " : ""
        let source = start + String(repeating: String(opening.dropFirst(start.count)), count: 50_000)
        switch problem(source) {
        case .syntax?: break
        case let problem: Issue.record("\(opening) gave \(String(describing: problem))")
        }
    }

    @Test("What needs other templates, and what only prints elsewhere, is refused by name where it is reached")
    func unsupported() throws {
        #expect(try render("{% if tools %}{{ tools | pprint }}{% endif %}ok") == "ok")
        #expect(problem("{{ messages | pprint }}") == .unsupported("the filter 'pprint'"))
        for statement in ["include 'x'", "extends 'x'", "import 'x' as y", "from 'x' import y", "block b"] {
            let name = statement.prefix { $0 != " " }
            #expect(problem("{% \(statement) %}") == .unsupported("the statement '\(name)'"))
        }
        #expect(problem("{{ 99999999999 * 99999999999 }}") == .unsupported("an integer beyond 64 bits"))
        let error = ChatTemplateError(
            Fault(problem: .unsupported("x"), position: 5),
            in: Array("ab\nd é".unicodeScalars)
        )
        #expect(
            error.description
                == "chat template, line 2, column 3: x is not supported; --chat-template takes another template"
        )
    }

    @Test("Filters and tests that do not exist are errors at once, but for those in branches")
    func unknownNames() throws {
        for source in ["{{ x | nothing }}", "{{ x is nothing }}", "{% for i in [] %}{{ i | nothing }}{% endfor %}"] {
            guard case .evaluation? = problem(source) else {
                Issue.record("\(source) was not refused")
                continue
            }
        }
        #expect(try render("{% if false %}{{ x | nothing }}{% endif %}{{ (x is nothing) if false else 'ok' }}") == "ok")
    }

    @Test(
        "Every error has its line and column",
        arguments: [
            ("ab\n  {{ x.y }}", 2, 7), ("{{ 1 +\n 'a' }}", 1, 4), ("a{% if x %}", 1, 12), ("{{ ? }}", 1, 4),
            ("{% for i in [1] %}\n{{ i.a.b }}{% endfor %}", 2, 7), ("é{{ messages | int(1, 2, 3) }}", 1, 16),
        ]
    )
    func places(source: String, line: Int, column: Int) {
        let error = #expect(throws: ChatTemplateError.self) { try render(source) }
        #expect(error?.line == line)
        #expect(error?.column == column)
    }

    @Test("A template that may never end is stopped")
    func limits() throws {
        let sources = [
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{% for i in [[]] recursive %}{{ loop([[]]) }}{% endfor %}",
            "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
            "{% set n = namespace(l=[1]) %}{% for i in range(99) %}{% set n.l = n.l + n.l %}{% endfor %}",
            "{% set n = namespace(l=[1]) %}{% for i in range(9999) %}{% set n.l = [n.l] %}{% endfor %}",
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            "{{ 'a' * 999999999 }}", "{{ 'a'.center(999999999) }}", "{{ '%999999999d' % 1 }}",
            "{% set n = namespace(l=[1, 1]) %}{% for i in range(30) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l }}",
        ]
        for source in sources {
            guard case .limit? = problem(source) else {
                Issue.record("\(source) was not stopped: \(String(describing: problem(source)))")
                continue
            }
        }
        #expect(throws: ChatTemplateError.self) { try render("{{ range(999999) }}") }
    }

    @Test("What goes through itself or is held by very many others is stopped, and is let go")
    func deepValues() throws {
        let sources = [
            "{% set n = namespace() %}{% set n.n = n %}{{ n }}",
            "{% set n = namespace() %}{% set n.n = [n] %}{{ '%r' % n.n }}",
            "{% set n = namespace() %}{% for i in range(9999) %}{% set n.n = namespace(n=n.n) %}{% endfor %}{{ n }}",
        ]
        let chains = [
            "n.n | map('string')", "n.n | select", "n.n | batch(1)", "n.n | slice(1)", "n.n | unique",
            "[n.n] | reverse",
            "[1] | map('default', n.n)", "cycler(n.n)", "cycler(cycler(n.n).next)", "joiner(n.n)", "cycler({n.n: 1})",
            "cycler({1: n.n}.get)", "namespace(n=cycler(n.n)).n",
        ]
        let chained = chains.map { link in
            "{% set n = namespace(n=(1, 2)) %}{% for i in range(99999) %}{% set n.n = \(link) %}{% endfor %}"
        }
        let loops =
            "{% set n = namespace(n=1) %}{% for i in range(99999) %}{% for j in [n.n] %}{% set n.n = loop %}{% endfor %}{% endfor %}"
        for source in sources + chained + [loops] {
            guard case .limit? = problem(source) else {
                Issue.record("\(source) was not stopped: \(String(describing: problem(source)))")
                continue
            }
        }
    }

    @Test("A namespace that holds itself, and macros that hold their scope, are let go")
    func cycles() throws {
        let source =
            "{% set n = namespace() %}{% set n.n = n %}{% macro f() %}{{ n.n is defined }}{% endmacro %}{{ f() }}"
        #expect(try render(source) == "True")
    }

    @Test("A loop that has ended holds nothing, so that loops cannot hold each other without end")
    func endedLoops() throws {
        let bodies = [
            "{% for j in [1] %}{% set l = [loop] %}{% set x = loop.changed(n.n) %}{% set n.n = l %}{% endfor %}",
            "{% for j in [1] %}{% set f = loop.changed %}{% set x = f(n.n) %}{% set n.n = f %}{% endfor %}",
            "{% for j in [1] %}{% set n.f = loop.changed %}{% endfor %}{% set x = n.f(n.n) %}{% set n.n = n.f %}",
            "{% set s = namespace(n=n.n) %}{% for j in [n, s] | map(attribute='n') %}{% set x = loop.length %}"
                + "{% set n.n = loop %}{% break %}{% endfor %}",
        ]
        for body in bodies {
            let source = "{% set n = namespace(n=1) %}{% for i in range(20000) %}\(body){% endfor %}"
            do { _ = try render(source) } catch let error as ChatTemplateError {
                guard case .limit = error.problem else { throw error }
            }
        }
        let neighbours =
            "{% set n = namespace() %}{% for i in [1, 2, 3] %}{% set n.l = loop %}{% if i == 2 %}{% break %}{% endif %}{% endfor %}"
            + "{{ n.l.index }} {{ n.l.length }} {{ n.l.nextitem is defined }} {{ n.l.changed(1) }}"
        #expect(try render(neighbours) == "2 3 False True")
    }
}
