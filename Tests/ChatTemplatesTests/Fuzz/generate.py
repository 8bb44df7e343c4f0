#!/usr/bin/env python3
"""Random chat templates with what transformers makes of them, one JSON object a line.

    python3 generate.py COUNT [SEED] > corpus.jsonl

Needs transformers and jinja2. Each line has `template`, `variables`, `mask`, and `output` (with `ranges` in UTF-8 bytes where
`mask` is true) or `raised` (the template's own message) or `error`. Outputs that no other program can give (addresses of objects,
integers beyond 64 bits) are left out.
"""
import datetime
import json
import random
import re
import sys

import jinja2
import transformers.utils.chat_template_utils as utils


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, zone=None):
        return cls(2025, 3, 14, 9, 26, 53)


utils.datetime = FixedDate

NAMES = ["messages", "m", "x", "y", "i", "tools", "bos_token", "eos_token", "n", "f", "s", "d", "l", "flag", "missing", "ns", "loop"]
TEXTS = ["", "a", "hi", " ab ", "a,b,c", "A b-C", "line\n two\n", "<b>&\"'", "é", "ß", "日本", "🙂x", "e\u0301", "x y  z", "user", "assistant", "ΑΣ", "1", "-2.5", "%s-%d", "{}:{}", "%", "\t", "ŉ", "ǅ", "\u00a0", "\u200b"]
MESSAGES = ["hi", " hello ", "", "multi\nline", "日本 🙂", "<|im_end|>", "{{ x }}", "a\\b\"c", "\n\n", "ok"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, options):
        return self.random.choice(options)

    def chance(self, probability):
        return self.random.random() < probability

    def string(self):
        return self.pick([repr(self.pick(TEXTS)), json.dumps(self.pick(TEXTS), ensure_ascii=False)])

    def number(self):
        return self.pick(["0", "1", "2", "3", "-1", "10", "1.5", "0.1", "2.0", "-0.5", "1e3", "7", "100", "1_000", "0x1f", "1e-7", "123456789.125"])

    def atom(self):
        return self.pick([self.string, self.string, self.number, lambda: self.pick(NAMES), lambda: self.pick(NAMES), lambda: self.pick(["true", "false", "none"])])()

    def arguments(self, depth, most=2):
        return ", ".join(self.expression(depth) for _ in range(self.random.randrange(most + 1)))

    def list(self, depth):
        return "[" + ", ".join(self.expression(depth) for _ in range(self.random.randrange(4))) + "]"

    def dictionary(self, depth):
        keys = ["'a'", "'b'", "'role'", "'content'", "1", "none", "true", "1.0", "'B'"]
        return "{" + ", ".join(f"{self.pick(keys)}: {self.expression(depth)}" for _ in range(self.random.randrange(4))) + "}"

    def filter(self, depth):
        e = lambda: self.expression(depth - 1)
        simple = ["upper", "lower", "title", "capitalize", "trim", "string", "length", "count", "list", "first", "last", "reverse", "reverse|list", "sort", "unique|list", "sum", "min", "max", "abs", "int", "float", "round", "e", "escape", "safe", "tojson", "items|list", "dictsort", "wordcount", "urlencode", "forceescape", "d('q')", "select|list", "reject|list"]
        return self.pick([
            lambda: self.pick(simple), lambda: self.pick(simple), lambda: self.pick(simple),
            lambda: f"default({e()})", lambda: f"default({e()}, true)", lambda: f"join({self.string()})",
            lambda: f"replace({self.string()}, {self.string()})", lambda: f"replace({e()}, {e()}, {self.number()})",
            lambda: f"map('{self.pick(['upper', 'trim', 'length', 'string', 'int', 'first', 'tojson'])}')|list",
            lambda: f"map(attribute='{self.pick(['role', 'content', 'a', 'a.b', '0', '1'])}')|list",
            lambda: f"map(attribute='{self.pick(['role', 'a'])}', default='z')|join(',')",
            lambda: f"selectattr('{self.pick(['role', 'content', 'a'])}', '{self.pick(['equalto', 'eq', 'ne', 'in', 'defined', 'string', '=='])}'{self.pick(['', ', ' + e()])})|list",
            lambda: f"rejectattr('{self.pick(['role', 'content', 'a'])}'{self.pick(['', ', ' + repr('equalto') + ', ' + e()])})|list",
            lambda: f"select('{self.pick(['odd', 'even', 'string', 'number', 'defined', 'none', 'mapping'])}')|list",
            lambda: f"reject('{self.pick(['odd', 'string', 'in'])}'{self.pick(['', ', ' + e()])})|list",
            lambda: f"tojson(indent={self.pick(['0', '2', '4', 'none', repr('--')])})", lambda: "tojson(sort_keys=true)", lambda: "tojson(ensure_ascii=true)",
            lambda: "tojson(separators=(',', ':'))", lambda: f"indent({self.pick(['2', '4, true', 'width=3, blank=true', repr('> ')])})",
            lambda: f"batch({self.pick(['1', '2', '3'])}{self.pick(['', ', ' + e()])})|list", lambda: f"slice({self.pick(['1', '2', '3'])}{self.pick(['', ', ' + e()])})|list",
            lambda: f"round({self.pick(['0', '1', '2', '3', '-1'])}{self.pick(['', ', ' + repr('floor'), ', ' + repr('ceil')])})",
            lambda: f"int({self.pick(['7', '0, 16', 'base=2'])})", lambda: f"float({self.pick(['1.5', 'none'])})", lambda: f"center({self.pick(['5', '8', '0'])})",
            lambda: f"truncate({self.pick(['5', '8, true', '6, false, ' + repr('…'), '5, true, ' + repr('') + ', 0'])})", lambda: f"trim({self.string()})",
            lambda: f"sort(reverse=true)", lambda: f"sort(attribute='{self.pick(['role', 'content', 'a', 'role,content'])}')|length", lambda: "sort(case_sensitive=true)",
            lambda: f"groupby('{self.pick(['role', 'content'])}')", lambda: f"groupby('role')|map('first')|list", lambda: f"unique(attribute='role')|list|length",
            lambda: f"sum(start={e()})", lambda: f"sum(attribute='{self.pick(['a', 'b'])}')", lambda: f"format({self.arguments(depth - 1, 3)})", lambda: f"attr('{self.pick(['a', 'role', 'upper', 'x'])}')",
            lambda: f"min(attribute='{self.pick(['role', 'a'])}')", lambda: "max(case_sensitive=true)", lambda: f"dictsort({self.pick(['true', 'false, ' + repr('value'), 'reverse=true'])})",
        ])()

    def method(self, depth):
        e = lambda: self.expression(depth - 1)
        s = self.string
        return self.pick([
            lambda: self.pick(["upper", "lower", "title", "capitalize", "strip", "lstrip", "rstrip", "split", "splitlines", "swapcase", "isdigit", "isalpha", "isspace", "isupper", "islower", "isalnum", "istitle", "isnumeric", "isdecimal", "isidentifier", "isascii", "isprintable", "casefold", "keys", "values", "items", "copy", "append", "pop", "update", "expandtabs"]) + "()",
            lambda: f"strip({s()})", lambda: f"lstrip({s()})", lambda: f"rstrip({s()})", lambda: f"split({s()})", lambda: f"split({s()}, {self.number()})", lambda: f"rsplit({s()}, 1)", lambda: f"rsplit(none, 1)", lambda: "split(none, 1)", lambda: "split(maxsplit=1)",
            lambda: f"replace({s()}, {s()})", lambda: f"replace({s()}, {s()}, {self.pick(['1', '0', '-1', '2'])})", lambda: f"startswith({s()})", lambda: f"endswith({s()})", lambda: f"startswith(({s()}, {s()}))", lambda: f"startswith({s()}, {self.pick(['1', '-1', '5'])})",
            lambda: f"find({s()})", lambda: f"rfind({s()})", lambda: f"index({s()})", lambda: f"count({s()})", lambda: f"find({s()}, {self.pick(['0', '1', '-2'])}, {self.pick(['2', '9', '-1'])})",
            lambda: f"join({e()})", lambda: f"center({self.pick(['4', '7'])}, '*')", lambda: f"ljust({self.pick(['4', '7'])})", lambda: f"rjust(5, {s()})", lambda: f"zfill({self.pick(['3', '6'])})", lambda: f"partition({s()})", lambda: f"rpartition({s()})", lambda: "splitlines(true)",
            lambda: f"format({self.arguments(depth - 1, 3)})", lambda: f"removeprefix({s()})", lambda: f"removesuffix({s()})", lambda: f"get({e()})", lambda: f"get({s()}, {e()})", lambda: f"index({e()})", lambda: f"count({e()})", lambda: f"expandtabs(4)",
        ])()

    def test(self, depth):
        e = lambda: self.expression(depth - 1)
        return self.pick([
            lambda: self.pick(["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "sequence", "iterable", "callable", "true", "false", "odd", "even", "lower", "upper", "escaped", "filter", "test"]),
            lambda: f"divisibleby {self.pick(['2', '3', '0'])}", lambda: f"eq {self.atom()}", lambda: f"equalto({e()})", lambda: f"ne({e()})", lambda: f"lt({e()})", lambda: f"ge {self.number()}", lambda: f"in {self.list(depth - 1)}", lambda: f"sameas {self.pick(['true', 'false', 'none'])}",
        ])()

    def format_string(self):
        return self.pick(["'%s'", "'%5s|'", "'%-6s|'", "'%.2s'", "'%d'", "'%05d'", "'%+d'", "'%x'", "'%#x'", "'%o'", "'%.2f'", "'%8.3f'", "'%e'", "'%g'", "'%r'", "'%c'", "'%s %s'", "'%%'", "'%(a)s'", "'%*d'", "'%i'"])

    def brace_string(self):
        return self.pick(["'{}'", "'{0}{1}'", "'{:>5}'", "'{:<5}|'", "'{:^7}|'", "'{:*^7}'", "'{:.2f}'", "'{:05d}'", "'{:+}'", "'{:,}'", "'{!r}'", "'{0[0]}'", "'{0.role}'", "'{{}}'", "'{:x}'", "'{:#b}'", "'{:.3}'", "'{:e}'", "'{:%}'", "'{a}'", "'{:{}}'", "'{:s}'", "'{:d}'", "'{:_}'", "'{'", "'}'"])

    def expression(self, depth):
        if depth <= 0 or self.chance(0.2):
            return self.atom()
        e = lambda: self.expression(depth - 1)
        return self.pick([
            lambda: f"{self.postfixed(depth)}|{self.filter(depth)}", lambda: f"{self.postfixed(depth)}|{self.filter(depth)}", lambda: f"{self.postfixed(depth)}.{self.method(depth)}", lambda: f"{self.postfixed(depth)}.{self.method(depth)}",
            lambda: f"{e()} {self.pick(['+', '-', '*', '/', '//', '%', '~', '**'])} {e()}", lambda: f"{e()} {self.pick(['+', '~', '~', '+'])} {e()}",
            lambda: f"{e()} {self.pick(['==', '!=', '<', '<=', '>', '>='])} {e()}", lambda: f"{self.number()} < {e()} <= {self.number()}", lambda: f"{e()} {self.pick(['in', 'not in'])} {e()}",
            lambda: f"{e()} {self.pick(['and', 'or'])} {e()}", lambda: f"not {e()}", lambda: f"-{self.postfixed(depth)}", lambda: f"{self.postfixed(depth)} is {self.pick(['', 'not '])}{self.test(depth)}",
            lambda: f"({e()} if {e()} else {e()})", lambda: f"({e()} if {e()})", lambda: f"({e()})", lambda: f"({e()}, {e()})", lambda: self.list(depth - 1), lambda: self.dictionary(depth - 1),
            lambda: f"{self.postfixed(depth)}[{self.pick(['0', '-1', '1', e(), repr('role'), repr('a')])}]", lambda: f"{self.sliceable(depth)}[{self.slice(depth)}]", lambda: f"{self.postfixed(depth)}.{self.pick(['role', 'content', 'a', 'x', '0'])}",
            lambda: f"messages[{self.pick(['0', '-1', '1', ':1', '1:'])}]{self.pick(['', '.role', '.content', '[' + repr('content') + ']', '.tool_calls'])}",
            lambda: f"loop.{self.pick(['index', 'index0', 'first', 'last', 'length', 'revindex', 'revindex0', 'previtem', 'nextitem', 'depth', 'depth0'])}", lambda: f"loop.cycle({e()}, {e()})", lambda: f"loop.changed({e()})",
            lambda: f"range({self.pick(['3', '0', '1, 4', '5, 0, -2', '-1', '0, 3, 0'])}){self.pick(['', '|list', '[1]', '[::2]', '|length'])}", lambda: f"namespace(a={e()}){self.pick(['.a', '.b'])}", lambda: f"dict(a={e()}, b={e()})", lambda: f"dict([('a', {e()})])",
            lambda: f"{self.format_string()} % {self.pick([e(), '(' + e() + ', ' + e() + ')', '(' + e() + ',)', '{' + repr('a') + ': ' + e() + '}'])}", lambda: f"{self.brace_string()}.format({self.arguments(depth - 1, 3)})", lambda: f"{self.format_string()}|format({self.arguments(depth - 1)})",
            lambda: f"{self.pick(['f', 'g', 'caller'])}({self.arguments(depth - 1, 3)})", lambda: f"f({e()}, b={e()})", lambda: f"ns.{self.pick(['a', 'b'])}", lambda: f"strftime_now('{self.pick(['%d %b %Y', '%Y-%m-%d %H:%M:%S', '%A %j %p', '%y%%', '%f'])}')",
        ])()

    def slice(self, depth):
        bound = lambda: self.pick(["", "", "1", "2", "-1", "-2", "5", "0", "none", "missing"])
        return f"{bound()}:{bound()}" + self.pick(["", "", ":" + bound(), ":-1", ":2"])

    def sliceable(self, depth):
        # Jinja folds slices of constants that have none to undefined values or keeps their errors, as the expression around them is.
        return self.pick([lambda: self.pick(NAMES), self.string, lambda: self.list(depth - 1), lambda: f"f({self.expression(depth - 1)})"])()

    def postfixed(self, depth):
        return self.pick([self.atom, self.atom, lambda: f"({self.expression(depth - 1)})", lambda: self.list(depth - 1), lambda: self.dictionary(depth - 1)])()

    def text(self):
        return self.pick(["", " ", "\n", "  \n", "x", "\n  ", "text ", "<|im_start|>", "{ ", "}}"[:1], "\n\n", "\t", "é", "# ", "\r\n"])

    def tag(self, body):
        return "{%" + self.pick(["", "", "", "-", "+"]) + " " + body + " " + self.pick(["", "", "", "-", "+"]) + "%}"

    def output(self, depth):
        return "{{" + self.pick(["", "", "-", "+"]) + " " + self.expression(depth) + " " + self.pick(["", "", "-"]) + "}}"

    def body(self, depth, count=3):
        return "".join(self.text() + self.statement(depth) for _ in range(self.random.randrange(count + 1))) + self.text()

    def statement(self, depth):
        if depth <= 0 or self.chance(0.35):
            return self.output(3)
        e = lambda: self.expression(2)
        b = lambda: self.body(depth - 1)
        t = self.tag
        return self.pick([
            lambda: t(f"if {e()}") + b() + self.pick(["", t(f"elif {e()}") + b()]) + self.pick(["", t("else") + b()]) + t("endif"),
            lambda: t(f"for {self.pick(['i', 'x', 'm', 'i, x', '(i, x)'])} in {self.pick([e(), 'messages', 'messages', 'l', '[1, 2, 3]', 'd.items()', 'range(3)', 'd', repr('abc')])}{self.pick(['', '', ' if ' + e()])}") + b() + self.pick(["", t("else") + b()]) + t("endfor"),
            lambda: t(f"for m in messages") + self.message_body(depth) + t("endfor"),
            lambda: t(f"for i in {self.pick(['[1, [2, 3]]', '[[1], [2, [3]]]', 'l'])} recursive") + b() + self.pick(["{{ loop(i) if i is iterable and i is not string else i }}", "{{ loop.depth }}{{ loop(i) if i is sequence }}", "{{ loop(i) }}"]) + t("endfor"),
            lambda: t(f"set {self.pick(['x', 'y', 'n', 's', 'l', 'flag', 'bos_token'])} = {e()}"), lambda: t(f"set x, y = {self.pick([e(), '1, 2', e() + ', ' + e()])}"), lambda: t(f"set ns.{self.pick(['a', 'b'])} = {e()}"), lambda: t("set ns = namespace(a=1)"),
            lambda: t(f"set {self.pick(['x', 'y'])}{self.pick(['', ' | upper', ' | trim | length'])}") + b() + t("endset"),
            lambda: t(f"macro {self.pick(['f', 'g'])}({self.pick(['', 'a', 'a, b=2', 'a=x, b=a', 'x'])})") + b() + self.pick(["", "{{ a }}{{ b }}", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}", "{{ caller(1) }}", "{{ x }}"]) + t("endmacro"),
            lambda: t(f"call{self.pick(['', '(i)', '(a=1)'])} {self.pick(['f', 'g'])}({self.arguments(1)})") + b() + t("endcall"), lambda: t(f"filter {self.pick(['upper', 'trim', 'title|lower', 'indent(2)', 'replace(' + self.string() + ', ' + repr('-') + ')', 'center(9)', 'e', 'reverse', 'truncate(6)', 'string'])}") + b() + t("endfilter"), lambda: t(f"with {self.pick(['x = ' + e(), 'x = 1, y = x', ''])}") + b() + t("endwith"),
            lambda: t("generation") + b() + t("endgeneration"), lambda: "{#" + self.pick(["", "-", "+"]) + " note " + self.pick(["", "-", "+"]) + "#}", lambda: t("raw") + self.pick(["{{ x }}", "{% if %}", " a \n"]) + t("endraw"),
            lambda: t(f"{self.pick(['break', 'continue'])}"), lambda: t(f"print {e()}, {e()}"), lambda: "{{ raise_exception(" + e() + ") }}", lambda: self.pick(["{{ x|nosuchfilter }}", "{% if x is nosuchtest %}{% endif %}", "{{ (y is nosuchtest) if n }}", "{% if flag %}{{ x|nosuchfilter }}{% endif %}"]), lambda: t(self.pick(["endif", "else", "foo", "if", "set 1 = 2", "for x", "set true = 1", "macro f", "endfor"])),
        ][: 16 if not self.chance(0.06) else 21])()

    def message_body(self, depth):
        return self.pick([
            "{{ '<|' + m.role + '|>' + m['content'] + '\n' }}", "{% if m.role == 'user' %}U{{ m.content|trim }}{% elif loop.last %}L{% endif %}", "{% if loop.first and m.role != 'system' %}S{% endif %}{{ m.content }}{{ eos_token if not loop.last }}",
            "{%- if m.role == 'assistant' -%}{% generation %}{{ m.content }}{% endgeneration %}{%- endif -%}",
        ]) + self.body(depth - 1, 2)

    def value(self, depth=2):
        scalars = [None, True, False, 0, 1, 2, -3, 1.5, "", "a", "hi there", "日本"]
        if depth == 0 or self.chance(0.6):
            return self.pick(scalars)
        if self.chance(0.5):
            return [self.value(depth - 1) for _ in range(self.random.randrange(4))]
        return {self.pick(["a", "b", "role", "B", "content"]): self.value(depth - 1) for _ in range(self.random.randrange(4))}

    def variables(self):
        roles = ["system", "user", "assistant", "tool"]
        messages = [{"role": self.pick(roles), "content": self.pick(MESSAGES)} for _ in range(self.random.randrange(5))]
        variables = {"messages": messages, "tools": self.pick([None, None, [{"type": "function", "function": {"name": "f", "parameters": {"a": [1, 2.5, None, True]}}}]]), "documents": None, "add_generation_prompt": self.chance(0.5)}
        for name in ["x", "y", "n", "s", "d", "l", "flag"]:
            if self.chance(0.6):
                variables[name] = {"n": lambda: self.pick([0, 1, 7, -2, 2.5]), "s": lambda: self.pick(TEXTS), "d": lambda: {"a": self.value(1), "b": self.value(1)}, "l": lambda: [self.value(1) for _ in range(3)], "flag": lambda: self.chance(0.5)}.get(name, self.value)()
        variables["bos_token"], variables["eos_token"] = "<s>", "</s>"
        return variables


UNREPEATABLE = re.compile(r"<(function|Macro|bound|built-in|generator|list_reverse|reversed|dict_\w+iter|\w+_iterator|dict_reverse|str_|range_|class|LoopContext|method|jinja2|transformers|TemplateRef)|object at 0x|Undefined")


def has_large_integer(text):
    return re.search(r"\d{17,}", text) is not None


def record(template, variables, mask):
    line = {"template": template, "variables": variables}
    try:
        compiled = utils._compile_jinja_template(template)
        if mask:
            output, ranges = utils._render_with_assistant_indices(compiled, variables.pop("messages"), variables.pop("tools"), variables.pop("documents"), variables.pop("add_generation_prompt"), **variables)
        else:
            output = compiled.render(**variables)
    except jinja2.TemplateError as error:
        if type(error) is jinja2.TemplateError:
            if UNREPEATABLE.search(str(error)):
                return None
            line["raised"] = str(error)
        else:
            line["error"] = f"{type(error).__name__}: {error}"
        return line
    except Exception as error:
        if isinstance(error, (MemoryError, RecursionError)) or "Exceeds the limit" in str(error):
            return None
        line["error"] = f"{type(error).__name__}: {error}"
        return line
    if len(output) > 20000 or UNREPEATABLE.search(output) or has_large_integer(output):
        return None
    try:
        output.encode()
    except UnicodeEncodeError:
        return None
    line["output"] = output
    if mask:
        line["mask"] = True
        line["ranges"] = [[len(output[:a].encode()), len(output[:b].encode())] for a, b in ranges]
    return line


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    generator = Generator(seed)
    for _ in range(count):
        template, variables = generator.body(3, 4), generator.variables()
        line = record(template, dict(variables), False)
        if line is not None:
            line["variables"] = variables
            print(json.dumps(line, ensure_ascii=True))


if __name__ == "__main__":
    sys.setrecursionlimit(600)
    main()
