extension Value {
    /// Python's truth of a value.
    func isTrue() throws(Fault) -> Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .float(let value): value != 0
        case .string(let text): !text.string.isEmpty
        case .list(let list): !list.elements.isEmpty
        case .tuple(let tuple): !tuple.elements.isEmpty
        case .dictionary(let dictionary): dictionary.count > 0
        case .view(let view): view.dictionary.count > 0
        case .range(let range): range.count > 0
        case .iterator: true
        case .object(let object): object is LoopState ? try object.count() > 0 : true
        }
    }

    /// Whether Python's `==` holds.
    func equals(_ other: Value) throws(Fault) -> Bool {
        if let (left, right) = Numbers(self, other)?.integers { return left == right }
        if let (left, right) = Numbers(self, other)?.floats { return left == right }
        switch (self, other) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let left), .string(let right)): return left.string.hasSameScalars(as: right.string)
        case (.list(let left), .list(let right)): return try Self.equal(left.elements, right.elements)
        case (.tuple(let left), .tuple(let right)): return try Self.equal(left.elements, right.elements)
        case (.dictionary(let left), .dictionary(let right)):
            guard left.count == right.count else { return false }
            for (key, value) in zip(left.keys, left.values) {
                guard let other = try right.value(key), try value.equals(other) else { return false }
            }
            return true
        case (.range(let left), .range(let right)):
            return left.count == right.count
                && (left.count == 0 || left.start == right.start && (left.count == 1 || left.step == right.step))
        case (.iterator(let left), .iterator(let right)): return left === right
        case (.object(let left), .object(let right)): return left === right
        case (.view(let left), .view(let right)):
            if left.part == .values || right.part == .values { return false }
            return try Self.sameMembers(left.elements(), right.elements())
        default: return false
        }
    }

    private static func equal(_ left: [Value], _ right: [Value]) throws(Fault) -> Bool {
        guard left.count == right.count else { return false }
        for (left, right) in zip(left, right) where try !left.equals(right) { return false }
        return true
    }

    private static func sameMembers(_ left: [Value], _ right: [Value]) throws(Fault) -> Bool {
        guard left.count == right.count else { return false }
        for element in left where try !Value.list(of: right).contains(element) { return false }
        return true
    }

    /// Whether Python's `<` holds.
    func isLess(than other: Value) throws(Fault) -> Bool { try isOrdered(.less, other) }

    /// Whether one of Python's comparisons of order holds.
    func isOrdered(_ order: ComparisonOperator, _ other: Value) throws(Fault) -> Bool {
        if let (left, right) = Numbers(self, other)?.integers { return order.holds(left, right) }
        if let (left, right) = Numbers(self, other)?.floats { return order.holds(left, right) }
        switch (self, other) {
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw undefined.fault
        case (.string(let left), .string(let right)):
            return order.holds(left.string.scalarOrder(relativeTo: right.string), 0)
        case (.list(let left), .list(let right)):
            return try Self.areOrdered(order, left.elements, right.elements)
        case (.tuple(let left), .tuple(let right)):
            return try Self.areOrdered(order, left.elements, right.elements)
        default:
            throw .evaluation(
                "'\(order.rawValue)' cannot compare a value of type '\(typeName)' with one of type '\(other.typeName)'"
            )
        }
    }

    private static func areOrdered(
        _ order: ComparisonOperator,
        _ left: [Value],
        _ right: [Value]
    ) throws(Fault) -> Bool {
        for (left, right) in zip(left, right) where try !left.equals(right) { return try left.isOrdered(order, right) }
        return order.holds(left.count, right.count)
    }

    /// Whether Python's `in` holds, with the element on its left.
    func contains(_ element: Value) throws(Fault) -> Bool {
        switch self {
        case .string(let text):
            guard case .string(let part) = element else {
                throw .evaluation("'in' looks for a string in a string, not for a value of type '\(element.typeName)'")
            }
            return part.string.isEmpty || text.string.firstRange(of: part.string) != nil
        case .dictionary(let dictionary): return try dictionary.value(element) != nil
        case .view(let view) where view.part == .keys: return try view.dictionary.value(element) != nil
        default:
            let iterator = try iterator()
            while let next = try iterator.next() { if try next.equals(element) { return true } }
            return false
        }
    }

    /// Whether Python's `is` holds, as far as templates can tell.
    func isSame(as other: Value) throws(Fault) -> Bool {
        switch (self, other) {
        case (.bool(let left), .bool(let right)): return left == right
        case (.bool, _), (_, .bool): return false
        case (.list(let left), .list(let right)): return left === right
        case (.tuple(let left), .tuple(let right)):
            return left === right || left.elements.isEmpty && right.elements.isEmpty
        case (.dictionary(let left), .dictionary(let right)): return left === right
        case (.undefined, .undefined): return false
        default: return typeName == other.typeName ? try equals(other) : false
        }
    }
}

/// Two numbers as Python compares and adds them: as integers where both are, else as floating-point numbers.
struct Numbers {
    let integers: (Int, Int)?
    let floats: (Double, Double)

    init?(_ left: Value, _ right: Value) {
        guard let leftNumber = left.number, let rightNumber = right.number else { return nil }
        floats = (leftNumber, rightNumber)
        if let left = left.wholeNumber, let right = right.wholeNumber {
            integers = (left, right)
        } else {
            integers = nil
        }
    }
}

extension Value {
    /// The integer, where this is one or a truth value.
    var wholeNumber: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    var number: Double? { if case .float(let value) = self { value } else { wholeNumber.map(Double.init) } }
}

extension ComparisonOperator {
    func holds<Number: Comparable>(_ left: Number, _ right: Number) -> Bool {
        switch self {
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .equal: left == right
        case .notEqual: left != right
        case .isIn, .isNotIn: false
        }
    }
}

extension String {
    /// Negative, zero or positive as this text comes before, is, or comes after another by its characters' numbers.
    fileprivate func scalarOrder(relativeTo other: String) -> Int {
        // The order of UTF-8's bytes is that of the characters' numbers.
        if utf8.elementsEqual(other.utf8) { return 0 }
        return utf8.lexicographicallyPrecedes(other.utf8) ? -1 : 1
    }
}
