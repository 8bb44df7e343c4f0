import Foundation

/// Two responses to one prompt and which of them an imperfect judge preferred.
public struct PreferencePair: Sendable, Equatable {
    /// The prompt.
    public let prompt: String
    /// The preferred response.
    public let chosen: String
    /// The other response.
    public let rejected: String
    /// Whether the gold reward ranks them as the judge did.
    public let agreesWithGold: Bool
}

/// A response that a policy has written.
public struct SampledResponse: Sendable, Equatable {
    /// The text without marks.
    public let text: String
    /// Whether it ended by itself instead of being cut at the length limit.
    public let isFinished: Bool

    /// A response with its ending.
    public init(text: String, isFinished: Bool) {
        self.text = text
        self.isFinished = isFinished
    }
}

/// The imperfect judge: prefers by gold reward, with the noise of Bradley and Terry's model.
///
/// The first response is preferred with probability σ(sharpness · (gold₁ − gold₂)).
public struct PreferenceJudge: Sendable {
    /// How strongly a difference in gold reward decides; 0 is a coin, infinity never errs.
    public var sharpness: Double

    /// A judge of this sharpness.
    public init(sharpness: Double = 2) { self.sharpness = sharpness }

    /// Judges two responses, or returns `nil` where they have the same words, so that there is nothing to learn.
    ///
    /// - Throws: `PocketWorldError.notAPrompt` for a prompt that is not of this world.
    public func judge(
        prompt: String,
        _ first: SampledResponse,
        _ second: SampledResponse,
        using random: inout WorldRandom
    ) throws(PocketWorldError) -> PreferencePair? {
        let scene = try Scene(prompt: prompt)
        let scores = [first, second].map {
            GoldReward().score($0.text, to: scene, isFinished: $0.isFinished).total
        }
        return judge(prompt: prompt, first.text, second.text, golds: (scores[0], scores[1]), using: &random)
    }

    /// Judges two responses whose true rewards are known, or returns `nil` where they have the same words.
    public func judge(
        prompt: String,
        _ first: String,
        _ second: String,
        golds: (first: Double, second: Double),
        using random: inout WorldRandom
    ) -> PreferencePair? {
        guard Words.of(first) != Words.of(second) else { return nil }
        let difference = golds.first - golds.second
        // Where sharpness is infinite and the difference zero, their product is no number; equals are a coin.
        let probability = difference == 0 ? 0.5 : 1 / (1 + exp(-sharpness * difference))
        let prefersFirst = random.happens(probability)
        return PreferencePair(
            prompt: prompt,
            chosen: prefersFirst ? first : second,
            rejected: prefersFirst ? second : first,
            agreesWithGold: prefersFirst == (difference > 0)
        )
    }
}
