/// An ordered list of members whose keys are unique and compared byte for byte.
///
/// Looking a key up takes constant time, however many members there are.
public struct JSONObject: Sendable {
    /// The members in the order in which they were written.
    public private(set) var members: [(key: String, value: JSON)] = []

    /// Positions in `members` by key, once a linear search would be slower.
    private var index: KeyIndex?

    private static let largestUnindexedCount = 8

    /// An object without members.
    public init() {}

    /// The number of members.
    public var count: Int { members.count }

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// The value of a key; setting replaces it in place, appends a new member, or removes the member with `nil`.
    public subscript(key: String) -> JSON? {
        get { position(of: key).map { members[$0].value } }
        set {
            if let newValue {
                _ = set(key: key, value: newValue)
            } else if let position = position(of: key) {
                members.remove(at: position)
                rebuildIndex()
            }
        }
    }

    /// Sets a key and says whether it was new; a repeated key keeps its place and takes the last value.
    mutating func set(key: String, value: JSON) -> Bool {
        let hash = index == nil ? 0 : KeyIndex.hash(key)
        if let position = position(of: key, hash: hash) {
            members[position].value = value
            return false
        }
        members.append((key, value))
        if index == nil {
            if members.count > Self.largestUnindexedCount { rebuildIndex() }
        } else {
            index?.insert(members.count - 1, hash: hash)
        }
        return true
    }

    private func position(of key: String) -> Int? {
        position(of: key, hash: index == nil ? 0 : KeyIndex.hash(key))
    }

    private func position(of key: String, hash: UInt32) -> Int? {
        guard let index else { return members.firstIndex { $0.key.hasSameBytes(as: key) } }
        return index.firstPosition(hash: hash) { members[$0].key.hasSameBytes(as: key) }
    }

    private mutating func rebuildIndex() {
        index = nil
        guard members.count > Self.largestUnindexedCount else { return }
        var index = KeyIndex()
        for (position, member) in members.enumerated() {
            index.insert(position, hash: KeyIndex.hash(member.key))
        }
        self.index = index
    }
}

extension JSONObject: Equatable {
    /// Equality of the members, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }
}

extension String {
    /// Whether both hold the same bytes; `==` would compare by canonical equivalence.
    func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return withBytes { mine in other.withBytes { mine.elementsEqual($0) } }
    }

    /// Calls `body` with the bytes in place where the string allows it, else with a copy.
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
        return Array(utf8).withUnsafeBufferPointer(body)
    }
}
