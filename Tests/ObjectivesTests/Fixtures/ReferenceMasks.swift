/// The masks that the reference code derives from the ids of a padded sequence (algorithms: RTO `Actor.process_sequences`).
///
/// Only for comparison: rollouts carry lengths and a finished flag instead, so that a sampled padding or end-of-sequence id
/// inside a response cannot be mistaken for its end.
struct ReferenceMasks: Equatable {
    /// The ids, with the end of sequence written after the last ordinary token or, where there is no room, over it.
    var sequence: [Int]
    /// 1 from the first ordinary token to the end of sequence.
    var attention: [Int]
    /// 1 where an action was taken, for each slot from the prompt's end.
    var actions: [Int]

    init(sequence: [Int], promptLength: Int, endOfSequence: Int, padding: Int) {
        func isOrdinary(_ id: Int) -> Bool { id != endOfSequence && id != padding }
        // A row without any ordinary token counts as one that starts and ends with one.
        let first = sequence.firstIndex(where: isOrdinary) ?? 0
        let last = sequence.lastIndex(where: isOrdinary) ?? sequence.count - 1
        let end = min(last + 1, sequence.count - 1)
        var edited = sequence
        edited[end] = endOfSequence
        self.sequence = edited
        attention = sequence.indices.map { first <= $0 && $0 <= end ? 1 : 0 }
        actions = (promptLength..<sequence.count).map { slot in
            slot == promptLength || isOrdinary(edited[slot - 1]) ? 1 : 0
        }
    }
}
