import Foundation
import HTTP
import JSONText
import Models
import TestSupport
import Testing

/// `rto serve` at work on small models, in a directory of its own.
final class ServedProgram {
    let directory: TemporaryDirectory
    let process: Process
    let port: Int
    private let token: String?

    var address: String { "http://127.0.0.1:\(port)" }
    /// What it wrote to standard error.
    var log: String { (try? String(contentsOf: directory.url.appending(path: "serve.log"), encoding: .utf8)) ?? "" }

    /// A directory with a language model `model` and a reward model `reward` that read bytes.
    ///
    /// - Parameter ends: whether the language model can end what it writes
    static func models(
        chatTemplate: String? = TinyTokenizer.chatML,
        ends: Bool = true
    ) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let configuration: JSON = [
            "architectures": ["LlamaForCausalLM"], "vocab_size": .integer(TinyTokenizer.vocabularySize),
            "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "eos_token_id": ends ? .integer(TinyTokenizer.end) : nil,
            "initializer_range": 0.2,
            "max_position_embeddings": 4096,
        ]
        let shape = try ModelConfiguration(configuration, path: "config.json")
        let (model, reward) = (directory.url.appending(path: "model"), directory.url.appending(path: "reward"))
        for folder in [model, reward] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        }
        try LanguageModel.fresh(shape, seed: 1).save(to: model, dtype: .float32)
        try ScoreModel.load(model, .frozen(), freshHead: 3).save(to: reward, dtype: .float32)
        let files = try TemporaryDirectory()
        _ = try TinyTokenizer.make(in: files, endOfSequence: ends ? "</s>" : nil, chatTemplate: chatTemplate)
        for folder in [model, reward] {
            for name in try files.fileNames {
                try FileManager.default.copyItem(
                    at: files.url.appending(path: name),
                    to: folder.appending(path: name)
                )
            }
        }
        return directory
    }

    /// Starts the program on a free port and waits until it is ready.
    ///
    /// - Parameter environment: assignments as the shell reads them
    init(_ flags: String, in directory: TemporaryDirectory, token: String? = nil, environment: String = "") throws {
        self.directory = directory
        self.token = token
        let secret = token.map { "RTO_SERVE_TOKEN=\($0)" } ?? ""
        process = try directory.shell(
            "\(secret) \(environment) exec $RTO serve --port 0 --device cpu --threads 1 \(flags) 2> serve.log"
        )
        var found: Int?
        while found == nil, process.isRunning {
            usleep(5000)  // not an asynchronous wait: that would stand behind the tests that wait for processes
            let log = (try? String(contentsOf: directory.url.appending(path: "serve.log"), encoding: .utf8)) ?? ""
            found = log.firstMatch(of: /ready at http:\/\/127\.0\.0\.1:(\d+)\/v1: .*\n/).flatMap { Int($0.1) }
        }
        guard let found else { throw POSIXError(.ECHILD) }
        port = found
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Whether its log comes to hold a mark so many times; a line is written when its answer is, so it may be late.
    func logs(_ mark: String, times count: Int = 1) -> Bool {
        func seen() -> Int { log.components(separatedBy: mark).count - 1 }
        for _ in 0..<6000 where seen() < count { usleep(5000) }
        return seen() == count
    }

    /// The status with which it ends after a signal.
    func end(_ signal: Int32 = SIGTERM) -> Int32 {
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// The JSON that a POST is answered.
    func answer(_ path: String, _ body: JSON) throws -> JSON {
        var settings = HTTPSettings()
        settings.attempts = 1
        let fields = token.map { ["Authorization": "Bearer " + $0] } ?? [:]
        let request = HTTPRequest(try HTTPRequest.url(address + path), headers: fields, body: body)
        return try HTTPClient(settings).blockingAnswer(request)
    }

    /// The answers to requests that are all made at the same time, in their order; nil where none came.
    func answers(_ requests: [(path: String, body: JSON)]) throws -> [JSON?] {
        let answers = Answers(count: requests.count)
        let group = DispatchGroup()
        for (number, request) in requests.enumerated() {
            group.enter()
            let place = try HTTPRequest.url(address + request.path)
            Thread.detachNewThread {
                var settings = HTTPSettings()
                settings.attempts = 1
                let answer = try? HTTPClient(settings).blockingAnswer(HTTPRequest(place, body: request.body))
                answers.set(answer, at: number)
                group.leave()
            }
        }
        group.wait()
        return answers.all
    }

    private final class Answers: @unchecked Sendable {
        // Guarded by the lock.
        private var answers: [JSON?]
        private let lock = NSLock()

        init(count: Int) { answers = Array(repeating: nil, count: count) }

        var all: [JSON?] { lock.withLock { answers } }

        func set(_ answer: JSON?, at place: Int) { lock.withLock { answers[place] = answer } }
    }
}
