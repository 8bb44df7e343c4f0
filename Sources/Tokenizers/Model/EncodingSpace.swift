import Synchronization

/// What encoding works with and keeps from text to text: memory for the merges of a word, and the words seen before.
struct EncodingSpace {
    var symbols = SymbolChain()
    var cache = PieceCache()
}

/// The working spaces of a tokenizer, as many as threads have encoded at the same time.
///
/// A thread borrows one for a whole text, so that no two threads share a cache and none waits for another.
final class EncodingSpaces: Sendable {
    private let free = Mutex<[EncodingSpace]>([])

    func borrow(_ body: (inout EncodingSpace) -> Void) {
        var space = free.withLock { $0.popLast() } ?? EncodingSpace()
        body(&space)
        free.withLock { [space] in $0.append(space) }
    }
}
