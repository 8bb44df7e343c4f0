import Objectives
import Testing

@Suite("forcingEndOfSequence and the reference's masks")
struct EndOfSequenceTests {
    @Test("replaces the last token of a response that was cut, and nothing else")
    func byHand() {
        #expect(forcingEndOfSequence([1, 2, 3], isFinished: false, endOfSequence: 9) == [1, 2, 9])
        #expect(forcingEndOfSequence([1, 2, 9], isFinished: true, endOfSequence: 9) == [1, 2, 9])
        #expect(forcingEndOfSequence([9], isFinished: true, endOfSequence: 9) == [9])
        #expect(forcingEndOfSequence([], isFinished: false, endOfSequence: 9) == [])
    }

    @Test("doing it twice is doing it once")
    func idempotence() {
        let once = forcingEndOfSequence([4, 5], isFinished: false, endOfSequence: 9)
        #expect(forcingEndOfSequence(once, isFinished: false, endOfSequence: 9) == once)
    }

    @Test("the masks derived from ids are the reference's", .needsSharedFixtures)
    func masks() throws {
        try Fixture("process_sequences").run { recorded in
            let masks = try self.masks(recorded)
            #expect(masks.map(\.sequence) == (try recorded.integerRows("sequences", of: "outputs")))
            #expect(masks.map(\.attention) == (try recorded.integerRows("attention_mask", of: "outputs")))
            #expect(masks.map(\.actions) == (try recorded.integerRows("action_mask", of: "outputs")))
        }
    }

    @Test(
        "a ragged response is the reference's active tokens, wherever ids tell its end",
        .needsSharedFixtures
    )
    func raggedResponses() throws {
        var compared = 0
        try Fixture("process_sequences").run { recorded in
            let (promptLength, endOfSequence) = try (recorded.integer("input_len"), recorded.integer("eos"))
            let padding = try recorded.integer("pad")
            for (sequence, masks) in try zip(recorded.integerRows("sequences"), self.masks(recorded)) {
                let slots = Array(sequence[promptLength...])
                guard let sampled = sampledResponse(slots, endOfSequence: endOfSequence, padding: padding) else {
                    continue
                }
                let response = forcingEndOfSequence(
                    sampled.ids,
                    isFinished: sampled.isFinished,
                    endOfSequence: endOfSequence
                )
                #expect(Array(masks.sequence[promptLength...].prefix(response.count)) == response, "\(recorded.name)")
                let expected = slots.indices.map { $0 < response.count ? 1 : 0 }
                #expect(masks.actions == expected, "\(recorded.name)")
                #expect(Array(masks.attention[promptLength...]) == expected, "\(recorded.name)")
                compared += 1
            }
        }
        #expect(compared >= 10)
    }

    private func masks(_ recorded: FixtureCase) throws -> [ReferenceMasks] {
        try recorded.integerRows("sequences").map {
            try ReferenceMasks(
                sequence: $0,
                promptLength: recorded.integer("input_len"),
                endOfSequence: recorded.integer("eos"),
                padding: recorded.integer("pad")
            )
        }
    }

    /// What a sampler would have returned for these slots; `nil` where it cannot have left them: a special id inside the
    /// response, or padding without an end of sequence before it.
    private func sampledResponse(
        _ slots: [Int],
        endOfSequence: Int,
        padding: Int
    ) -> (ids: [Int], isFinished: Bool)? {
        guard let end = slots.firstIndex(of: endOfSequence) else {
            return slots.contains(padding) ? nil : (slots, false)
        }
        let isPadded = slots[(end + 1)...].allSatisfy { $0 == padding }
        return isPadded && !slots[..<end].contains(padding) ? (Array(slots[...end]), true) : nil
    }
}
