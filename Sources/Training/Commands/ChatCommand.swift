import Configuration
import Foundation
import Models
import Serving
import Tokenizers

/// Talks to whoever writes to standard input: a line is a turn, and the answer goes to standard output while it is written.
public func chat(_ configuration: ChatConfiguration) throws {
    let talking = try TalkingModel(
        configuration.model,
        configuration.data,
        configuration.compute,
        maxLength: configuration.maxLength,
        command: configuration.command
    )
    var talk = try Talk(configuration, talking)
    try talk.run()
}

/// One sitting with a model.
private struct Talk {
    private let configuration: ChatConfiguration
    private let talking: TalkingModel
    private let parameters: SamplingParameters
    private let terminal = ChatTerminal()
    private var session: GenerationSession
    private var conversation: Conversation
    private var turnCount: UInt64 = 0

    init(_ configuration: ChatConfiguration, _ talking: TalkingModel) throws {
        self.configuration = configuration
        self.talking = talking
        let sampling = configuration.sampling
        let room = talking.contextLength - sampling.maxNewTokens
        guard room > 0 else {
            throw TrainingError(
                "--max-new-tokens \(sampling.maxNewTokens) leaves no room for a turn: the model takes "
                    + "\(talking.contextLength) tokens; give a smaller --max-new-tokens",
                .usage
            )
        }
        let specials = configuration.stop.compactMap { text in
            talking.prompts.tokenizer.id(of: text).flatMap { talking.prompts.tokenizer.isSpecial($0) ? $0 : nil }
        }
        parameters = SamplingParameters(
            maxNewTokens: sampling.maxNewTokens,
            temperature: configuration.isGreedy ? 1 : sampling.temperature,
            topK: sampling.topK,
            topP: sampling.topP,
            isGreedy: configuration.isGreedy,
            stopTokens: talking.stopTokens.union(specials)
        )
        session = try talking.session(slots: 1, cacheBytes: .max)
        let usesTemplate = talking.prompts.hasChatTemplate && configuration.data.inputTemplate == nil
        guard usesTemplate || configuration.system == nil else {
            throw TrainingError(
                "--system goes into a chat template, and the model has none; name one with --chat-template"
            )
        }
        conversation = Conversation(
            talking.prompts,
            system: configuration.system,
            form: usesTemplate ? .template : .single
        )
        if !usesTemplate, configuration.data.inputTemplate == nil {
            note("the model has no chat template: each line is continued by itself, without what was said before")
        }
    }

    mutating func run() throws {
        if terminal.isInteractive { note("a line is a turn; 'clear' begins anew, 'exit' leaves, ^C stops an answer") }
        var wasInterrupted = false
        while true {
            terminal.ask()
            switch try terminal.next() {
            case .end:
                if terminal.isInteractive { note("") }
                return
            case .interruption:
                // The first may have been meant for an answer that had just ended.
                if wasInterrupted { throw TrainingError("left by ^C", .interrupted(bySignal: SIGINT)) }
                note("\n^C again, or 'exit', leaves")
                wasInterrupted = true
                continue
            case .line(let line):
                let turn = line.trimmingCharacters(in: .whitespacesAndNewlines)
                switch turn {
                case "exit": return
                case "clear":
                    conversation.clear()
                    note("what was said is forgotten")
                case "": break
                default: try answer(turn)
                }
            }
            wasInterrupted = false
        }
    }

    private mutating func answer(_ turn: String) throws {
        let question: (ids: [Int], forgotten: Int)
        do {
            question = try conversation.ask(turn, limit: talking.contextLength - parameters.maxNewTokens)
        } catch let error as TrainingError where terminal.isInteractive {
            // A person may say it in another way; a script ends.
            return note(error.description)
        }
        if question.forgotten > 0 {
            note(
                "the conversation is longer than \(talking.contextLength) tokens: the oldest \(question.forgotten) turns are forgotten"
            )
        }
        guard !question.ids.isEmpty else { return note("that is no token") }
        var text = ChoiceText(
            talking.prompts.tokenizer,
            behind: question.ids,
            stops: configuration.stop,
            stopTokens: parameters.stopTokens
        )
        let number = session.join(
            SequenceRequest(
                prompt: question.ids,
                parameters: parameters,
                stream: RandomStream(seed: UInt64(bitPattern: Int64(configuration.seed)), index: turnCount)
            )
        )
        turnCount += 1
        _ = terminal.wasInterrupted()
        var answer = ""
        while text.finish == nil {
            if terminal.wasInterrupted() {
                note("\n(stopped)")
                break
            }
            for step in session.advance() {
                if let choice = step.choice { try write(text.take(SampledToken(id: choice.token)).text, to: &answer) }
                if let completion = step.completion {
                    try write(text.end(isStop: completion.isFinished).text, to: &answer)
                }
            }
        }
        session.leave(number)
        try writeToStandardOutput("\n")
        if text.finish == .length, terminal.isInteractive { note("(cut at --max-new-tokens)") }
        conversation.answer(answer)
    }

    private func write(_ piece: String, to answer: inout String) throws {
        answer += piece
        if !piece.isEmpty { try writeToStandardOutput(terminal.shown(piece)) }
    }
}
