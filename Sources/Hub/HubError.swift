/// Why a repository of a hub cannot be had.
public struct HubError: Error, Equatable, CustomStringConvertible {
    /// One sentence: what, where, what to do.
    public let description: String
    /// Whether what is in the cache may be used instead, since only asking failed.
    let allowsCache: Bool

    init(_ description: String, allowsCache: Bool = false) {
        self.description = description
        self.allowsCache = allowsCache
    }
}
