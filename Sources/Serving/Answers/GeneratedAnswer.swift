import JSONText
import Tokenizers

/// Samples the orders of one request and writes the answer, whole or while it comes.
struct GeneratedAnswer {
    let head: AnswerHead
    let form: any AnswerForm
    let orders: [SampleOrder]
    let sampling: SamplingFields
    /// The text of each order's prompt where it stands in front of the answer.
    let echoes: [String]?

    /// Writes the answer.
    ///
    /// - Throws: ``APIError`` before anything was written where too many wait, and whatever the connection throws.
    func write(to responder: Responder) async throws {
        var choices = orders.map {
            ChoiceText(
                head.model.tokenizer,
                behind: $0.prompt,
                stops: sampling.stops,
                stopTokens: $0.stopTokens,
                scoresStopToken: form.scoresStopToken
            )
        }
        let samples = try head.model.engine.sample(orders)
        var isOpen = Set(orders.indices)
        // Whatever ends this, a client that left too: the engine works for nobody.
        defer { for place in isOpen { samples.leave(place) } }
        var pieces = orders.indices.map { echo(of: $0) }
        if sampling.streams {
            try await responder.beginStream()
            for place in orders.indices {
                if let opening = form.opening(place) { try await send(opening, responder) }
            }
        }
        for await (place, event) in samples.events {
            guard isOpen.contains(place) else { continue }
            let piece = take(event, of: place, &choices[place])
            pieces[place] += piece
            if choices[place].finish != nil {
                isOpen.remove(place)
                // A stop text is none of the engine's affairs.
                samples.leave(place)
            }
            if sampling.streams, isWorthSending(pieces[place], of: place) || choices[place].finish != nil {
                try await send(form.chunk(place, pieces[place], finish: choices[place].finish), responder)
                pieces[place] = ChoiceText.Piece()
            }
            if isOpen.isEmpty { break }
        }
        try Task.checkCancellation()
        guard isOpen.isEmpty else { throw APIError.stopping }
        let usage = usage(choices)
        responder.note = "\(usage["prompt_tokens"]?.integer ?? 0)+\(usage["completion_tokens"]?.integer ?? 0) tokens"
        guard sampling.streams else {
            let all = orders.indices.map { form.choice($0, pieces[$0], finish: choices[$0].finish ?? .stop) }
            return try await responder.reply(Reply(head.json(all, usage: usage)))
        }
        if sampling.includesUsage { try await responder.send(event: head.json([], usage: usage).serialized()) }
        try await responder.send(event: "[DONE]")
        try await responder.endStream()
    }

    /// Whether a piece says anything; a part of a character alone does not.
    private func isWorthSending(_ piece: ChoiceText.Piece, of place: Int) -> Bool {
        !piece.text.isEmpty || (orders[place].alternatives != nil && !piece.tokens.isEmpty)
    }

    private func send(_ choice: JSON, _ responder: Responder) async throws {
        let usage: JSON? = sampling.includesUsage ? .null : nil
        try await responder.send(event: head.json([choice], usage: usage).serialized())
    }

    private func take(_ event: SampleEvent, of place: Int, _ choice: inout ChoiceText) -> ChoiceText.Piece {
        switch event {
        // Nothing predicts a text's first token.
        case .prompt(let tokens): promptPiece([SampledToken(id: orders[place].prompt[0])] + tokens)
        case .token(let token): shifted(choice.take(token), by: place)
        case .end(let isStop): shifted(choice.end(isStop: isStop), by: place)
        }
    }

    /// The prompt's text in front of the answer; its tokens come with their scores.
    private func echo(of place: Int) -> ChoiceText.Piece {
        echoes.map { ChoiceText.Piece(text: $0[place]) } ?? ChoiceText.Piece()
    }

    /// The prompt's tokens with their places in its text.
    private func promptPiece(_ tokens: [SampledToken]) -> ChoiceText.Piece {
        var decoder = head.model.tokenizer.makeStreamingDecoder(skipSpecialTokens: true)
        var offset = 0
        var piece = ChoiceText.Piece()
        for token in tokens {
            piece.tokens.append((token, offset))
            offset += decoder.append(token.id).unicodeScalars.count
        }
        return piece
    }

    /// A piece whose places count from the start of the echoed prompt.
    private func shifted(_ piece: ChoiceText.Piece, by place: Int) -> ChoiceText.Piece {
        guard let echoes else { return piece }
        var piece = piece
        let length = echoes[place].unicodeScalars.count
        for index in piece.tokens.indices { piece.tokens[index].offset += length }
        return piece
    }

    /// Tokens read and written; a prompt with several answers was read once.
    private func usage(_ choices: [ChoiceText]) -> JSON {
        let read = stride(from: 0, to: orders.count, by: sampling.choiceCount).reduce(0) {
            $0 + orders[$1].prompt.count
        }
        let written = choices.reduce(0) { $0 + $1.tokenCount }
        return [
            "prompt_tokens": .integer(read), "completion_tokens": .integer(written),
            "total_tokens": .integer(read + written),
        ]
    }
}

extension ChoiceText.Piece {
    static func += (piece: inout ChoiceText.Piece, next: ChoiceText.Piece) {
        piece.text += next.text
        piece.tokens += next.tokens
    }
}
