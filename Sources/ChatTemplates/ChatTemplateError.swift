/// Why a chat template cannot be read or rendered, and where in it.
public struct ChatTemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The line of the template, counted from 1.
    public let line: Int
    /// The column of the line in Unicode scalars, counted from 1.
    public let column: Int
    /// What is wrong.
    public let problem: Problem

    /// The problems there are.
    public enum Problem: Equatable, Sendable {
        /// The text is no template.
        case syntax(String)
        /// The template uses what is not supported here, by name.
        case unsupported(String)
        /// The template refused the conversation by its own `raise_exception`.
        case raised(String)
        /// An expression has no value, for instance because a message lacks its role.
        case evaluation(String)
        /// The template does more than any template has to.
        case limit(String)
    }

    /// One sentence: where, what, and what to do where that is known.
    public var description: String {
        let place = "chat template, line \(line), column \(column): "
        return switch problem {
        case .syntax(let reason), .evaluation(let reason): place + reason
        case .unsupported(let construct):
            place + "\(construct) is not supported; --chat-template takes another template"
        case .raised(let message): "the chat template refuses the conversation: \(message)"
        case .limit(let reason): place + "\(reason), so it may never end"
        }
    }
}

/// A problem on its way from where it arose to the expression that knows its place.
struct Fault: Error {
    let problem: ChatTemplateError.Problem
    /// The scalar of the template at which the expression stands, once one has been passed.
    var position: Int?

    /// What Python calls a `TypeError`, `ValueError` or the like.
    static func evaluation(_ reason: String) -> Fault { Fault(problem: .evaluation(reason)) }
    static func unsupported(_ construct: String) -> Fault { Fault(problem: .unsupported(construct)) }
    static func limit(_ reason: String) -> Fault { Fault(problem: .limit(reason)) }

    func at(_ position: Int) -> Fault {
        Fault(problem: problem, position: self.position ?? position)
    }
}

extension ChatTemplateError {
    /// Finds line and column of a fault in the template's scalars.
    init(_ fault: Fault, in source: [Unicode.Scalar]) {
        let front = source.prefix(fault.position ?? 0)
        let lineStart = front.lastIndex(of: "\n").map { $0 + 1 } ?? 0
        line = front.count { $0 == "\n" } + 1
        column = front.count - lineStart + 1
        problem = fault.problem
    }
}
