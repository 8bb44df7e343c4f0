import Foundation
import HTTP
import JSONText
import Models
import Objectives
import Tokenizers
import Torch

/// A server that scores responses by OpenRLHF's protocol.
///
/// It is sent `{"query": […], "prompts": […]}`, the whole texts and their prompts with special tokens kept, and answers
/// `{"rewards": […]}` or `{"scores": […]}`: a number for each text, or for each a list with a number for each token of its
/// response. Everything else ends the run with a sentence, before anything of it is trained on.
struct RemoteJudge: RewardSource {
    let client: HTTPClient
    let url: URL
    let tokenizer: Tokenizer
    /// Whether responses to one prompt are compared by their scores, which rewards of tokens are not.
    var comparesSamples = false
    /// What the server demands, as `rto serve` does beyond its own machine.
    var token: String?
    /// Texts of one call.
    var callSize = 128

    func judge(_ rows: [ResponseBatch.Row], _ batches: [ResponseBatch]) throws -> Judgement {
        var rewards: [JSON] = []
        for start in stride(from: 0, to: rows.count, by: callSize) {
            rewards += try ask(Array(rows[start..<min(start + callSize, rows.count)]))
        }
        guard rewards.contains(where: { $0.array != nil }) else {
            return Judgement(scores: Tensor(try rewards.enumerated().map { try number($1, "response \($0 + 1)") }))
        }
        guard !comparesSamples else {
            throw failure(
                "rewards of single tokens came, and the estimator of --advantage compares whole responses; "
                    + "answer a number for each response, or use gae or reinforce++"
            )
        }
        let tokens = try zip(rows, rewards).enumerated().map { index, pair in
            try tokenRewards(pair.1, of: pair.0, "response \(index + 1)")
        }
        return Judgement(scores: Tensor.zeros([rows.count]), tokenScores: Tensor(tokens.flatMap { $0 }))
    }

    private func ask(_ rows: [ResponseBatch.Row]) throws -> [JSON] {
        func texts(_ ids: (ResponseBatch.Row) -> [Int]) -> JSON {
            .array(rows.map { .string(tokenizer.decode(ids($0), skipSpecialTokens: false)) })
        }
        let body: JSON = ["query": texts { $0.prompt + $0.response }, "prompts": texts(\.prompt)]
        let answer: JSON
        do {
            let fields = token.map { ["Authorization": "Bearer " + $0] } ?? [:]
            answer = try client.blockingAnswer(HTTPRequest(url, headers: fields, body: body))
        } catch {
            throw OutsideFailure(error.description)
        }
        guard let rewards = (answer["rewards"] ?? answer["scores"])?.array else {
            throw failure("the answer has no list of \"rewards\" or \"scores\"")
        }
        guard rewards.count == rows.count else {
            throw failure("\(rewards.count) rewards came for \(rows.count) responses")
        }
        return rewards
    }

    private func tokenRewards(_ json: JSON, of row: ResponseBatch.Row, _ place: String) throws -> [Float] {
        guard let list = json.array else {
            throw failure("\(place) has one reward where others have one for each token")
        }
        guard list.count == row.response.count else {
            throw failure("\(place) has \(list.count) rewards for its \(row.response.count) tokens")
        }
        return try list.map { try number($0, place) }
    }

    private func number(_ json: JSON, _ place: String) throws -> Float {
        guard let number = json.number.map({ Float($0) }), number.isFinite else {
            throw failure("the reward of \(place) is \(json.serialized().prefix(40)), not a finite number")
        }
        return number
    }

    private func failure(_ reason: String) -> OutsideFailure { OutsideFailure("\(url.absoluteString): \(reason)") }
}
