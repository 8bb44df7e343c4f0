import ChatTemplates
import Datasets
import JSONText

/// The turns of a conversation, and the ids that the model reads of them.
struct Conversation {
    private let prompts: PromptTokenizer
    private let opening: [JSON]
    /// How the turns become one text.
    let form: Form
    private var turns: [JSON] = []

    /// How the turns of a conversation become one text.
    enum Form: Equatable {
        /// By the chat template.
        case template
        /// Every turn by itself: nothing of what was said before is read.
        case single
    }

    /// A conversation that begins with what the model is told before it.
    init(_ prompts: PromptTokenizer, system: String?, form: Form) {
        self.prompts = prompts
        self.form = form
        opening = system.map { [["role": "system", "content": .string($0)]] } ?? []
    }

    /// Forgets everything that was said.
    mutating func clear() { turns = [] }

    /// Adds what the person says and returns the ids to continue, and how many of the oldest turns had to be forgotten for them.
    ///
    /// - Parameter limit: the most ids
    /// - Throws: `TrainingError` where the turn alone is too long or the template refuses it; the conversation is as it was then.
    mutating func ask(_ text: String, limit: Int) throws -> (ids: [Int], forgotten: Int) {
        var rest = turns + [["role": "user", "content": .string(text)]]
        var forgotten = 0
        while true {
            let ids = try ids(rest, text)
            if ids.count <= limit {
                turns = form == .template ? rest : []
                return (ids, forgotten)
            }
            guard rest.count > 1 else {
                throw TrainingError(
                    "this turn has \(ids.count) tokens with its template, and there is room for \(limit); shorten it, or "
                        + "lower --max-new-tokens"
                )
            }
            // A question goes with its answer: templates want the two by turns.
            rest.removeFirst(min(2, rest.count - 1))
            forgotten += 2
        }
    }

    /// Adds what the model has answered.
    mutating func answer(_ text: String) {
        if form == .template { turns.append(["role": "assistant", "content": .string(text)]) }
    }

    private func ids(_ messages: [JSON], _ text: String) throws -> [Int] {
        guard form == .template else { return prompts.ids(text: text) }
        do {
            return try prompts.ids(messages: opening + messages) ?? []
        } catch {
            throw TrainingError("the chat template cannot render the conversation: \(error)")
        }
    }
}
