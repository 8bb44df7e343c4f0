/// The synthetic world of the quickstart: things to be described, and writers who describe them more or less well.
///
/// A prompt tells what a thing is like, a response says it back in sentences. Everything is drawn from the generator that the
/// caller holds, so the same seed writes the same texts on every machine.
public struct World: Sendable {
    /// How prompts and responses are drawn.
    public struct Settings: Sendable, Equatable {
        /// How many attributes a prompt names.
        public var attributeCount = 3...5
        /// How far a writer's quality may lie from the middle; it is uniform between minus and plus this number.
        public var qualitySpread = 0.15
        /// The probability that a writer of middle quality opens politely, and closes politely.
        public var politeness = 0.5
        /// The probability that the opening names the one who asked.
        public var rightName = 0.7
        /// The probability that an attribute is mentioned at all.
        public var mention = 0.85
        /// The probability that a statement is true.
        public var truth = 0.72
        /// The probability that an earlier true fact is stated again after a statement.
        public var repetition = 0.25
        /// The probability that a statement goes on to the next one with "and" instead of ending its sentence.
        public var joining = 0.7
        /// The probability of a remark after a sentence of facts.
        public var remark = 0.5

        /// The settings of the quickstart.
        public init() {}
    }

    /// How this world's texts are drawn.
    public var settings: Settings

    /// A world with these settings.
    public init(settings: Settings = Settings()) { self.settings = settings }

    /// Draws what a prompt is about.
    public func scene(using random: inout WorldRandom) -> Scene {
        Scene(attributeCount: settings.attributeCount, using: &random)
    }

    /// Writes a text for pretraining: addressed to the one who asked, every attribute stated once, truly, in random order.
    ///
    /// From such texts a model learns to look names and values up in the prompt, which mixed quality alone teaches slowly.
    public func trueText(about scene: Scene, using random: inout WorldRandom) -> String {
        var draft = Draft()
        draft.add(.politeOpening, name: scene.asker, using: &random)
        draft.end(with: ",")
        let facts = random.shuffled(scene.attributes)
        for (position, fact) in facts.enumerated() {
            draft.add(.fact, kind: fact.kind, value: fact.value, using: &random)
            draft.end(with: position + 1 < facts.count && random.happens(settings.joining) ? "and" : ".")
        }
        return draft.text
    }

    /// Writes a response of mixed quality, as the people would whose texts the policy is fine-tuned on.
    ///
    /// The writer's quality is drawn first; given it, all choices are independent.
    public func response(to scene: Scene, using random: inout WorldRandom) -> String {
        let spread = settings.qualitySpread
        return response(to: scene, quality: random.uniform(in: -spread...spread), using: &random)
    }

    /// Writes a response of a given quality, 0 being the middle, 0.15 a careful writer, −0.15 a careless one.
    public func response(to scene: Scene, quality: Double, using random: inout WorldRandom) -> String {
        var draft = Draft()
        open(&draft, scene, quality, &random)
        let statements = statements(about: scene, quality, &random)
        for (position, statement) in statements.enumerated() {
            draft.add(.fact, kind: statement.kind, value: statement.value, using: &random)
            if position + 1 < statements.count && random.happens(settings.joining) {
                draft.end(with: "and")
            } else {
                draft.end(with: ".")
                if random.happens(settings.remark) { remark(&draft, quality, &random) }
            }
        }
        close(&draft, quality, &random)
        return draft.text
    }

    /// The response with the highest gold reward that the phrases allow: polite, true, complete, each fact praised.
    public func exemplaryResponse(to scene: Scene) -> String {
        let facts = scene.attributes.map { "the \($0.kind) is \($0.value) . how lovely ." }
        return "dear \(scene.asker) , " + facts.joined(separator: " ") + " kind regards ."
    }
}

extension World {
    private func open(_ draft: inout Draft, _ scene: Scene, _ quality: Double, _ random: inout WorldRandom) {
        let choice = random.uniform()
        guard choice < 0.85 else { return }
        let others = Vocabulary.names.filter { $0 != scene.asker }
        let name = random.happens(settings.rightName + quality) ? scene.asker : random.element(of: others)
        let isPolite = choice < settings.politeness + quality
        draft.add(isPolite ? .politeOpening : .rudeOpening, name: name, using: &random)
        draft.end(with: ",")
    }

    /// What is going to be stated: some attributes in some order, not always truly, some of them again.
    private func statements(
        about scene: Scene,
        _ quality: Double,
        _ random: inout WorldRandom
    ) -> [Scene.Attribute] {
        let ordered = random.happens(0.5) ? scene.attributes : random.shuffled(scene.attributes)
        var statements: [Scene.Attribute] = []
        var stated: [Scene.Attribute] = []
        for attribute in ordered where random.happens(settings.mention + quality / 2) {
            if random.happens(settings.truth + quality) {
                statements.append(attribute)
                stated.append(attribute)
            } else {
                statements.append(error(about: attribute, of: scene, &random))
            }
            if !stated.isEmpty && random.happens(settings.repetition - quality / 2) {
                statements.append(random.element(of: stated))
            }
        }
        return statements
    }

    /// Three errors in four give the attribute another value; the others tell of a kind that the prompt is silent about.
    private func error(
        about attribute: Scene.Attribute,
        of scene: Scene,
        _ random: inout WorldRandom
    ) -> Scene.Attribute {
        let isWrongValue = random.happens(0.75)
        let candidates = Vocabulary.kinds.filter { kind in
            isWrongValue ? kind.name == attribute.kind : scene.value(ofKind: kind.name) == nil
        }
        let kind = random.element(of: candidates.isEmpty ? Vocabulary.kinds : candidates)
        let values = kind.values.filter { $0 != scene.value(ofKind: kind.name) }
        return Scene.Attribute(kind: kind.name, value: random.element(of: values))
    }

    private func remark(_ draft: inout Draft, _ quality: Double, _ random: inout WorldRandom) {
        let choice = random.uniform()
        let phrase: Phrase = choice < 0.45 + quality ? .niceRemark : choice < 0.8 ? .rudeRemark : .hedge
        draft.add(phrase, using: &random)
        draft.end(with: ".")
    }

    private func close(_ draft: inout Draft, _ quality: Double, _ random: inout WorldRandom) {
        let choice = random.uniform()
        guard choice < 0.8 else { return }
        draft.add(choice < settings.politeness + quality ? .politeClosing : .rudeClosing, using: &random)
        draft.end(with: ".")
    }
}

/// A response in the making.
private struct Draft {
    private var words: [String] = []

    var text: String { words.joined(separator: " ") }

    mutating func add(
        _ phrase: Phrase,
        name: String = "",
        kind: String = "",
        value: String = "",
        using random: inout WorldRandom
    ) {
        words += phrase.words(name: name, kind: kind, value: value, using: &random)
    }

    mutating func end(with separator: String) { words.append(separator) }
}
