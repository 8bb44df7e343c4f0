/// A token that is found in the text itself, before the model sees it.
struct AddedToken: Sendable {
    let id: Int
    let content: String
    /// Whether it only counts where no word character touches it.
    let isSingleWord: Bool
    /// Whether it swallows the white space before it.
    let stripsLeft: Bool
    /// Whether it swallows the white space behind it.
    let stripsRight: Bool
    /// Whether it is looked for, normalised, in the normalised text rather than in the text as it came.
    let isNormalized: Bool
    /// Whether decoding may skip it.
    let isSpecial: Bool
    /// What it looks like where it is looked for, and what decoding makes of it.
    let spelling: [UInt8]

    init(_ setting: Setting, normalizer: (any Normalizer)?) throws(TokenizerError) {
        id = try setting.required("id").tokenID()
        content = try setting.required("content").string()
        isSingleWord = try setting.bool("single_word", default: false)
        stripsLeft = try setting.bool("lstrip", default: false)
        stripsRight = try setting.bool("rstrip", default: false)
        isSpecial = try setting.bool("special", default: false)
        isNormalized = try setting.bool("normalized", default: !isSpecial)
        var spelling = Array(content.utf8)
        if isNormalized { normalizer?.normalize(&spelling) }
        self.spelling = spelling
    }
}

/// The added tokens of a tokenizer and the search for them.
struct AddedTokens: Sendable {
    /// By id; the model's vocabulary may hold some of them too.
    let tokens: [Int: AddedToken]
    private let ids: [[UInt8]: Int]
    private let literal: AddedTokenSearch
    private let normalized: AddedTokenSearch

    /// A stretch of a text: an added token, or what lies between two.
    enum Stretch {
        case token(Int)
        case text(Range<Int>)
    }

    /// Reads the `added_tokens` of a `tokenizer.json`.
    init(_ setting: Setting?, model: any TokenModel, normalizer: (any Normalizer)?) throws(TokenizerError) {
        var tokens: [Int: AddedToken] = [:]
        var order: [Int] = []
        var ids: [[UInt8]: Int] = [:]
        for element in try setting?.elements() ?? [] {
            let token = try AddedToken(element, normalizer: normalizer)
            let content = Array(token.content.utf8)
            if content.isEmpty { continue }
            try Self.check(token, at: element, knownID: ids[content] ?? model.vocabulary.id(of: content))
            let knownContent =
                tokens[token.id].map { Array($0.content.utf8) } ?? model.vocabulary.token(token.id).map(Array.init)
            guard knownContent == nil || knownContent == content else {
                let other = String(decoding: knownContent ?? [], as: UTF8.self)
                throw element.invalid("gives \"\(token.content)\" the id \(token.id), which belongs to \"\(other)\"")
            }
            if tokens[token.id] == nil { order.append(token.id) }
            tokens[token.id] = token
            ids[content] = token.id
        }
        self.tokens = tokens
        self.ids = ids
        // Where normalisation makes two of them equal, special ones go first.
        let ordered = order.compactMap { tokens[$0] }
        let ranked = ordered.filter(\.isSpecial) + ordered.filter { !$0.isSpecial }
        literal = AddedTokenSearch(ranked.filter { !$0.isNormalized })
        normalized = AddedTokenSearch(ranked.filter(\.isNormalized))
    }

    private static func check(_ token: AddedToken, at place: Setting, knownID: Int?) throws(TokenizerError) {
        guard let knownID, knownID != token.id else { return }
        throw place.invalid("gives \"\(token.content)\" the id \(token.id), but it already has the id \(knownID)")
    }

    func id(of content: String) -> Int? { ids[Array(content.utf8)] }

    /// Cuts the text as it came at the added tokens that are not normalised.
    func cutOriginal(_ text: UnsafeBufferPointer<UInt8>, _ body: (Stretch) -> Void) { literal.cut(text, body) }

    /// Cuts a normalised text at the other added tokens.
    func cutNormalized(_ text: UnsafeBufferPointer<UInt8>, _ body: (Stretch) -> Void) { normalized.cut(text, body) }
}

/// A search for several added tokens at once.
private struct AddedTokenSearch: Sendable {
    private let tokens: [AddedToken]
    private let trie: TokenTrie

    init(_ tokens: [AddedToken]) {
        self.tokens = tokens
        trie = TokenTrie(tokens.map(\.spelling))
    }

    func cut(_ text: UnsafeBufferPointer<UInt8>, _ body: (AddedTokens.Stretch) -> Void) {
        var end = 0
        var position = 0
        while let match = trie.firstMatch(in: text, from: position) {
            position = match.range.upperBound
            let token = tokens[match.pattern]
            if token.isSingleWord, !WordBoundary.surrounds(match.range, in: text) { continue }
            var (start, stop) = (match.range.lowerBound, match.range.upperBound)
            if token.stripsLeft { start = max(WordBoundary.startOfSpace(before: start, in: text), end) }
            if token.stripsRight { stop = WordBoundary.endOfSpace(after: stop, in: text) }
            if end < start { body(.text(end..<start)) }
            body(.token(token.id))
            end = stop
        }
        if end < text.count { body(.text(end..<text.count)) }
    }
}
