/// What a loop knows of itself, under the name `loop`.
final class LoopState: TemplateObject {
    private(set) var nesting: Int
    private let source: ValueIterator
    private var knownCount: Int?
    private let depth: Int
    private let recursion: ((Value, Int) throws(Fault) -> Value)?
    private var index = -1
    private var previous: Value?
    private var current: Value?
    /// The elements that were taken from the iterator ahead of their turn.
    private var ahead: [Value] = []
    private var lastChange: [Value]?
    /// Whether the loop has ended: then it holds nothing, so that loops cannot hold each other without end.
    private var isOver = false

    /// Prepares to go through a sequence.
    ///
    /// - Parameters:
    ///   - depth: How many loops have called each other, from 0.
    ///   - recursion: What `loop(…)` does in a recursive loop.
    init(
        over sequence: Value,
        filter: ((ValueIterator) -> ValueIterator)?,
        depth: Int,
        recursion: ((Value, Int) throws(Fault) -> Value)?
    ) throws(Fault) {
        nesting = try [sequence].nesting()
        let iterator = try sequence.iterator()
        source = filter?(iterator) ?? iterator
        knownCount = filter == nil ? try sequence.count() : nil
        self.depth = depth
        self.recursion = recursion
    }

    func next() throws(Fault) -> Value? {
        let next = ahead.isEmpty ? try source.next() : ahead.removeFirst()
        guard let next else { return nil }
        nesting = try max(nesting, [next].nesting())
        index += 1
        previous = current
        current = next
        return next
    }

    /// Says that the loop has ended, after its last element or before.
    func end() {
        isOver = true
        (previous, current, lastChange) = (nil, nil, nil)
        ahead.removeAll()
    }

    private func following() throws(Fault) -> Value? {
        if isOver { return nil }
        if ahead.isEmpty, let next = try source.next() { ahead.append(next) }
        return ahead.first
    }

    func count() throws(Fault) -> Int {
        if let knownCount { return knownCount }
        if isOver { return index + 1 }
        while let next = try source.next() {
            ahead.append(next)
            try Limits.check(elements: ahead.count)
        }
        knownCount = index + 1 + ahead.count
        return index + 1 + ahead.count
    }

    var typeName: String { "LoopContext" }

    func text(depth: Int) throws(Fault) -> String { "<LoopContext \(index + 1)/\(try count())>" }

    func attribute(_ name: String) throws(Fault) -> Value? {
        switch name {
        case "index": return .integer(index + 1)
        case "index0": return .integer(index)
        case "revindex": return .integer(try count() - index)
        case "revindex0": return .integer(try count() - index - 1)
        case "first": return .bool(index == 0)
        case "last": return .bool(try following() == nil)
        case "length": return .integer(try count())
        case "depth": return .integer(depth + 1)
        case "depth0": return .integer(depth)
        case "previtem": return index == 0 ? Value.because("there is no previous item") : previous
        case "nextitem": return try following() ?? Value.because("there is no next item")
        case "cycle":
            return .object(Function(name, nesting: nesting) { [self] arguments throws(Fault) in try cycle(arguments) })
        case "changed":
            return .object(
                Function(name, nesting: nesting) { [self] arguments throws(Fault) in try changed(arguments) }
            )
        default: return nil
        }
    }

    private func cycle(_ arguments: Arguments) throws(Fault) -> Value {
        guard !arguments.positional.isEmpty, arguments.named.isEmpty else {
            throw .evaluation("'loop.cycle' needs the values to choose from")
        }
        return arguments.positional[index % arguments.positional.count]
    }

    private func changed(_ arguments: Arguments) throws(Fault) -> Value {
        guard arguments.named.isEmpty else { throw .evaluation("'loop.changed' takes no named arguments") }
        let values = arguments.positional
        if isOver { return .bool(true) }
        if let lastChange, try Value.tuple(of: lastChange).equals(.tuple(of: values)) { return .bool(false) }
        nesting = try max(nesting, values.nesting())
        lastChange = values
        return .bool(true)
    }

    func iterator() throws(Fault) -> ValueIterator { throw .unsupported("going through 'loop' itself") }

    var isCallable: Bool { true }

    func call(_ arguments: Arguments) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["iterable"], required: 1, of: "loop")
        guard let recursion else { throw .evaluation("only a loop marked 'recursive' can be called") }
        return try recursion(values[0] ?? .none, depth + 1)
    }
}

extension Interpreter {
    func run(_ loop: Loop, _ scope: Scope) throws(Fault) -> Flow {
        let sequence = try value(loop.sequence, scope)
        guard loop.isRecursive else { return try run(loop, over: sequence, depth: 0, scope) }
        try write(try recurse(loop, over: sequence, depth: 0, scope))
        return .normal
    }

    private func recurse(_ loop: Loop, over sequence: Value, depth: Int, _ scope: Scope) throws(Fault) -> String {
        try calling { () throws(Fault) in
            try captured { () throws(Fault) in try run(loop, over: sequence, depth: depth, scope) }.text
        }
    }

    private func run(_ loop: Loop, over sequence: Value, depth: Int, _ scope: Scope) throws(Fault) -> Flow {
        let state = try state(of: loop, over: sequence, depth: depth, scope)
        defer { state.end() }
        var isEmpty = true
        while let element = try state.next() {
            try step()
            let inner = Scope(loop.body.scope, inside: scope, of: self)
            inner.set("loop", .object(state))
            try assign(element, to: loop.target, inner)
            let flow = try run(loop.body.body, inner)
            if flow == .breakLoop { break }
            // As in Jinja, a turn that is cut short does not count.
            if flow == .normal { isEmpty = false }
        }
        return isEmpty ? try run(loop.otherwise, inside: scope) : .normal
    }

    private func state(of loop: Loop, over sequence: Value, depth: Int, _ scope: Scope) throws(Fault) -> LoopState {
        var filter: ((ValueIterator) -> ValueIterator)?
        if let condition = loop.condition {
            filter = { [unowned self] iterator in
                ValueIterator { [unowned self] () throws(Fault) in
                    while let element = try iterator.next() {
                        let inner = Scope(loop.conditionScope, inside: scope, of: self)
                        try assign(element, to: loop.target, inner)
                        if try value(condition, inner).isTrue() { return element }
                    }
                    return nil
                }
            }
        }
        var recursion: ((Value, Int) throws(Fault) -> Value)?
        if loop.isRecursive {
            recursion = { [unowned self] (sequence, depth) throws(Fault) in
                .text(try recurse(loop, over: sequence, depth: depth, scope))
            }
        }
        return try LoopState(over: sequence, filter: filter, depth: depth, recursion: recursion)
    }
}
