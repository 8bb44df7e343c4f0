import Configuration
import Evaluation
import Foundation
import HTTP
import JSONText
import Tokenizers
import Training

/// `rto evaluate arena-hard`: answers, judgments, scores, files.
struct ArenaHardRun {
    let configuration: ArenaHardConfiguration

    init(_ configuration: ArenaHardConfiguration) { self.configuration = configuration }

    func run() throws {
        var answerFiles = configuration.answerFiles
        let battles = try configuration.judge.url == nil ? stored() : judged(&answerFiles)
        for note in battles.notes { rto.note(note) }
        guard battles.version == .v01 || configuration.style == .all else {
            throw EvaluationError(
                "--style \(configuration.style.rawValue) is v0.1's; v2.0 controls for length and markdown together"
            )
        }
        let style = try style(answerFiles)
        let score = try ArenaHardScore(
            battles,
            style: style,
            features: ArenaHardScore.Features(rawValue: configuration.style.rawValue) ?? .all,
            seed: UInt32(truncatingIfNeeded: configuration.generation.seed)
        )
        if score.styled == nil { note("no style control: it needs --answers or --style-metadata") }
        if let norm = score.gradientNorm { note(String(format: "style-controlled fit: gradient norm %.1e", norm)) }
        let table = score.table(battles)
        if let output = configuration.output {
            let questions = try configuration.questions.map { path throws(EvaluationError) in
                try ArenaHardQuestions(path: path).rows
            }
            let texts = Dictionary((questions ?? []).map { ($0.id, $0.prompt) }) { first, _ in first }
            let report = try score.report(battles, table: table, style: style, texts: texts)
            try RowFile.write(report.html, to: URL(filePath: output).appending(path: "report.html"))
        }
        try writeToStandardOutput(
            (configuration.printsJSON ? score.json(battles).serialized() : textTable(table)) + "\n"
        )
    }

    /// The battles of stored judgments.
    private func stored() throws -> Battles {
        if let path = configuration.battles {
            return try Battles(path: path, baseline: configuration.baseline ?? ArenaHardVersion.v01.defaultBaseline)
        }
        return try battles(ArenaHardJudgments(paths: configuration.judgments))
    }

    private func battles(_ judgments: ArenaHardJudgments) throws -> Battles {
        var judgments = judgments
        let categories = judgments.categories
        if judgments.version == .v20, categories.count > 1 || configuration.category != nil {
            guard let category = configuration.category, categories.contains(category) else {
                throw EvaluationError(
                    "the judgments are of the categories \(categories.joined(separator: ", ")), which have scores of their own: "
                        + "name one with --category"
                )
            }
            judgments.rows.removeAll { $0.category != category }
        }
        let named = Set(judgments.rows.compactMap(\.baseline))
        guard named.count <= 1 || configuration.baseline != nil else {
            throw EvaluationError(
                "the judgments have the baselines \(named.sorted().joined(separator: ", ")); name one with --baseline"
            )
        }
        let baseline = configuration.baseline ?? named.first ?? judgments.version.defaultBaseline
        judgments.rows.removeAll { $0.baseline != nil && $0.baseline != baseline }
        return try Battles(judgments, baseline: baseline)
    }

    private func style(_ answerFiles: [String]) throws -> StyleTable? {
        if let path = configuration.styleMetadata { return try StyleTable(metadata: path) }
        guard !answerFiles.isEmpty else { return nil }
        let tokenizer = try configuration.tokenizer.map(modelTokenizer)
        do {
            return try StyleTable(
                answers: answerFiles,
                tokens: tokenizer.map { tokenizer in { tokenizer.encode($0, addSpecialTokens: false).count } }
            )
        } catch {
            // Verdicts that were paid for have their raw score all the same.
            guard configuration.judge.url != nil else { throw error }
            note("\(error)")
            return nil
        }
    }

    /// Judges a model's answers, made here where they are not there yet, and writes judgments.
    private func judged(_ answerFiles: inout [String]) throws -> Battles {
        guard let questionsPath = configuration.questions, let promptPath = configuration.judge.prompt,
            let output = configuration.output, let address = configuration.judge.url
        else { throw EvaluationError("judging needs --questions, --judge-prompt, --output and --judge-url") }
        let (questions, prompts) = (try ArenaHardQuestions(path: questionsPath), try JudgePrompts(path: promptPath))
        guard configuration.category != nil || Set(questions.rows.map(\.category)).count == 1 else {
            throw EvaluationError(
                "\(questionsPath) holds several categories, which have scores of their own: name one with --category"
            )
        }
        let directory = URL(filePath: output)
        let model = try generated(questions, directory, &answerFiles)
        let judgeName = configuration.judge.model ?? questions.version.defaultJudge
        let judge = try ArenaHardJudge(
            version: questions.version,
            service: ChatService(address: address, model: judgeName, configuration.judge),
            prompts: prompts,
            cache: directory.appending(path: "judge_cache.jsonl")
        )
        let matches = try matches(questions, prompts, model, AnswerTexts(answerFiles))
        let concurrency = configuration.judge.concurrency
        let (rows, failures) = try waiting {
            try await judge.judge(matches, concurrency: concurrency, progress: reportJudging)
        }
        reportFailures(failures, "games")
        let file = directory.appending(path: "model_judgment/\(judgeName)/\(model).jsonl")
        try write(rows, to: file, key: questions.version == .v01 ? "question_id" : "uid")
        return try battles(ArenaHardJudgments(paths: [file.path]))
    }

    /// Writes judgments beside those of other questions, of another category for instance, that the file holds already.
    private func write(_ rows: [JSONObject], to file: URL, key: String) throws {
        let isThere = FileManager.default.fileExists(atPath: file.path)
        let judged = Set(rows.compactMap { $0[key]?.string })
        let others = try isThere ? RowFile.read(file.path).filter { !judged.contains($0[key]?.string ?? "") } : []
        try RowFile.writeLines(others + rows, to: file)
    }

    private func matches(
        _ questions: ArenaHardQuestions,
        _ prompts: JudgePrompts,
        _ model: String,
        _ answers: AnswerTexts
    ) throws -> [ArenaHardJudge.Match] {
        try questions.rows.filter { configuration.category == nil || $0.category == configuration.category }.map {
            question in
            let baseline =
                configuration.baseline ?? prompts.baseline(question.category) ?? questions.version.defaultBaseline
            return ArenaHardJudge.Match(
                question: question,
                model: model,
                baseline: baseline,
                answer: try answers.text(model, question.id),
                baselineAnswer: try answers.text(baseline, question.id)
            )
        }
    }

    /// The name of the model that is judged, after it has answered where it has not yet.
    private func generated(
        _ questions: ArenaHardQuestions,
        _ directory: URL,
        _ answerFiles: inout [String]
    ) throws -> String {
        guard configuration.answers else { return configuration.name ?? "" }
        let answering = Answers(configuration: configuration.generation, directory: directory)
        let file = directory.appending(path: "model_answer/\(answering.name).jsonl")
        answerFiles.append(file.path)
        if FileManager.default.fileExists(atPath: file.path) {
            note("the answers in \(file.path) are used; remove the file to have the model answer again")
            return answering.name
        }
        let tokenizer = try configuration.tokenizer.map(modelTokenizer)
        if tokenizer == nil {
            note(
                "answers are written without their counts, which --tokenizer would add: style control needs them here, and so do "
                    + "Arena-Hard's own scripts"
            )
        }
        let texts = try answering.answers(to: questions.rows.map(\.prompt))
        let rows = zip(questions.rows, texts).map { question, text in
            let style = tokenizer.map {
                StyleCounts(quirkilyCounting: text, tokens: $0.encode(text, addSpecialTokens: false).count)
            }
            return questions.answer(question, model: answering.name, text: text, style: style, time: Date())
        }
        try RowFile.writeLines(rows, to: file)
        return answering.name
    }
}
