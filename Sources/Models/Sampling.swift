import Torch

/// How the next token is chosen.
public struct SamplingParameters: Sendable, Equatable {
    /// The most tokens of a completion.
    public var maxNewTokens: Int
    /// Tokens before which no stop token may come.
    public var minNewTokens: Int
    /// What logits are divided by; not used when greedy.
    public var temperature: Double
    /// Only this many most probable tokens; 0 means all.
    public var topK: Int
    /// Only the most probable tokens whose sum reaches this; 1 means all.
    public var topP: Double
    /// Whether the most probable token is always taken.
    public var isGreedy: Bool
    /// Tokens that end a completion and are its last.
    public var stopTokens: Set<Int>
    /// A token whose log-probability is wanted where a completion ends without it.
    public var reportedToken: Int?

    /// Parameters, by default unrestricted sampling.
    public init(
        maxNewTokens: Int,
        minNewTokens: Int = 0,
        temperature: Double = 1,
        topK: Int = 0,
        topP: Double = 1,
        isGreedy: Bool = false,
        stopTokens: Set<Int> = []
    ) {
        self.maxNewTokens = maxNewTokens
        self.minNewTokens = minNewTokens
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.isGreedy = isGreedy
        self.stopTokens = stopTokens
    }

    /// The temperature of the distribution whose log-probabilities are reported.
    var scoringTemperature: Double { isGreedy ? 1 : temperature }

    /// The same in all that decides which token is chosen: rows of equal rules are chosen for together.
    var choiceRule: SamplingParameters {
        var rule = self
        rule.maxNewTokens = 0
        // Only rows that may not stop yet ask which tokens would stop them.
        if minNewTokens == 0 { rule.stopTokens = [] }
        rule.minNewTokens = 0
        return rule
    }

    private var rule: TokenRule {
        TokenRule(
            temperature: scoringTemperature,
            topK: topK,
            topP: topP,
            isGreedy: isGreedy,
            stopTokens: stopTokens.sorted(),
            reportedToken: reportedToken
        )
    }

    /// Chooses one token for each row of logits `[rows, vocabulary]`, float32.
    ///
    /// Sampling inverts the cumulative distribution at a uniform number of the row's own, so what a row samples does not
    /// depend on the rows beside it. Filters come in the order of transformers: temperature, top-k, top-p.
    /// - Parameters:
    ///   - uniforms: one number in [0, 1) a row
    ///   - mayStop: whether the row may choose a stop token
    /// - Returns: the tokens, and their log-probabilities under softmax(logits / temperature) without filters
    func choose(_ logits: Tensor, uniforms: [Double], mayStop: [Bool]) -> [TokenChoice] {
        logits.device == .cpu || isGreedy || (topK <= 0 && topP >= 1)
            ? logits.chooseTokens(rule, uniforms: uniforms, mayStop: mayStop)
            : plainChoose(logits, uniforms: uniforms, mayStop: mayStop)
    }

    /// The same in tensor operations: the oracle of the fused path, and on a device the path of rules that filter.
    func plainChoose(_ logits: Tensor, uniforms: [Double], mayStop: [Bool]) -> [TokenChoice] {
        let scaled = logits / scoringTemperature
        let logProbabilities = scaled.logSoftmax()
        let allowed = mayStop.allSatisfy { $0 } ? scaled : forbidStops(scaled, mayStop)
        let tokens = isGreedy ? allowed.argmax() : sample(allowed, uniforms)
        let chosen = logProbabilities.gathered(1, tokens.unsqueezed(1)).squeezed(1).floats
        let entropies = (-(logProbabilities.exp() * logProbabilities).sum(-1)).floats
        let reported = reportedToken.flatMap { $0 < logits.size(1) ? $0 : nil }.map {
            logProbabilities.selected(1, $0).floats
        }
        return tokens.integers.enumerated().map { row, token in
            TokenChoice(
                token: token,
                logProbability: chosen[row],
                entropy: entropies[row],
                reportedLogProbability: reported?[row] ?? .nan
            )
        }
    }

    private func forbidStops(_ logits: Tensor, _ mayStop: [Bool]) -> Tensor {
        let vocabulary = logits.size(1)
        var mask = [Bool](repeating: false, count: vocabulary)
        for token in stopTokens where token < vocabulary { mask[token] = true }
        let rows = Tensor(mayStop.map { !$0 }, shape: [mayStop.count, 1]).to(logits.device)
        let columns = Tensor(mask, shape: [1, vocabulary]).to(logits.device)
        let both = rows.to(.float32) * columns.to(.float32)
        return logits.filled(where: both.isGreater(than: 0), with: -.infinity)
    }

    private func sample(_ logits: Tensor, _ uniforms: [Double]) -> Tensor {
        let vocabulary = logits.size(1)
        let draws = Tensor(uniforms, shape: [uniforms.count, 1]).to(logits.device)
        if topK <= 0, topP >= 1 { return invert(logits.softmax(), draws) }
        let (values, indices) = logits.top(topK > 0 ? min(topK, vocabulary) : vocabulary)
        var probabilities = values.softmax()
        if topP < 1 {
            let before = probabilities.cumulativeSum() - probabilities
            let limit = Tensor.full([1, 1], topP, on: logits.device)
            probabilities = probabilities.filled(where: before.isAtLeast(limit), with: 0)
            // The first candidate always stays, also where rounding says otherwise.
            probabilities = Tensor.concatenated(
                [values.softmax().narrowed(1, 0..<1), probabilities.narrowed(1, 1..<probabilities.size(1))],
                along: 1
            )
        }
        return indices.gathered(1, invert(probabilities, draws).unsqueezed(1)).squeezed(1)
    }

    /// The first index whose cumulative probability exceeds the draw times the total, in float64.
    private func invert(_ probabilities: Tensor, _ draws: Tensor) -> Tensor {
        let cumulative = probabilities.to(.float64).cumulativeSum()
        let total = cumulative.narrowed(1, cumulative.size(1) - 1..<cumulative.size(1))
        // Rounding may put the draw at the very end.
        return (draws * total).isAtLeast(cumulative).to(.int64).sum(1)
            .clamped(0, Double(cumulative.size(1) - 1)).to(.int64)
    }
}

/// A stream of uniform numbers of one sequence: SplitMix64 (Steele, Lea and Flood, 2014) from a seed and an index.
///
/// Each sequence has its own, so a sample depends on the run's seed and its number and on nothing else.
public struct RandomStream: Sendable {
    private var state: UInt64

    /// The stream of sequence `index` of a run.
    public init(seed: UInt64, index: UInt64) {
        state = Self.mix(seed) ^ Self.mix(index &+ 0x9E37_79B9_7F4A_7C15)
    }

    /// The next number in [0, 1), with 53 random bits.
    public mutating func next() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Double(Self.mix(state) >> 11) * 0x1p-53
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
