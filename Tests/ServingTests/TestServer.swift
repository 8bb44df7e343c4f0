import Datasets
import Foundation
import JSONText
import Serving
import Synchronization
import TestSupport

/// A server on a free port whose model writes what a test says.
final class TestServer {
    let engine: ScriptedEngine
    let server: HTTPServer
    private let directory: TemporaryDirectory
    private let lines = Lines()

    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    var port: Int { server.port }
    /// What the access log holds.
    var log: [String] { lines.all.withLock(\.self) }

    /// A server whose answers are these bytes, unless another script is given.
    init(
        _ text: String = "Hello",
        token: String? = nil,
        limits: ServerLimits = ServerLimits(),
        chatTemplate: String? = TinyTokenizer.chatML,
        contextLength: Int = 100,
        fixedScore: Double? = nil,
        script: (@Sendable (SampleOrder) -> ScriptedEngine.Script)? = nil
    ) throws {
        directory = try TemporaryDirectory()
        let tokenizer = try TinyTokenizer.make(in: directory, chatTemplate: chatTemplate)
        engine = ScriptedEngine(
            fixedScore: fixedScore,
            script ?? { _ in .ids(text.utf8.map(Int.init) + [TinyTokenizer.end]) }
        )
        let language = ServedModel(
            name: "tiny",
            created: 7,
            prompts: try PromptTokenizer(tokenizer),
            vocabularySize: TinyTokenizer.vocabularySize,
            contextLength: contextLength,
            answerLimit: 60,
            stopTokens: [TinyTokenizer.end],
            engine: engine
        )
        let reward = ServedRewardModel(
            name: "judge",
            created: 8,
            tokenizer: tokenizer,
            contextLength: 50,
            engine: engine
        )
        let service = Service(
            language: language,
            reward: reward,
            gate: Gate(token: token, host: "127.0.0.1"),
            limits: limits,
            log: AccessLog { [lines] line in lines.all.withLock { $0.append(line) } }
        )
        server = try HTTPServer(service, host: "127.0.0.1", port: 0)
    }

    deinit {
        let server = server
        Task.detached { await server.stop() }
    }

    /// Sends a whole request and reads the whole answer.
    func ask(_ method: String, _ path: String, _ body: String? = nil, fields: [String: String] = [:]) throws
        -> SocketClient.Answer
    {
        let client = try SocketClient(port: port)
        client.send(SocketClient.request(method, path, fields: fields, body: body))
        return client.answer()
    }

    /// The JSON that a POST is answered.
    func json(_ path: String, _ body: JSON) throws -> JSON {
        try JSON(parsing: ask("POST", path, body.serialized()).body)
    }

    /// The events of a stream, taken out of its chunks.
    func events(_ path: String, _ body: JSON) throws -> [String] {
        let text = try ask("POST", path, body.serialized()).body
        return text.components(separatedBy: "\r\n").flatMap { $0.components(separatedBy: "\n\n") }
            .filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
    }
}
