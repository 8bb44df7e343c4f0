import Testing

@testable import Tokenizers

@Suite("Cache of pieces")
struct PieceCacheTests {
    private func key(_ text: String) -> PieceCache.Key? {
        Array(text.utf8).withUnsafeBufferPointer { PieceCache.key($0) }
    }

    private func ids(_ text: String, in cache: PieceCache) throws -> [Int]? {
        var ids: [Int] = [7]
        return cache.append(try #require(key(text)), to: &ids) ? Array(ids.dropFirst()) : nil
    }

    @Test("only short pieces have keys, and different bytes have different ones")
    func keys() {
        #expect(key("") == nil)
        #expect(key("seventeen letters") == nil)
        #expect(key("sixteen letters!") != nil)
        let texts = ["a", "a\0", "\0a", "\0", "\0\0", "ab", "abcdefgh", "abcdefgh\0", "abcdefghi"]
        for (index, text) in texts.enumerated() {
            for other in texts[..<index] { #expect(key(text) != key(other)) }
        }
    }

    @Test("ids come back as they were, few as well as one; many and none are not kept")
    func values() throws {
        var cache = PieceCache()
        #expect(try ids("word", in: cache) == nil)
        for kept in [[5], [5, 6], [1, 2, 3, 4, 5]] {
            cache.insert(try #require(key("word")), kept[...])
            #expect(try ids("word", in: cache) == kept)
        }
        for refused in [[], [1, 2, 3, 4, 5, 6]] {
            cache.insert(try #require(key("other")), refused[...])
            #expect(try ids("other", in: cache) == nil)
        }
    }

    @Test("whatever is forgotten, what is answered belongs to the piece")
    func collisions() throws {
        var cache = PieceCache()
        for number in 0..<100_000 { cache.insert(try #require(key("\(number)")), [number][...]) }
        var found = 0
        for number in 0..<100_000 {
            guard let ids = try ids("\(number)", in: cache) else { continue }
            #expect(ids == [number])
            found += 1
        }
        #expect(found > 20_000)
    }
}
