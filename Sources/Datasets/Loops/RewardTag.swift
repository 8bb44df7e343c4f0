import Foundation
import Tokenizers

/// The words between a prompt and its completion that say how good the completion is (conditional SFT).
///
/// A policy that was fine-tuned on completions behind their rewards is asked for good ones by a high reward: ` <rm_score>: 5.00 `.
/// The tag's tokens are made apart from the prompt's, so that they are the same behind every prompt, in training and in sampling.
public struct RewardTag: Sendable, Equatable {
    /// The tag with the spaces around it.
    public let text: String

    /// The tag of a reward, with two decimals.
    public init(reward: Double) { text = " <rm_score>: " + String(format: "%.2f", reward) + " " }

    /// The tag that a person wrote, with one space on either side.
    public init(written text: String) {
        self.text = " " + text.trimmingCharacters(in: .whitespacesAndNewlines) + " "
    }

    /// The tokens of the tag as they stand within a text.
    public func ids(_ tokenizer: Tokenizer) -> [Int] {
        // Some tokenizers put a space in front of any text, which a letter keeps away from the tag.
        let letter = tokenizer.encode("a", addSpecialTokens: false)
        let ids = tokenizer.encode("a" + text, addSpecialTokens: false)
        guard ids.starts(with: letter) else { return tokenizer.encode(text, addSpecialTokens: false) }
        return Array(ids[letter.count...])
    }
}
