/// The values that a function, filter or test is called with.
struct Arguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    /// The values of parameters by their order, nil for those that are not given.
    ///
    /// - Parameters:
    ///   - parameters: The names; one that begins with `/` cannot be given by name.
    ///   - required: How many must be given.
    ///   - name: The function's, for errors.
    func bound(to parameters: [String], required: Int = 0, of name: String) throws(Fault) -> [Value?] {
        guard positional.count <= parameters.count else {
            throw .evaluation("'\(name)' takes \(parameters.count) arguments at most, but is given \(positional.count)")
        }
        var values: [Value?] = positional + Array(repeating: nil, count: parameters.count - positional.count)
        for (argument, value) in named {
            guard let position = parameters.firstIndex(of: argument) else {
                throw .evaluation("'\(name)' takes no argument named '\(argument)'")
            }
            guard values[position] == nil else { throw .evaluation("'\(name)' is given '\(argument)' twice") }
            values[position] = value
        }
        for (position, parameter) in parameters.prefix(required).enumerated() where values[position] == nil {
            throw .evaluation("'\(name)' needs the argument '\(parameter.drop { $0 == "/" })'")
        }
        return values
    }
}

extension Optional {
    /// The value, or else what `other` gives.
    func or(_ other: () throws(Fault) -> Wrapped) throws(Fault) -> Wrapped {
        if let self { return self }
        return try other()
    }
}
