import Tokenizers

/// Why an answer ends.
public enum FinishReason: String, Sendable {
    /// A stop token or a stop text came.
    case stop
    /// As many tokens came as were asked for, or as the context holds.
    case length
}

/// The text of one choice while its tokens come: whole characters, without stop texts and special tokens.
public struct ChoiceText: Sendable {
    /// A part of an answer: text, and the tokens that spell it.
    public struct Piece: Sendable {
        /// The text, which may be empty.
        public var text = ""
        /// Tokens whose text is certain now, each with the number of characters in front of it.
        public var tokens: [(token: SampledToken, offset: Int)] = []
    }

    /// Why it is over; nil while it is not.
    public private(set) var finish: FinishReason?
    /// How many tokens were sampled, a stop token included.
    public private(set) var tokenCount = 0

    private let stopTokens: Set<Int>
    private let scoresStopToken: Bool
    private var decoder: StreamingDecoder
    private var filter: StopFilter
    /// Bytes and characters that were decoded, and bytes that were handed out.
    private var decodedBytes = 0
    private var decodedCharacters = 0
    private var sentBytes = 0
    private var pending: [(token: SampledToken, offset: Int, start: Int)] = []

    /// The text behind a prompt: of a first token that spells a space, the space is part of it.
    ///
    /// - Parameter scoresStopToken: whether a stop token, which is never part of the text, is among the tokens
    public init(
        _ tokenizer: Tokenizer,
        behind prompt: [Int],
        stops: [String],
        stopTokens: Set<Int>,
        scoresStopToken: Bool = false
    ) {
        self.stopTokens = stopTokens
        self.scoresStopToken = scoresStopToken
        filter = StopFilter(stops)
        decoder = tokenizer.makeStreamingDecoder(skipSpecialTokens: true)
        for id in prompt { _ = decoder.append(id) }
    }

    /// Takes the next token; nothing comes of it once the text is over.
    public mutating func take(_ token: SampledToken) -> Piece {
        guard finish == nil else { return Piece() }
        tokenCount += 1
        // It ends the answer and is no part of its text, even where the tokenizer does not call it special.
        if stopTokens.contains(token.id) {
            if scoresStopToken { pending.append((token, decodedCharacters, decodedBytes)) }
            return Piece()
        }
        pending.append((token, decodedCharacters, decodedBytes))
        return pass(decoder.append(token.id))
    }

    /// Hands out the rest, as no token follows.
    public mutating func end(isStop: Bool) -> Piece {
        guard finish == nil else { return Piece() }
        var piece = pass(decoder.finish())
        guard finish == nil else { return piece }
        finish = isStop ? .stop : .length
        piece.text += String(decoding: filter.finish(), as: UTF8.self)
        piece.tokens += pending.map { ($0.token, $0.offset) }
        pending = []
        return piece
    }

    private mutating func pass(_ text: String) -> Piece {
        decodedBytes += text.utf8.count
        decodedCharacters += text.unicodeScalars.count
        let bytes = filter.take(text.utf8)
        sentBytes += bytes.count
        if filter.isStopped { finish = .stop }
        // A token goes out with the end of its text; of those that reach into a stop, the ones that begin before it.
        let count =
            filter.isStopped
            ? pending.count { $0.start < sentBytes }
            : pending.indices.count { end(of: $0) <= sentBytes }
        let tokens = pending.prefix(count).map { ($0.token, $0.offset) }
        pending.removeFirst(count)
        return Piece(text: String(decoding: bytes, as: UTF8.self), tokens: tokens)
    }

    /// Where the text of a pending token ends.
    private func end(of place: Int) -> Int { place + 1 < pending.count ? pending[place + 1].start : decodedBytes }
}
