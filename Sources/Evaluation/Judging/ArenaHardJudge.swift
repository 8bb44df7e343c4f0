import Foundation
import HTTP
import JSONText

/// Has answers to Arena-Hard's questions judged in two games each, with the answers in either order.
public struct ArenaHardJudge: Sendable {
    private let service: ChatService
    private let settings: JudgePrompts
    private let cache: JudgeCache
    private let version: ArenaHardVersion

    /// A judge with its cache, whose records are games keyed by what the judge was shown.
    public init(
        version: ArenaHardVersion,
        service: ChatService,
        prompts: JudgePrompts,
        cache url: URL
    ) throws(EvaluationError) {
        (self.version, self.service, settings) = (version, service, prompts)
        cache = try JudgeCache(url, keys: ["judge", "messages"])
    }

    /// A question with both answers.
    public struct Match: Sendable {
        let question: ArenaHardQuestions.Row
        let model: String
        let baseline: String
        let answer: String
        let baselineAnswer: String

        /// A match.
        public init(
            question: ArenaHardQuestions.Row,
            model: String,
            baseline: String,
            answer: String,
            baselineAnswer: String
        ) {
            (self.question, self.model, self.baseline) = (question, model, baseline)
            (self.answer, self.baselineAnswer) = (answer, baselineAnswer)
        }
    }

    /// The judgments of matches, in their order, with the games that could be played.
    ///
    /// - Returns: the rows of `model_judgment`, and why calls failed, by the number of their match and game.
    /// - Throws: where no call can succeed, or the cache cannot be written.
    public func judge(
        _ matches: [Match],
        concurrency: Int,
        progress: @Sendable @escaping (_ done: Int, _ failed: Int) -> Void
    ) async throws -> (judgments: [JSONObject], failures: [Int: HTTPError]) {
        let keys = try matches.flatMap { match in try [0, 1].map { try key(match, game: $0) } }
        let open = keys.indices.filter { cache.record(like: keys[$0]) == nil }
        let failures = try await JudgingRun.forEach(open, limit: concurrency, progress: progress) { number in
            try await cache.store(played(keys[number]))
        }
        let judgments = matches.indices.map { index in
            judgment(matches[index], [keys[2 * index], keys[2 * index + 1]].map { cache.record(like: $0) ?? $0 })
        }
        return (judgments, failures)
    }

    /// Who judges and what is shown: the baseline's answer is A in the first game and B in the second.
    private func key(_ match: Match, game: Int) throws(EvaluationError) -> JSONObject {
        let (a, b) = game == 0 ? (match.baselineAnswer, match.answer) : (match.answer, match.baselineAnswer)
        let messages = [
            ChatService.Message("system", try settings.systemPrompt(match.question.category)),
            ChatService.Message("user", settings.userPrompt(question: match.question.prompt, a: a, b: b)),
        ]
        var key = JSONObject()
        key["judge"] = .string(service.model)
        key["messages"] = .array(messages.map(\.json))
        return key
    }

    private var parameters: JSONObject {
        var parameters = JSONObject()
        parameters["temperature"] = 0
        parameters["max_tokens"] = version == .v01 ? 4096 : 16000
        return parameters
    }

    private func played(_ key: JSONObject) async throws -> JSONObject {
        var messages = (key["messages"]?.array ?? []).map { message in
            ChatService.Message(message["role"]?.string ?? "", message["content"]?.string ?? "")
        }
        func ask() async throws -> String {
            let answer = try await service.complete(messages, parameters) { $0["message"]?["content"]?.string != nil }
            return answer.choice["message"]?["content"]?.string ?? ""
        }
        var judgment = try await ask()
        var found = Verdict.find(in: judgment, version == .v01 ? .v01 : .v20)
        if version == .v01 {
            // v0.1 asks a judge that gave no verdict once more, and keeps everything it said.
            judgment = "\n" + judgment
            if found == .none {
                messages.append(ChatService.Message("assistant", String(judgment.dropFirst())))
                messages.append(
                    ChatService.Message("user", "continue your judgment and finish by outputting a final verdict label")
                )
                judgment += "\n" + (try await ask())
                found = Verdict.find(in: judgment, .v01)
            }
        }
        var record = key
        record["judgment"] = .string(judgment)
        record["score"] = if case .label(let label) = found { .string(label) } else { .null }
        return record
    }

    /// A row of `model_judgment`.
    private func judgment(_ match: Match, _ games: [JSONObject]) -> JSONObject {
        var row = JSONObject()
        switch version {
        case .v01:
            row["question_id"] = .string(match.question.id)
            row["model"] = .string(match.model)
            row["judge"] = .string(service.model)
        case .v20:
            row["uid"] = .string(match.question.id)
            row["category"] = .string(match.question.category)
            row["judge"] = .string(service.model)
            row["model"] = .string(match.model)
            row["baseline"] = .string(match.baseline)
        }
        row["games"] = .array(
            games.map { game in
                let (score, text) = (game["score"] ?? .null, game["judgment"] ?? .null)
                switch version {
                case .v01:
                    return ["user_prompt": game["messages"]?[1]?["content"] ?? .null, "judgment": text, "score": score]
                case .v20: return ["score": score, "judgment": ["answer": text], "prompt": game["messages"] ?? .null]
                }
            }
        )
        return row
    }
}

/// What Arena-Hard's judge is told: a system prompt for each category, and the form of a question with two answers.
public struct JudgePrompts: Sendable {
    private let path: String
    private let file: JSON
    private let template: String

    /// Reads `{"judge_settings": {category: {"baseline", "system_prompt"}}, "prompt_template"}`.
    ///
    /// - Throws: ``EvaluationError`` where it is not that.
    public init(path: String) throws(EvaluationError) {
        self.path = path
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EvaluationError("\(path): there is no such file, or it cannot be read")
        }
        do { file = try JSON(parsing: data) } catch { throw EvaluationError("\(path), \(error)") }
        guard let template = file["prompt_template"]?.string, file["judge_settings"]?.object != nil else {
            throw EvaluationError("\(path): there must be \"judge_settings\" by category and a \"prompt_template\"")
        }
        for place in ["{QUESTION}", "{ANSWER_A}", "{ANSWER_B}"] where template.components(separatedBy: place).count != 2
        {
            throw EvaluationError("\(path): \(place) must occur once in \"prompt_template\"")
        }
        self.template = template
    }

    /// The baseline of a category, where the file names it.
    public func baseline(_ category: String) -> String? { file["judge_settings"]?[category]?["baseline"]?.string }

    func systemPrompt(_ category: String) throws(EvaluationError) -> String {
        guard let prompt = file["judge_settings"]?[category]?["system_prompt"]?.string else {
            throw EvaluationError("\(path): \"judge_settings\" has no \"system_prompt\" for the category \(category)")
        }
        return prompt
    }

    /// The template with its places filled in one pass: what is filled in is never read as a place.
    func userPrompt(question: String, a: String, b: String) -> String {
        var prompt = ""
        var rest = template[...]
        let texts = ["{QUESTION}": question, "{ANSWER_A}": a, "{ANSWER_B}": b]
        while let (place, range) = texts.keys.compactMap({ key in rest.range(of: key).map { (key, $0) } })
            .min(by: { $0.1.lowerBound < $1.1.lowerBound })
        {
            prompt += rest[..<range.lowerBound] + (texts[place] ?? "")
            rest = rest[range.upperBound...]
        }
        return prompt + rest
    }
}
