import Foundation
import JSONText
import PocketWorld
import Safetensors

/// What is kept of a policy's responses to the evaluation prompts, in the order of the prompts.
struct MeasuredPolicy: Equatable {
    /// The true rewards.
    var gold: [Double] = []
    /// The reward model's normalised scores.
    var scores: [Double] = []
    /// Σ (log π − log π_ref) of each response.
    var divergences: [Double] = []
    /// Tokens of each response, the end mark included.
    var lengths: [Int] = []
    /// How often the gold reward of the pocket world found what, per response; empty with another gold.
    var events: [String: Double] = [:]

    /// How often DPO's token reward ranks a token that earns gold above one that loses it; of the pocket world only.
    var separation: Double?

    /// What the responses of the pocket world are counted for.
    static let countedEvents = ["true facts", "false", "repeated", "left out", "rude"]

    init() {}

    /// Scored responses with their true rewards.
    init(_ responses: [ScoredResponse], gold: [Double]) {
        self.gold = gold
        scores = responses.map(\.score)
        divergences = responses.map(\.logRatio)
        lengths = responses.map(\.pieces.count)
    }

    /// Counts what the gold reward found.
    mutating func count(_ gold: [GoldScore]) {
        func mean(_ count: (GoldScore) -> Int) -> Double {
            Double(gold.map(count).reduce(0, +)) / Double(max(1, gold.count))
        }
        let means = [
            mean { $0.count(of: .trueFact) }, mean { $0.count(of: .falseStatement) },
            mean { $0.count(of: .repeatedFact) },
            mean { $0.count(of: .omittedFact) }, mean(\.rudeCount),
        ]
        events = Dictionary(uniqueKeysWithValues: zip(Self.countedEvents, means))
    }

    // The file.

    /// Reads what was measured, or nothing where it was not or cannot be read, so that it is measured again.
    init?(contentsOf path: String) {
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON(parsing: [UInt8](data)) else {
            return nil
        }
        func numbers(_ name: String) -> [Double] { json[name]?.array?.compactMap(\.number) ?? [] }
        gold = numbers("gold")
        scores = numbers("reward_model_score")
        divergences = numbers("kl_to_sft")
        lengths = json["tokens"]?.array?.compactMap(\.integer) ?? []
        for event in Self.countedEvents { events[event] = json["events"]?[event]?.number }
        separation = json["token_reward_separation"]?.number
        let counts = [scores.count, divergences.count, lengths.count]
        guard !gold.isEmpty, counts.allSatisfy({ $0 == gold.count }) else { return nil }
    }

    func write(to path: String) throws {
        var found = JSONObject()
        for event in Self.countedEvents { if let mean = events[event] { found[event] = .number(mean) } }
        let json: JSON = [
            "gold": .array(gold.map(JSON.number)), "reward_model_score": .array(scores.map(JSON.number)),
            "kl_to_sft": .array(divergences.map(JSON.number)), "tokens": .array(lengths.map(JSON.integer)),
            "events": .object(found),
            "token_reward_separation": separation.map(JSON.number) ?? .null,
        ]
        try AtomicFile.write(Array((json.serialized() + "\n").utf8), to: URL(filePath: path))
    }
}
