/// An expression and where it begins.
struct Expression: Sendable {
    let kind: Kind
    let position: Int

    indirect enum Kind: Sendable {
        case literal(Literal)
        case name(String)
        case list([Expression])
        case tuple([Expression])
        case dictionary([(key: Expression, value: Expression)])
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, CallArguments)
        /// A filter; without an operand it is applied to the text of a block.
        case filter(Expression?, name: String, CallArguments)
        case test(Expression, name: String, CallArguments)
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        case binary(BinaryOperator, Expression, Expression)
        case concatenation([Expression])
        case comparison(Expression, [(ComparisonOperator, Expression)])
        case and(Expression, Expression)
        case or(Expression, Expression)
        case conditional(condition: Expression, then: Expression, otherwise: Expression?)
    }

    enum Literal: Sendable {
        case none
        case bool(Bool)
        case integer(Int)
        case float(Double)
        case string(String)
    }
}

enum BinaryOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

enum ComparisonOperator: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
}

/// What stands in the parentheses of a call.
struct CallArguments: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
    /// Behind `*`.
    var spread: Expression?
    /// Behind `**`.
    var namedSpread: Expression?
}

/// What can stand to the left of `=`, or between `for` and `in`.
indirect enum AssignmentTarget: Sendable {
    case name(String)
    case attribute(of: String, name: String)
    case tuple([AssignmentTarget])
}

/// A statement and where its tag begins.
struct Statement: Sendable {
    let kind: Kind
    let position: Int

    indirect enum Kind: Sendable {
        case text(String)
        case output(Expression)
        case condition([(condition: Expression, body: [Statement])], otherwise: [Statement])
        case loop(Loop)
        case assignment(AssignmentTarget, Expression)
        case blockAssignment(AssignmentTarget, filter: Expression?, Block)
        case with([(AssignmentTarget, Expression)], Block)
        case filterBlock(Expression, Block)
        case macro(Macro)
        case callBlock(Expression, Macro)
        /// A stretch of text that the assistant has written.
        case generation(Block)
        case breakLoop
        case continueLoop
    }
}

/// Statements with names of their own.
struct Block: Sendable {
    let body: [Statement]
    var scope = ScopePlan()
}

struct Loop: Sendable {
    let target: AssignmentTarget
    let sequence: Expression
    let condition: Expression?
    let isRecursive: Bool
    var body: Block
    var otherwise: Block
    var conditionScope = ScopePlan()
}

struct Macro: Sendable {
    let name: String
    let parameters: [Parameter]
    var block: Block
    /// Which of the special names `caller`, `kwargs` and `varargs` the body reads.
    var specialNames: Set<String> = []

    struct Parameter: Sendable {
        let name: String
        let defaultValue: Expression?
    }
}
