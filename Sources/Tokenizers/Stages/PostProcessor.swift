/// The stage that puts special tokens around what was encoded.
struct PostProcessor: Sendable {
    /// A part of what is handed out.
    enum Part: Sendable {
        /// The ids of the text, or of the first of two.
        case first
        /// The ids of the second text.
        case second
        /// Tokens that a caller may decline.
        case special([Int])
    }

    /// The parts for one text.
    var single: [Part] = [.first]
    /// The parts for two texts.
    var pair: [Part] = [.first, .second]
}

extension PostProcessor {
    /// Reads the `post_processor` of a `tokenizer.json`.
    init(_ setting: Setting?) throws(TokenizerError) {
        self.init()
        guard let setting else { return }
        switch try setting.kind() {
        // It only corrects the positions of tokens in the text.
        case "ByteLevel": break
        case "TemplateProcessing": self = try PostProcessor(template: setting)
        case "RobertaProcessing": self = try PostProcessor(markers: setting, separators: 2)
        case "BertProcessing": self = try PostProcessor(markers: setting, separators: 1)
        case "Sequence":
            let elements = try setting.required("processors").elements()
            var effective: [Setting] = []
            for element in elements where try element.kind() != "ByteLevel" { effective.append(element) }
            guard effective.count <= 1 else {
                throw setting.unsupported(
                    "a sequence of several post-processors that add tokens",
                    supported: "sequences with one of them"
                )
            }
            self = try PostProcessor(effective.first)
        case let kind:
            throw setting.unsupported(
                "of type \"\(kind)\"",
                supported: "Sequence, TemplateProcessing, ByteLevel, RobertaProcessing and BertProcessing"
            )
        }
    }

    private init(template setting: Setting) throws(TokenizerError) {
        let tokens = setting["special_tokens"]
        single = try Self.parts(setting.required("single"), tokens)
        pair = try Self.parts(setting.required("pair"), tokens)
    }

    private static func parts(_ template: Setting, _ tokens: Setting?) throws(TokenizerError) -> [Part] {
        var parts: [Part] = []
        for piece in try template.elements() {
            if let sequence = piece["Sequence"] {
                let name = try sequence.required("id")
                switch try name.string() {
                case "A": parts.append(.first)
                case "B": parts.append(.second)
                case let other: throw name.invalid("must be \"A\" or \"B\", but is \"\(other)\"")
                }
            } else {
                let name = try piece.required("SpecialToken").required("id")
                guard let token = tokens?[try name.string()] else {
                    throw name.invalid("is \"\(try name.string())\", which special_tokens does not list")
                }
                var ids: [Int] = []
                for id in try token.required("ids").elements() { ids.append(try id.tokenID()) }
                parts.append(.special(ids))
            }
        }
        return parts
    }

    /// Reads the two older forms that name a token before the text and one behind it.
    private init(markers setting: Setting, separators: Int) throws(TokenizerError) {
        let opening = Part.special([try Self.marker(setting.required("cls"))])
        let closing = Part.special([try Self.marker(setting.required("sep"))])
        single = [opening, .first, closing]
        pair = [opening, .first] + Array(repeating: closing, count: separators) + [.second, closing]
    }

    /// Reads `["</s>", 2]`.
    private static func marker(_ setting: Setting) throws(TokenizerError) -> Int {
        let elements = try setting.elements()
        guard elements.count == 2 else { throw setting.invalid("must hold a token and its id") }
        return try elements[1].tokenID()
    }
}

extension PostProcessor {
    /// The ids of all tokens that it adds.
    var specialIDs: [Int] {
        (single + pair).flatMap { part -> [Int] in
            if case .special(let ids) = part { ids } else { [] }
        }
    }

    func ids(_ first: [Int], _ second: [Int]? = nil, addSpecialTokens: Bool) -> [Int] {
        (second == nil ? single : pair).flatMap { part in
            switch part {
            case .first: first
            case .second: second ?? []
            case .special(let ids): addSpecialTokens ? ids : []
            }
        }
    }
}
