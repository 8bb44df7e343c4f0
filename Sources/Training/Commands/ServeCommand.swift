import Configuration
import Foundation
import Models
import Serving
import Tokenizers
import Torch

/// Answers requests over HTTP until the process is told to stop, then ends those under way.
///
/// The models stay on the calling thread, which samples and scores for all; other threads read requests and write answers.
public func serve(_ configuration: ServeConfiguration) throws {
    let token = try BearerToken.read(configuration)
    guard token != nil || Gate.isLoopback(configuration.host) else {
        throw TrainingError(
            "--host \(configuration.host) can be reached from other machines, so requests must bear a token: "
                + "--token-file FILE, or \(ServeConfiguration.tokenVariable) in the environment",
            .usage
        )
    }
    let talking = try configuration.talkingModel()
    let session = try talking?.session(slots: configuration.maxConcurrent, cacheBytes: configuration.cacheBytes)
    let queue = EngineQueue(
        sampleLimit: (session?.slotCount ?? 0) + configuration.maxWaiting,
        jobLimit: 1 + configuration.maxWaiting
    )
    let reward = try ScoringModel(configuration)
    let service = Service(
        language: talking.map { configuration.served($0, by: queue) },
        reward: reward?.served(by: queue),
        gate: Gate(token: token, host: configuration.host),
        limits: configuration.limits,
        log: AccessLog(note)
    )
    Interruption.listen()
    let server = try HTTPServer(service, host: configuration.host, port: configuration.port)
    note(configuration.readiness(service, session, port: server.port))
    Task.detached {
        // A signal's handler may do next to nothing, so it is looked for.
        while Interruption.signal == nil { try? await Task.sleep(for: .milliseconds(50)) }
        note(
            "rto serve: stopping; requests under way have \(Int(configuration.gracePeriod)) s, another signal ends at once"
        )
        await server.stop()
        queue.stop()
    }
    var loop = AnsweringLoop(queue, session: session, reward: reward?.judge)
    loop.run()
}

/// The token that requests must bear.
private enum BearerToken {
    /// The token of the flag, the file or the environment, in this order; nil where none is given.
    static func read(_ configuration: ServeConfiguration) throws -> String? {
        let environment = ProcessInfo.processInfo.environment[ServeConfiguration.tokenVariable]
        let place: String
        let text: String
        if let token = configuration.token {
            (place, text) = ("--token", token)
        } else if let file = configuration.tokenFile {
            (place, text) = (file, try textFile(file).trimmingCharacters(in: .whitespacesAndNewlines))
        } else if let environment {
            (place, text) = (ServeConfiguration.tokenVariable, environment)
        } else {
            return nil
        }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw TrainingError("\(place): a token is letters, digits and marks of ASCII without spaces", .usage)
        }
        return text
    }
}

/// A reward model with its tokenizer.
private struct ScoringModel {
    let judge: RewardJudge
    private let directory: URL
    private let tokenizer: Tokenizer
    private let contextLength: Int

    init?(_ configuration: ServeConfiguration) throws {
        guard let path = configuration.rewardModel else { return nil }
        directory = URL(filePath: path)
        let precision = configuration.compute.precision.dtype
        let device = try chosenDevice(configuration.compute)
        let model = try ScoreModel.load(directory, .frozen(precision, on: device), precision: precision)
        // Another tokenizer than its own is the language model's affair where there is one.
        let place = configuration.model.model.isEmpty ? configuration.model.tokenizer ?? path : path
        guard let found = try loadTokenizer(place, vocabularySize: model.configuration.vocabularySize) else {
            throw TrainingError("\(path): /get_reward is sent texts, and the reward model's directory has no tokenizer")
        }
        tokenizer = found
        contextLength = try model.configuration.contextLength(wanted: nil, standard: 1 << 17, path)
        let statistics = model.configuration.statistics
        guard statistics != nil || !configuration.normalizeReward else {
            throw TrainingError(
                "\(path): --normalize-reward needs \"mean\" and \"std\" in the reward model's config.json; "
                    + "`rto train reward --eval-data` or `--eval-share` writes them"
            )
        }
        judge = RewardJudge(model: model, statistics: configuration.normalizeReward ? statistics : nil)
    }

    func served(by queue: EngineQueue) -> ServedRewardModel {
        ServedRewardModel(
            name: servedName(directory.path),
            created: Int(Date().timeIntervalSince1970),
            tokenizer: tokenizer,
            contextLength: contextLength,
            engine: queue
        )
    }
}

extension ServeConfiguration {
    fileprivate func talkingModel() throws -> TalkingModel? {
        guard !model.model.isEmpty else { return nil }
        return try TalkingModel(model, data, compute, maxLength: maxLength, command: command)
    }

    fileprivate func served(_ talking: TalkingModel, by queue: EngineQueue) -> ServedModel {
        ServedModel(
            name: name ?? servedName(model.model),
            created: Int(Date().timeIntervalSince1970),
            prompts: talking.prompts,
            vocabularySize: talking.model.configuration.vocabularySize,
            contextLength: talking.contextLength,
            answerLimit: maxNewTokens,
            stopTokens: talking.stopTokens,
            engine: queue
        )
    }

    fileprivate var limits: ServerLimits {
        var limits = ServerLimits()
        limits.bodyBytes = maxBodyBytes
        limits.connections = maxConnections
        limits.bodySeconds = bodyTimeout
        limits.answerSeconds = requestTimeout
        limits.graceSeconds = gracePeriod
        return limits
    }

    /// One line that says where, what and how much at once.
    fileprivate func readiness(_ service: Service, _ session: GenerationSession?, port: Int) -> String {
        var models: [String] = []
        if let language = service.language, let session {
            models.append(
                "'\(language.name)', \(session.slotCount) answers at once in \(language.contextLength) tokens each"
            )
        }
        if let reward = service.reward { models.append("rewards of '\(reward.name)'") }
        let address = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        return "rto serve: ready at http://\(address):\(port)/v1: " + models.joined(separator: "; ")
    }
}
