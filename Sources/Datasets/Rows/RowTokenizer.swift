import ChatTemplates
import JSONText
import Tokenizers

/// Makes tokens of texts and messages, so that a prompt has the same tokens in training as in sampling.
///
/// - A prompt of text is put into the input template, if there is one, and is tokenised by itself, with what the tokenizer puts in front of
///   a text (its beginning of sequence) and without what it puts behind; a beginning that the text spells out is not repeated.
/// - Messages are rendered by the chat template up to where the assistant's answer begins, and tokenised with nothing added.
/// - A response is tokenised behind its prompt, without the newlines at its end: its tokens are those of the whole text after the prompt's.
///   Where a token would span the boundary, the response is tokenised apart.
/// - The end of sequence is appended to a response that does not end with it.
struct RowTokenizer: Sendable {
    private let tokenizer: Tokenizer?
    private let inputTemplate: InputTemplate?
    private let renderer: RowRenderer
    /// The special tokens that the tokenizer puts in front of a text.
    private let beginning: [Int]

    init(tokenizer: Tokenizer?, chatTemplate: String?, inputTemplate: InputTemplate?) {
        self.tokenizer = tokenizer
        self.inputTemplate = inputTemplate
        renderer = RowRenderer(tokenizer: tokenizer, chatTemplate: chatTemplate)
        beginning = tokenizer.map(Self.beginning) ?? []
    }

    var endOfSequence: Int? { tokenizer?.endOfSequence }

    /// Finds what stands in front of the tokens of a text when special tokens are asked for.
    static func beginning(of tokenizer: Tokenizer) -> [Int] {
        let plain = tokenizer.encode("a", addSpecialTokens: false)
        let framed = tokenizer.encode("a", addSpecialTokens: true)
        let start = framed.indices.first { framed[$0...].starts(with: plain) } ?? 0
        return Array(framed[..<start])
    }

    /// A prompt: its text and its ids.
    struct Prompt {
        let text: String
        let ids: [Int]
        /// The ids of the text alone.
        fileprivate let bareIDs: [Int]
    }

    /// The ids of a response, and whether they had to be made apart from the prompt.
    struct Response {
        let ids: [Int]
        let isTokenizedApart: Bool
        let isEmpty: Bool
    }

    /// A conversation: what stands in front of all that is learned, and the rest, of which marks may leave out some.
    struct Conversation {
        let promptIDs: [Int]
        let response: Response
        let isLearned: [Bool]?
    }

    func prompt(_ passage: Passage, _ row: DatasetRow) throws(DatasetError) -> Prompt {
        switch passage {
        case .text(let text):
            let text = inputTemplate?.filled(with: text) ?? text
            return prompt(text, try tokenizer(for: row), beginning: beginning)
        case .messages(let messages):
            let text = try renderer.text(messages, addsGenerationPrompt: true, row)
            return prompt(text, try tokenizer(for: row), beginning: [])
        }
    }

    private func prompt(_ text: String, _ tokenizer: Tokenizer, beginning: [Int]) -> Prompt {
        let bare = tokenizer.encode(text, addSpecialTokens: false)
        return Prompt(text: text, ids: bare.starts(with: beginning) ? bare : beginning + bare, bareIDs: bare)
    }

    /// A text that is learned as a whole.
    func wholeText(_ text: String, _ row: DatasetRow) throws(DatasetError) -> Response {
        let tokenizer = try tokenizer(for: row)
        let text = text.withoutTrailingNewlines
        let ids = prompt(text, tokenizer, beginning: beginning).ids
        return Response(ids: terminated(ids), isTokenizedApart: false, isEmpty: text.isEmpty)
    }

    /// The response in text to a prompt.
    func response(_ text: String, to prompt: Prompt, _ row: DatasetRow) throws(DatasetError) -> Response {
        let tokenizer = try tokenizer(for: row)
        let text = text.withoutTrailingNewlines
        let whole = tokenizer.encode(prompt.text + text, addSpecialTokens: false)
        if whole.starts(with: prompt.bareIDs) {
            let ids = Array(whole[prompt.bareIDs.count...])
            return Response(ids: terminated(ids), isTokenizedApart: false, isEmpty: text.isEmpty)
        }
        let ids = idsApart(of: text, behind: prompt.bareIDs, whole: whole, tokenizer)
        return Response(ids: terminated(ids), isTokenizedApart: true, isEmpty: text.isEmpty)
    }

    /// The response in messages to a prompt of the given messages.
    func response(
        _ messages: [JSON],
        to prompt: Prompt,
        _ promptMessages: [JSON],
        _ row: DatasetRow
    ) throws(DatasetError) -> Response {
        let text = try renderer.text(promptMessages + messages, addsGenerationPrompt: false, row)
        guard text.utf8.starts(with: prompt.text.utf8), let rest = String(text.utf8.dropFirst(prompt.text.utf8.count))
        else {
            throw row.error(
                .cannotRender(
                    "the chat template does not begin the whole conversation with what it makes of the prompt, so the"
                        + " response cannot be told apart"
                )
            )
        }
        let response = try response(rest, to: prompt, row)
        let isEmpty = messages.allSatisfy { $0["content"]?.string?.isBlank ?? true }
        return Response(ids: response.ids, isTokenizedApart: response.isTokenizedApart, isEmpty: isEmpty)
    }

    /// The ids of a conversation with what of it is learned: the assistant's stretches where the template marks them, else the last answer.
    func conversation(_ messages: [JSON], _ row: DatasetRow) throws(DatasetError) -> Conversation {
        guard try renderer.marksGenerations(row) else {
            let prompt = try prompt(.messages(messages.dropLast()), row)
            let response = try response(messages.suffix(1), to: prompt, messages.dropLast(), row)
            return Conversation(promptIDs: prompt.ids, response: response, isLearned: nil)
        }
        let rendering = try renderer.marked(messages, row)
        let ids = try tokenizer(for: row).encode(rendering.text, addSpecialTokens: false)
        let isLearned = try marks(of: ids, rendering, row)
        guard let first = isLearned.firstIndex(of: true), let last = isLearned.lastIndex(of: true) else {
            throw row.error(.cannotRender("the chat template marks nothing of the conversation as the assistant's"))
        }
        // Nothing behind the last of them is ever looked at.
        let marks = Array(isLearned[first...last])
        return Conversation(
            promptIDs: Array(ids[..<first]),
            response: Response(ids: Array(ids[first...last]), isTokenizedApart: false, isEmpty: false),
            isLearned: marks.allSatisfy(\.self) ? nil : marks
        )
    }

    /// Which ids stand, in whole or in part, for text in the marked stretches.
    private func marks(
        of ids: [Int],
        _ rendering: ChatTemplate.Rendering,
        _ row: DatasetRow
    ) throws(DatasetError) -> [Bool] {
        var decoder = try tokenizer(for: row).makeStreamingDecoder()
        let text = Array(rendering.text.utf8)
        var end = 0
        var isSpelled = true
        var ends: [Int] = []
        for id in ids {
            isSpelled = isSpelled && Self.spell(decoder.append(id), of: text, &end)
            ends.append(end)
        }
        guard isSpelled, Self.spell(decoder.finish(), of: text, &end), end == text.count else {
            throw row.error(
                .cannotRender(
                    "the tokenizer does not give the conversation's text back, so that the stretches that the chat template marks"
                        + " as the assistant's cannot be found among the tokens"
                )
            )
        }
        var start = 0
        return ends.map { end in
            defer { start = end }
            return rendering.generations.contains { $0.contains(start) || $0.overlaps(start..<end) }
        }
    }

    /// Whether a text goes on with a piece, behind which `place` stands then.
    ///
    /// Tokenizers in the manner of SentencePiece put a space in front of a text and behind each special token; decoding gives it back
    /// although the text has none there.
    private static func spell(_ piece: String, of text: [UInt8], _ place: inout Int) -> Bool {
        var piece = Array(piece.utf8)[...]
        if !text[place...].starts(with: piece), piece.first == UInt8(ascii: " ") { piece.removeFirst() }
        guard text[place...].starts(with: piece) else { return false }
        place += piece.count
        return true
    }

    /// The ids of a text that stands behind others, without the space that some tokenizers put in front of any text.
    ///
    /// Several beginnings are tried in front of the text, and cut off again, until the pieces put together spell the whole.
    private func idsApart(of text: String, behind prompt: [Int], whole: [Int], _ tokenizer: Tokenizer) -> [Int] {
        let spelled = tokenizer.decode(whole)
        for anchor in ["", "\n", ".", "a"] {
            let front = tokenizer.encode(anchor, addSpecialTokens: false)
            let ids = tokenizer.encode(anchor + text, addSpecialTokens: false)
            guard ids.starts(with: front) else { continue }
            let rest = Array(ids[front.count...])
            if tokenizer.decode(prompt + rest) == spelled { return rest }
        }
        return tokenizer.encode(text, addSpecialTokens: false)
    }

    private func terminated(_ ids: [Int]) -> [Int] {
        guard let endOfSequence, ids.last != endOfSequence else { return ids }
        return ids + [endOfSequence]
    }

    private func tokenizer(for row: DatasetRow) throws(DatasetError) -> Tokenizer {
        guard let tokenizer else { throw row.error(.cannotRender("the row holds text, and there is no tokenizer")) }
        return tokenizer
    }
}

extension String {
    fileprivate var withoutTrailingNewlines: String {
        var scalars = unicodeScalars[...]
        while scalars.last == "\n" { scalars.removeLast() }
        return String(scalars)
    }
}
