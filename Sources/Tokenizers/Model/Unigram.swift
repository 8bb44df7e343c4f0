/// SentencePiece's unigram model: of all ways to cut a piece into tokens, the one with the highest sum of scores.
struct Unigram: TokenModel {
    let vocabulary: Vocabulary
    /// The score of each token, by id.
    private let scores: [Double]
    private let unknown: Int?
    /// What a character costs that no token spells.
    private let unknownScore: Double
    private let byteTokens: [UInt32?]
    private let trie: ByteTrie
    /// Whether sums of scores are rounded to single precision, which decides between ways that are as good.
    private let followsSentencePiece: Bool

    init(_ setting: Setting) throws(TokenizerError) {
        var vocabulary = Vocabulary()
        var scores: [Double] = []
        let pieces = try setting.required("vocab")
        for (id, element) in try pieces.elements().enumerated() {
            let pair = try element.array()
            guard pair.count == 2, let token = pair[0].string, let score = pair[1].number, score.isFinite else {
                throw element.mismatch("a token and its score")
            }
            guard vocabulary.insert(token, id: id) else {
                throw element.invalid("holds the token \"\(token)\", which an earlier element holds too")
            }
            scores.append(score)
        }
        var unknown: Int?
        if let id = setting["unk_id"] {
            unknown = try id.tokenID()
            guard let index = unknown, index < scores.count else { throw id.invalid("is no token of the vocabulary") }
        }
        guard unknown != nil else {
            throw setting.invalid("has no unk_id, so that a text with other characters than its tokens' has no ids")
        }
        self.vocabulary = vocabulary
        self.scores = scores
        self.unknown = unknown
        unknownScore = (scores.min() ?? 0) - 10
        let bytes = BytePairEncoding.byteTokens(vocabulary)
        byteTokens = try setting.bool("byte_fallback", default: false) ? bytes : []
        followsSentencePiece = try setting.bool("follows_sentencepiece", default: false)
        // SentencePiece itself never finds the tokens of bytes in a text that spells them out.
        let hidden = Set(followsSentencePiece ? bytes.compactMap { $0.map { Int($0) } } : [])
        var trie = ByteTrie()
        for id in scores.indices where !hidden.contains(id) {
            if let token = vocabulary.token(id) { trie.insert(token, id) }
        }
        self.trie = trie
    }

    func encode(_ text: PieceText, into ids: inout [Int]) {
        var lattice = UnigramLattice()
        text.bytes.withUnsafeBufferPointer { bytes in
            for piece in text.pieces {
                let piece = UnsafeBufferPointer(rebasing: bytes[piece])
                find(in: piece, &lattice)
                append(lattice.path(of: piece.count), of: piece, to: &ids)
            }
        }
    }

    /// Finds for each place of a piece the best token that ends there.
    private func find(in piece: UnsafeBufferPointer<UInt8>, _ lattice: inout UnigramLattice) {
        lattice.reset(piece.count)
        var start = 0
        while start < piece.count {
            let score = lattice.scores[start]
            let length = UTF8Text.lengthOfCharacter(startingWith: piece[start])
            var isSpelled = false
            trie.forEachPrefix(of: piece, from: start) { end, id in
                lattice.offer(id: id, from: start, to: end, score: sum(score, scores[id]))
                if end == start + length { isSpelled = true }
            }
            if !isSpelled, let unknown {
                lattice.offer(id: unknown, from: start, to: start + length, score: sum(score, unknownScore))
            }
            start += length
        }
    }

    private func sum(_ score: Double, _ other: Double) -> Double {
        followsSentencePiece ? Double(Float(score) + Float(other)) : score + other
    }

    private func append(
        _ path: [(id: Int, range: Range<Int>)],
        of piece: UnsafeBufferPointer<UInt8>,
        to ids: inout [Int]
    ) {
        var position = 0
        while position < path.count {
            guard path[position].id == unknown else {
                ids.append(path[position].id)
                position += 1
                continue
            }
            // A run of unknown characters is one token.
            let start = path[position].range.lowerBound
            while position < path.count, path[position].id == unknown { position += 1 }
            let run = UnsafeBufferPointer(rebasing: piece[start..<path[position - 1].range.upperBound])
            appendUnknown(run, to: &ids)
        }
    }

    private func appendUnknown(_ run: UnsafeBufferPointer<UInt8>, to ids: inout [Int]) {
        if let id = vocabulary.id(of: run) {
            ids.append(id)
            return
        }
        let bytes = byteTokens.isEmpty ? [] : run.compactMap { byteTokens[Int($0)] }
        if bytes.count == run.count {
            for id in bytes { ids.append(Int(id)) }
        } else if let unknown {
            ids.append(unknown)
        }
    }
}

/// The best way to each place of a piece.
private struct UnigramLattice {
    private(set) var scores: [Double] = []
    private var starts: [Int32] = []
    private var ids: [Int32] = []

    mutating func reset(_ count: Int) {
        scores.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        ids.removeAll(keepingCapacity: true)
        scores.append(contentsOf: repeatElement(0, count: count + 1))
        starts.append(contentsOf: repeatElement(-1, count: count + 1))
        ids.append(contentsOf: repeatElement(-1, count: count + 1))
    }

    /// Takes a token for the best one that ends at a place, unless another one is as good.
    mutating func offer(id: Int, from start: Int, to end: Int, score: Double) {
        guard starts[end] < 0 || score > scores[end] else { return }
        scores[end] = score
        starts[end] = Int32(start)
        ids[end] = Int32(id)
    }

    func path(of count: Int) -> [(id: Int, range: Range<Int>)] {
        var path: [(id: Int, range: Range<Int>)] = []
        var end = count
        while end > 0, starts[end] >= 0 {
            let start = Int(starts[end])
            path.append((Int(ids[end]), start..<end))
            end = start
        }
        return path.reversed()
    }
}
