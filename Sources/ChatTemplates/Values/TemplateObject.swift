/// A value with behaviour of its own: a function, a macro, a namespace, what a loop knows of itself.
protocol TemplateObject: AnyObject {
    var typeName: String { get }
    /// How deep values stand inside each other in it; what a template can put in later does not count.
    var nesting: Int { get }
    /// What it prints as, inside so many other values.
    func text(depth: Int) throws(Fault) -> String
    func attribute(_ name: String) throws(Fault) -> Value?
    /// The item of a key, where it has items.
    func item(_ key: Value) throws(Fault) -> Value?
    var isCallable: Bool { get }
    func call(_ arguments: Arguments) throws(Fault) -> Value
    func count() throws(Fault) -> Int
    func iterator() throws(Fault) -> ValueIterator
}

extension TemplateObject {
    var nesting: Int { 0 }

    func text(depth: Int) throws(Fault) -> String { "<\(typeName)>" }

    func attribute(_ name: String) throws(Fault) -> Value? { nil }

    func item(_ key: Value) throws(Fault) -> Value? { nil }

    var isCallable: Bool { false }

    func call(_ arguments: Arguments) throws(Fault) -> Value {
        throw .evaluation("a value of type '\(typeName)' cannot be called")
    }

    func count() throws(Fault) -> Int { throw .evaluation("a value of type '\(typeName)' has no length") }

    func iterator() throws(Fault) -> ValueIterator {
        throw .evaluation("a value of type '\(typeName)' cannot be gone through")
    }
}

/// A function that templates can call.
final class Function: TemplateObject {
    let name: String
    let nesting: Int
    private let body: (Arguments) throws(Fault) -> Value

    /// - Parameter nesting: That of the value whose method it is.
    init(_ name: String, nesting: Int = 0, _ body: @escaping (Arguments) throws(Fault) -> Value) {
        self.name = name
        self.nesting = nesting
        self.body = body
    }

    var typeName: String { "function" }
    var isCallable: Bool { true }

    func text(depth: Int) throws(Fault) -> String { "<function \(name)>" }

    func call(_ arguments: Arguments) throws(Fault) -> Value { try body(arguments) }
}

/// What `namespace` gives: the only value that a template can change.
final class Namespace: TemplateObject {
    private var members: ValueDictionary.Builder

    init(_ members: ValueDictionary) { self.members = ValueDictionary.Builder(members) }

    var typeName: String { "TemplateNamespace" }

    /// A namespace may hold itself, and others without end.
    func text(depth: Int) throws(Fault) -> String {
        "<Namespace \(try Value.dictionary(members.dictionary()).represented(depth: depth))>"
    }

    func attribute(_ name: String) throws(Fault) -> Value? { try members.dictionary()[name] }

    func set(_ name: String, _ value: Value) throws(Fault) {
        guard !name.hasPrefix("_") else {
            throw .evaluation("a namespace cannot have the attribute '\(name)', which begins with an underscore")
        }
        members.setText(name, value)
    }

    /// Lets go of the members, among which may be the namespace itself.
    func clear() { members = ValueDictionary.Builder() }
}

/// What `cycler` gives: values that come again and again.
final class Cycler: TemplateObject {
    let nesting: Int
    private let items: [Value]
    private var position = 0

    init(_ items: [Value]) throws(Fault) {
        nesting = try items.nesting()
        self.items = items
    }

    var typeName: String { "Cycler" }

    func attribute(_ name: String) throws(Fault) -> Value? {
        switch name {
        case "current": return items[position]
        case "items": return try .tuple(of: items)
        case "pos": return .integer(position)
        case "next":
            return .object(
                Function(name, nesting: nesting) { [self] arguments throws(Fault) in
                    _ = try arguments.bound(to: [], of: name)
                    defer { position = (position + 1) % items.count }
                    return items[position]
                }
            )
        case "reset":
            return .object(
                Function(name, nesting: nesting) { [self] arguments throws(Fault) in
                    _ = try arguments.bound(to: [], of: name)
                    position = 0
                    return .none
                }
            )
        default: return nil
        }
    }
}

/// What `joiner` gives: nothing when first called, and a separator from then on.
final class Joiner: TemplateObject {
    let nesting: Int
    private let separator: Value
    private var wasUsed = false

    init(separator: Value) throws(Fault) {
        nesting = try [separator].nesting()
        self.separator = separator
    }

    var typeName: String { "Joiner" }
    var isCallable: Bool { true }

    func attribute(_ name: String) throws(Fault) -> Value? {
        switch name {
        case "sep": separator
        case "used": .bool(wasUsed)
        default: nil
        }
    }

    func call(_ arguments: Arguments) throws(Fault) -> Value {
        _ = try arguments.bound(to: [], of: "joiner")
        defer { wasUsed = true }
        return wasUsed ? separator : .text("")
    }
}
