extension Value {
    /// What `value.name` gives: a method or attribute, else the item of that name, else nothing.
    func attribute(_ name: String) throws(Fault) -> Value {
        if case .undefined(let undefined) = self { throw undefined.fault }
        if let attribute = try ownAttribute(name) { return attribute }
        return try item(of: .text(name)) ?? missing("attribute", name)
    }

    /// What `value[key]` gives: the item, else the method or attribute of that name, else nothing.
    func subscripted(_ key: Value) throws(Fault) -> Value {
        if case .undefined(let undefined) = self { throw undefined.fault }
        if let item = try item(of: key) { return item }
        if case .string(let text) = key {
            return try ownAttribute(text.string) ?? missing("attribute", text.string)
        }
        return .because("a value of type '\(typeName)' has no element \(try key.represented())")
    }

    private func missing(_ what: String, _ name: String) -> Value {
        .because("a value of type '\(typeName)' has no \(what) '\(name)'")
    }

    private func ownAttribute(_ name: String) throws(Fault) -> Value? {
        if name.hasPrefix("__"), name.hasSuffix("__") { return nil }
        switch self {
        case .string(let text): return StringMethods.method(name, of: text).map(Value.object)
        case .dictionary(let dictionary):
            return try ContainerMethods.method(name, of: dictionary, self)
        case .list(let list): return ContainerMethods.method(name, of: list)
        case .tuple(let tuple):
            if let position = tuple.names.firstIndex(of: name) { return tuple.elements[position] }
            return ContainerMethods.method(name, of: tuple)
        case .range(let range):
            switch name {
            case "start": return .integer(range.start)
            case "stop": return .integer(range.stop)
            case "step": return .integer(range.step)
            default: return nil
            }
        case .object(let object): return try object.attribute(name)
        default: return nil
        }
    }

    /// The item of a key or index, nil where there is none.
    private func item(of key: Value) throws(Fault) -> Value? {
        switch self {
        case .dictionary(let dictionary):
            switch key {
            // What cannot be a key is in no dictionary.
            case .list, .dictionary, .view: return nil
            default: return try dictionary.value(key)
            }
        case .list(let list): return Self.element(of: list.elements, key.wholeNumber)
        case .tuple(let tuple): return Self.element(of: tuple.elements, key.wholeNumber)
        case .range(let range):
            guard let index = key.wholeNumber else { return nil }
            let position = index < 0 ? index + range.count : index
            return (0..<range.count).contains(position) ? range[position] : nil
        case .string(let text):
            guard let index = key.wholeNumber else { return nil }
            let scalars = text.string.unicodeScalars
            let position = index < 0 ? index + scalars.count : index
            guard position >= 0,
                let place = scalars.index(scalars.startIndex, offsetBy: position, limitedBy: scalars.endIndex),
                place < scalars.endIndex
            else { return nil }
            return .string(Text(String(scalars[place]), isMarkup: text.isMarkup))
        case .object(let object): return try object.item(key)
        default: return nil
        }
    }

    private static func element(of elements: [Value], _ index: Int?) -> Value? {
        guard let index else { return nil }
        let position = index < 0 ? index + elements.count : index
        return elements.indices.contains(position) ? elements[position] : nil
    }

    /// What `value[start:stop:step]` gives.
    func sliced(_ start: Value, _ stop: Value, _ step: Value) throws(Fault) -> Value {
        if case .undefined(let undefined) = self { throw undefined.fault }
        guard [start, stop, step].allSatisfy({ $0.isNone || $0.wholeNumber != nil }) else {
            throw .evaluation("the bounds of a slice must be integers or none")
        }
        let bounds = (start.wholeNumber, stop.wholeNumber, step.wholeNumber ?? 1)
        switch self {
        case .string(let text):
            let scalars = Array(text.string.unicodeScalars)
            let picked = try Self.slice(scalars.count, bounds).map { scalars[$0] }
            return .string(Text(String(scalars: picked), isMarkup: text.isMarkup))
        case .list(let list): return try .list(of: Self.slice(list.elements.count, bounds).map { list.elements[$0] })
        case .tuple(let tuple):
            return try .tuple(of: Self.slice(tuple.elements.count, bounds).map { tuple.elements[$0] })
        case .range(let range):
            let (first, end, _) = try Self.bounds(range.count, bounds)
            let (product, overflows) = range.step.multipliedReportingOverflow(by: bounds.2)
            guard !overflows else { throw .unsupported("an integer beyond 64 bits") }
            let start = range.start + first * range.step
            return .range(ValueRange(start: start, stop: range.start + end * range.step, step: product))
        default: throw .evaluation("a value of type '\(typeName)' has no slices")
        }
    }

    private static func slice(_ count: Int, _ bounds: (Int?, Int?, Int)) throws(Fault) -> StrideTo<Int> {
        let (start, stop, step) = try self.bounds(count, bounds)
        return stride(from: start, to: stop, by: step)
    }

    /// Python's rules for bounds that are left out, negative or beyond the ends.
    private static func bounds(_ count: Int, _ bounds: (Int?, Int?, Int)) throws(Fault) -> (Int, Int, Int) {
        let (start, stop, step) = bounds
        guard step != 0 else { throw .evaluation("a slice cannot have the step 0") }
        let (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1)
        func place(_ bound: Int?, default defaultPlace: Int) -> Int {
            guard let bound else { return defaultPlace }
            return bound < 0 ? max(bound + count, lowest) : min(bound, highest)
        }
        // A step beyond the length is as good as the length, and cannot overflow.
        let limit = max(1, count)
        return (
            place(start, default: step > 0 ? lowest : highest), place(stop, default: step > 0 ? highest : lowest),
            max(-limit, min(limit, step))
        )
    }
}
