import JSONText

/// Typed reading of a configuration's members, with errors that name file, member, expected and found.
struct ConfigurationFields {
    let object: JSONObject
    let path: String

    init(_ object: JSONObject, path: String) {
        self.object = object
        self.path = path
    }

    /// The same with values for members that are not there at all.
    func filled(_ defaults: [String: JSON]) -> ConfigurationFields {
        var object = object
        for (key, value) in defaults where object[key] == nil { object[key] = value }
        return ConfigurationFields(object, path: path)
    }

    private func member(_ key: String) -> JSON? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    /// A whole number from 1 to a limit, which also holds for what stands in for a missing one.
    func size(
        _ key: String,
        default standard: Int? = nil,
        atMost limit: Int = Int(Int32.max)
    ) throws(ModelError) -> Int {
        guard let value = member(key) ?? standard.map(JSON.integer) else {
            throw ModelError(path, "\"\(key)\" is missing")
        }
        guard let size = value.integer, size > 0, size <= limit else {
            throw ModelError(path, "\"\(key)\" must be a whole number from 1 to \(limit), found \(value.serialized())")
        }
        return size
    }

    func number(_ key: String, default standard: Double? = nil) throws(ModelError) -> Double {
        guard let value = member(key) else {
            guard let standard else { throw ModelError(path, "\"\(key)\" is missing") }
            return standard
        }
        guard let number = value.number, number.isFinite else {
            throw ModelError(path, "\"\(key)\" must be a number, found \(value.serialized())")
        }
        return number
    }

    func text(_ key: String) throws(ModelError) -> String? {
        guard let value = member(key) else { return nil }
        guard let text = value.string else {
            throw ModelError(path, "\"\(key)\" must be a text, found \(value.serialized())")
        }
        return text
    }

    /// A list whose elements are all of one kind; nil if the member is missing.
    func list<Element>(_ key: String, _ element: (JSON) -> Element?) throws(ModelError) -> [Element]? {
        guard let value = member(key) else { return nil }
        guard let list = value.array?.compactMap(element), list.count == value.array?.count else {
            throw ModelError(path, "\"\(key)\" is not the list it must be, found \(value.serialized())")
        }
        return list
    }

    /// A nested object; nil if the member is missing.
    func nested(_ key: String) throws(ModelError) -> ConfigurationFields? {
        guard let value = member(key) else { return nil }
        guard let object = value.object else {
            throw ModelError(path, "\"\(key)\" must be an object, found \(value.serialized())")
        }
        return ConfigurationFields(object, path: path + ": " + key)
    }

    /// Whether the member is there and not null.
    func has(_ key: String) -> Bool { member(key) != nil }

    func positive(_ key: String, default standard: Double?) throws(ModelError) -> Double {
        let number = try number(key, default: standard)
        guard number > 0 else { throw ModelError(path, "\"\(key)\" must be greater than zero, found \(number)") }
        return number
    }

    func flag(_ key: String, default standard: Bool) throws(ModelError) -> Bool {
        guard let value = member(key) else { return standard }
        guard let flag = value.bool else {
            throw ModelError(path, "\"\(key)\" must be true or false, found \(value.serialized())")
        }
        return flag
    }

    /// One id or a list of ids; none if the member is missing.
    func ids(_ key: String) throws(ModelError) -> [Int] {
        guard let value = member(key) else { return [] }
        let ids = value.array.map { $0.compactMap(\.integer) } ?? value.integer.map { [$0] } ?? []
        guard !ids.isEmpty, ids.count == value.array?.count ?? 1, ids.allSatisfy({ $0 >= 0 }) else {
            throw ModelError(path, "\"\(key)\" must be a token id or a list of them, found \(value.serialized())")
        }
        return ids
    }
}
