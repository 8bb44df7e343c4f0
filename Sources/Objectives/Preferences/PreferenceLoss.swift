import Torch

/// A loss on pairs of a chosen and a rejected response.
///
/// A new method is one value type: its parameters are its properties, its equation is `evaluate`.
public protocol PreferenceLoss: Sendable {
    /// What the loss wants to know of the reference model.
    var referenceNeed: ReferenceNeed { get }

    /// The loss and the rewards of each pair; traps where the reference is needed and missing.
    func evaluate(_ pairs: PreferenceLogProbabilities) -> PreferenceOutcome
}

/// What a preference loss wants to know of the reference model.
public enum ReferenceNeed: Sendable, Equatable {
    /// Nothing: no reference model is loaded.
    case none
    /// The log-probability of each token of the responses.
    case logProbabilities
    /// The whole distribution at each token of the responses.
    case distributions
}

/// The log-probabilities of the responses of some pairs, each summed over the response's tokens, end of sequence included.
public struct PreferenceLogProbabilities {
    /// Of the chosen responses under the policy, `[pairs]`.
    public var chosen: Tensor
    /// Of the rejected responses under the policy, `[pairs]`.
    public var rejected: Tensor
    /// Of the chosen responses under the reference model, `[pairs]`.
    public var referenceChosen: Tensor?
    /// Of the rejected responses under the reference model, `[pairs]`.
    public var referenceRejected: Tensor?
    /// Σₜ KL(π_ref ‖ π) over the tokens of the chosen and of the rejected responses, both `[pairs]`.
    public var divergences: (chosen: Tensor, rejected: Tensor)?
    /// How many tokens each chosen response has.
    public var chosenLengths: [Int]
    /// How many tokens each rejected response has.
    public var rejectedLengths: [Int]

    /// The log-probabilities of pairs; those of the reference model and the divergences from it where the loss needs them.
    public init(
        chosen: Tensor,
        rejected: Tensor,
        referenceChosen: Tensor? = nil,
        referenceRejected: Tensor? = nil,
        divergences: (chosen: Tensor, rejected: Tensor)? = nil,
        chosenLengths: [Int],
        rejectedLengths: [Int]
    ) {
        self.chosen = chosen.precise
        self.rejected = rejected.precise
        self.referenceChosen = referenceChosen?.precise
        self.referenceRejected = referenceRejected?.precise
        self.divergences = divergences.map { ($0.chosen.precise, $0.rejected.precise) }
        self.chosenLengths = chosenLengths
        self.rejectedLengths = rejectedLengths
    }

    /// log π(y) / |y| of the chosen and of the rejected responses, both `[pairs]`.
    var means: (chosen: Tensor, rejected: Tensor) {
        func mean(_ sums: Tensor, _ lengths: [Int]) -> Tensor { sums / perPair(lengths.map { max(1, $0) }) }
        return (mean(chosen, chosenLengths), mean(rejected, rejectedLengths))
    }

    /// log π(y)/π_ref(y) of the chosen and of the rejected responses, both `[pairs]`.
    var logRatios: (chosen: Tensor, rejected: Tensor) {
        guard let referenceChosen, let referenceRejected else {
            preconditionFailure("this preference loss needs the log-probabilities of the reference model")
        }
        return (chosen - referenceChosen, rejected - referenceRejected)
    }

    /// One number a pair, in the type and on the device of the log-probabilities.
    func perPair(_ numbers: [Int]) -> Tensor { Tensor(numbers.map(Double.init)).matching(chosen) }
}

/// What a preference loss makes of pairs.
public struct PreferenceOutcome {
    /// The loss of each pair, `[pairs]`; gradients flow from here.
    public let losses: Tensor
    /// The implicit rewards of the chosen responses, `[pairs]`, without gradient.
    public let chosenRewards: Tensor
    /// The implicit rewards of the rejected responses, `[pairs]`, without gradient.
    public let rejectedRewards: Tensor

    /// The outcome of pairs; gradients of the rewards are cut.
    public init(losses: Tensor, chosenRewards: Tensor, rejectedRewards: Tensor) {
        self.losses = losses
        self.chosenRewards = chosenRewards.detached()
        self.rejectedRewards = rejectedRewards.detached()
    }
}

/// −(1 − ε)·log σ(x) − ε·log σ(−x): the cross-entropy of "chosen wins" when a share ε of the labels is swapped.
func logisticLoss(_ logits: Tensor, labelSmoothing: Double) -> Tensor {
    guard labelSmoothing != 0 else { return -logits.logSigmoid() }
    return (labelSmoothing - 1) * logits.logSigmoid() - labelSmoothing * (-logits).logSigmoid()
}
