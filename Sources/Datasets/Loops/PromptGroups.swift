/// Scored completions by prompt, of which the best and the worst of each are kept, in the order in which prompts appeared.
public struct PromptGroups: Sendable {
    /// What became of the prompts that make no pair.
    public struct Dropped: Sendable, Equatable {
        /// Prompts whose completions all have the same reward, so that none is preferred.
        public var equal = 0
        /// Prompts with a single completion.
        public var single = 0
    }

    /// Two completions of one prompt.
    public struct Pair: Sendable {
        /// The completion with the highest reward, the first of several.
        public let best: ScoredCompletion
        /// The completion with the lowest reward, the first of several.
        public let worst: ScoredCompletion
    }

    private struct Group {
        var best: ScoredCompletion
        var worst: ScoredCompletion
        var count = 1
    }

    private var groups: [Group] = []
    private var places: [[UInt8]: Int] = [:]

    /// No prompts.
    public init() {}

    /// The number of prompts.
    public var count: Int { groups.count }

    /// Adds a completion; prompts are the same where their ids are, else their messages or text.
    public mutating func add(_ completion: ScoredCompletion) {
        guard let place = places[completion.promptIdentity] else {
            places[completion.promptIdentity] = groups.count
            groups.append(Group(best: completion, worst: completion))
            return
        }
        groups[place].count += 1
        if completion.reward > groups[place].best.reward { groups[place].best = completion }
        if completion.reward < groups[place].worst.reward { groups[place].worst = completion }
    }

    /// The best completion of each prompt, the first of several.
    public var best: [ScoredCompletion] { groups.map(\.best) }

    /// Best and worst completion of each prompt that has both, and how many prompts have not.
    public var pairs: (pairs: [Pair], dropped: Dropped) {
        var pairs: [Pair] = []
        var dropped = Dropped()
        for group in groups {
            if group.count == 1 {
                dropped.single += 1
            } else if group.best.reward == group.worst.reward {
                dropped.equal += 1
            } else {
                pairs.append(Pair(best: group.best, worst: group.worst))
            }
        }
        return (pairs, dropped)
    }
}
