import Foundation
import JSONText
import NIOHTTP1

/// Everything that is served: models, who may ask for them, and within which limits.
public struct Service: Sendable {
    /// The language model, where one is served.
    public var language: ServedModel?
    /// The reward model, where one is served.
    public var reward: ServedRewardModel?
    /// Who may ask.
    public var gate: Gate
    /// What a request may ask of memory and patience.
    public var limits: ServerLimits
    /// Where requests are noted.
    public var log: AccessLog

    /// A service of the given models.
    public init(
        language: ServedModel?,
        reward: ServedRewardModel?,
        gate: Gate,
        limits: ServerLimits,
        log: AccessLog
    ) {
        self.language = language
        self.reward = reward
        self.gate = gate
        self.limits = limits
        self.log = log
    }

    /// Why a request will not be answered, as far as its header says; its body is not read then.
    func objection(to head: RequestHead) -> APIError? {
        let route = Route(path: head.path)
        // Whether the server is there, anybody may know.
        if route != .health, let problem = gate.objection(to: head) { return problem }
        guard let route else {
            return APIError(404, "there is nothing at '\(head.path.prefix(100))' here", code: "unknown_path")
        }
        guard head.method == route.method else {
            return APIError(
                405,
                "\(head.path.prefix(100)) is asked by \(route.method), not \(head.method)",
                code: "bad_method",
                fields: ["Allow": route.method]
            )
        }
        guard let length = head.field("content-length").map({ Int($0) ?? .max }) ?? (head.hasBody ? nil : 0) else {
            return route.method == "GET" ? .invalid("a GET has no body") : typeObjection(head)
        }
        if length > limits.bodyBytes { return .bodyTooLarge(limits.bodyBytes) }
        return route.method == "POST" ? typeObjection(head) : nil
    }

    private func typeObjection(_ head: RequestHead) -> APIError? {
        if let coding = head.field("content-encoding"), coding.lowercased() != "identity" {
            return APIError(415, "a body in the coding '\(coding.prefix(40))' is not read; send it as it is")
        }
        guard let type = head.field("content-type") else { return nil }
        let name = type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        if name == "application/json" || name.hasSuffix("+json") { return nil }
        return APIError(415, "the body must be application/json, and says it is '\(name.prefix(60))'")
    }

    /// Answers a request, and notes it in the log.
    func answer(_ call: Call, from client: String, with responder: Responder) async {
        let start = ContinuousClock.now
        do {
            try await route(call, responder)
        } catch {
            // What is wrong with the connection, nobody is there to be told.
            try? await report(error, to: responder)
        }
        log.write(
            client: client,
            method: call.head.method,
            path: call.head.path,
            // As nginx has it: the client left before there was an answer.
            status: responder.status ?? 499,
            seconds: (ContinuousClock.now - start) / .seconds(1),
            note: responder.note
        )
    }

    private func report(_ error: any Error, to responder: Responder) async throws {
        guard responder.isConnected else { return responder.note = "the client left" }
        let problem: APIError
        switch error {
        case let error as APIError: problem = error
        case is CancellationError: problem = .answerTimeOut(limits.answerSeconds)
        default: problem = APIError(500, "\(error)")
        }
        guard responder.status != nil else { return try await responder.reply(Reply(problem)) }
        responder.note = problem.message
        try await responder.send(event: problem.json.serialized())
        try await responder.endStream()
    }

    private func route(_ call: Call, _ responder: Responder) async throws {
        switch Route(path: call.head.path) {
        case .health: try await responder.reply(Reply(["status": "ok"]))
        case .models:
            try await responder.reply(Reply(["object": "list", "data": .array(models.map(\.json))]))
        case .model(let name):
            guard let model = models.first(where: { $0.name == name }) else { throw unknown(name) }
            try await responder.reply(Reply(model.json))
        case .chat: try await chat(call, responder)
        case .completions: try await complete(call, responder)
        case .reward: try await judge(call, responder)
        case nil: throw APIError(404, "there is nothing here", code: "unknown_path")
        }
    }

    private func chat(_ call: Call, _ responder: Responder) async throws {
        var fields = try RequestFields(call.body)
        let model = try model(&fields)
        let request = try ChatRequest(&fields)
        let isStream = request.sampling.streams
        try await GeneratedAnswer(
            head: AnswerHead("chatcmpl-", object: "chat.completion" + (isStream ? ".chunk" : ""), model: model),
            form: ChatForm(tokenizer: model.tokenizer, isScored: request.alternatives != nil),
            orders: request.orders(model),
            sampling: request.sampling,
            echoes: nil
        ).write(to: responder)
    }

    private func complete(_ call: Call, _ responder: Responder) async throws {
        var fields = try RequestFields(call.body)
        let model = try model(&fields)
        let request = try CompletionRequest(&fields)
        let (orders, texts) = try request.orders(model)
        try await GeneratedAnswer(
            head: AnswerHead("cmpl-", object: "text_completion", model: model),
            form: CompletionForm(tokenizer: model.tokenizer, isScored: request.alternatives != nil),
            orders: orders,
            sampling: request.sampling,
            echoes: request.echoes ? texts : nil
        ).write(to: responder)
    }

    private func judge(_ call: Call, _ responder: Responder) async throws {
        guard let reward else {
            throw APIError(404, "no reward model is served here; --reward-model serves one", code: "model_not_found")
        }
        var fields = try RequestFields(call.body)
        let sequences = try RewardRequest(&fields).sequences(reward)
        let rewards = try await reward.engine.rewards(of: sequences)
        if let place = rewards.firstIndex(where: { !$0.isFinite }) {
            throw APIError(500, "the reward model says \(rewards[place]) of text \(place + 1), which is no number")
        }
        responder.note = "\(sequences.count) texts"
        try await responder.reply(Reply(RewardRequest.answer(rewards)))
    }

    /// The model that a request names; one that names none means the only one.
    private func model(_ fields: inout RequestFields) throws(APIError) -> ServedModel {
        let name = try fields.string("model")
        guard let language else {
            throw APIError(404, "no language model is served here; --model serves one", code: "model_not_found")
        }
        if let name, name != language.name { throw unknown(name) }
        return language
    }

    private func unknown(_ name: String) -> APIError {
        let known = models.map { "'\($0.name)'" }.joined(separator: " and ")
        return APIError(
            404,
            "there is no model '\(name.prefix(100))' here, only \(known)",
            parameter: "model",
            code: "model_not_found"
        )
    }

    /// What `/v1/models` lists.
    private var models: [(name: String, json: JSON)] {
        let language = language.map { ($0.name, $0.created, JSON.integer($0.contextLength)) }
        let reward = reward.map { ($0.name, $0.created, JSON.integer($0.contextLength)) }
        return [language, reward].compactMap(\.self).map { name, created, length in
            (
                name,
                [
                    "id": .string(name), "object": "model", "created": .integer(created), "owned_by": "rto",
                    "max_model_len": length,
                ]
            )
        }
    }
}
