/// The true quality of a response: a known function of the text that stands in for what people want.
///
/// The response is split into clauses at ".", "," and "and"; each clause is recognised as one phrase, and each thing it does
/// right or wrong is a `GoldEvent` with a value and a place. The reward is the sum, so what each word is worth is known,
/// which no human judgement offers: methods can be judged by the credit that they give to words.
public struct GoldReward: Sendable {
    /// The gold reward of the quickstart.
    public init() {}

    /// Scores a response to a prompt, whatever text it is.
    ///
    /// - Parameter isFinished: Whether the response ended by itself, with the end mark, instead of being cut.
    /// - Throws: `PocketWorldError.notAPrompt` for a prompt that is not of this world.
    public func score(
        prompt: String,
        response: String,
        isFinished: Bool = true
    ) throws(PocketWorldError) -> GoldScore {
        score(response, to: try Scene(prompt: prompt), isFinished: isFinished)
    }

    /// Scores a response to the prompt of a scene, whatever text it is.
    public func score(_ response: String, to scene: Scene, isFinished: Bool = true) -> GoldScore {
        let words = Words.of(response)
        var reader = ResponseReader(scene: scene, clauses: Clause.all(in: words), wordCount: words.count)
        return GoldScore(words: words, terms: reader.terms(isFinished: isFinished))
    }
}

/// Goes through the clauses of a response and notes what happens.
private struct ResponseReader {
    let scene: Scene
    let clauses: [Clause]
    let wordCount: Int
    private var terms: [GoldScore.Term] = []
    private var statedKinds: Set<String> = []
    private var firstClosing: Int?

    init(scene: Scene, clauses: [Clause], wordCount: Int) {
        self.scene = scene
        self.clauses = clauses
        self.wordCount = wordCount
    }

    mutating func terms(isFinished: Bool) -> [GoldScore.Term] {
        for (position, clause) in clauses.enumerated() { read(clause, at: position) }
        for attribute in scene.attributes where !statedKinds.contains(attribute.kind) {
            note(.omittedFact, at: firstClosing ?? wordCount)
        }
        if firstClosing == nil { note(.noClosing, at: wordCount) }
        if !isFinished { note(.unfinished, at: wordCount) }
        return terms
    }

    private mutating func note(_ event: GoldEvent, at place: Int) {
        terms.append(GoldScore.Term(event: event, place: place))
    }

    private mutating func read(_ clause: Clause, at position: Int) {
        switch clause.phrase {
        case nil: note(.unknownClause, at: clause.place)
        case .fact: readFact(clause)
        case .politeOpening where position == 0:
            let isRight = clause.name?.word == scene.asker
            note(isRight ? .politeOpening : .wrongName, at: clause.name?.place ?? clause.place)
        case .politeOpening: note(.misplacedOpening, at: clause.place)
        case .rudeOpening: note(.rudeOpening, at: clause.place)
        case .niceRemark:
            let followsFact = position > 0 && clauses[position - 1].phrase == .fact
            note(followsFact ? .niceRemark : .misplacedRemark, at: clause.place)
        case .hedge: note(.hedge, at: clause.place)
        case .rudeRemark: note(.rudeRemark, at: clause.place)
        case .politeClosing, .rudeClosing: readClosing(clause, isLast: position == clauses.count - 1)
        }
    }

    private mutating func readClosing(_ clause: Clause, isLast: Bool) {
        firstClosing = firstClosing ?? clause.place
        let politeEvent: GoldEvent = isLast ? .politeClosing : .earlyClosing
        note(clause.phrase == .rudeClosing ? .rudeClosing : politeEvent, at: clause.place)
    }

    private mutating func readFact(_ clause: Clause) {
        guard let kind = clause.kind, let value = clause.value, firstClosing == nil
        else { return note(.lateFact, at: clause.place) }
        let truth = scene.value(ofKind: kind.word)
        if truth != value.word {
            note(.falseStatement, at: truth == nil ? kind.place : value.place)
        } else if statedKinds.insert(kind.word).inserted {
            note(.trueFact, at: value.place)
        } else {
            note(.repeatedFact, at: kind.place)
        }
    }
}
