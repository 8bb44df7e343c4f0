/// A response that ends with the end of sequence: where it was cut by the length limit, its last token is replaced by it.
///
/// The reference code's rule, which spares the reward model a text that stops in mid-sentence; the replaced token's
/// probabilities must be computed again. Deviation: whether a response finished comes from the sampler, not from its ids.
/// - Parameters:
///   - response: the sampled ids, with the end of sequence where it was drawn
///   - isFinished: whether it was drawn
///   - endOfSequence: its id
public func forcingEndOfSequence(_ response: [Int], isFinished: Bool, endOfSequence: Int) -> [Int] {
    isFinished || response.isEmpty ? response : response.dropLast() + [endOfSequence]
}
