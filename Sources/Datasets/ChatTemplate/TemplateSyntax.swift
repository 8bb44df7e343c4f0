import JSONText

/// A part of a template that text is made of when it is run.
indirect enum TemplateStatement: Sendable {
    case text(String)
    case output(TemplateExpression, line: Int)
    case condition([(test: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement], line: Int)
    case loop(TemplateLoop, line: Int)
    case assignment(name: String, attribute: String?, value: TemplateExpression, line: Int)
}

/// A `for` statement.
struct TemplateLoop: Sendable {
    let names: [String]
    let sequence: TemplateExpression
    let filter: TemplateExpression?
    let body: [TemplateStatement]
    let otherwise: [TemplateStatement]
}

/// A part of a template that has a value.
indirect enum TemplateExpression: Sendable {
    case literal(JSON)
    case name(String)
    case list([TemplateExpression])
    case member(TemplateExpression, TemplateExpression)
    case slice(TemplateExpression, from: TemplateExpression?, to: TemplateExpression?, by: TemplateExpression?)
    case call(TemplateExpression, TemplateArguments)
    case filter(String, TemplateExpression, TemplateArguments)
    case test(String, TemplateExpression, TemplateArguments)
    case not(TemplateExpression)
    case negative(TemplateExpression)
    case binary(String, TemplateExpression, TemplateExpression)
    case conditional(TemplateExpression, then: TemplateExpression, otherwise: TemplateExpression?)
}

/// The arguments of a call, a filter or a test.
struct TemplateArguments: Sendable {
    var positional: [TemplateExpression] = []
    var named: [(name: String, value: TemplateExpression)] = []
}
