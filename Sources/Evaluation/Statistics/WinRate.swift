/// How often a model is preferred to its baseline, as AlpacaEval counts.
///
/// A preference is a number from 1, the baseline wins, to 2, the model wins; exactly 1.5, or 0 as old files have it, is a draw.
public struct WinRate: Equatable, Sendable {
    /// 100 · mean of the preferences less 1.
    public let winRate: Double
    /// 100 · sd/√n of them.
    public let standardError: Double
    /// Preferences above 1.5.
    public let wins: Int
    /// Preferences below 1.5.
    public let baselineWins: Int
    /// Draws.
    public let draws: Int
    /// Preferences that count.
    public let total: Int
    /// The win rate of preferences rounded to 1 or 2.
    public let discreteWinRate: Double

    /// Counts preferences; those that are missing or outside 1 to 2 are left out, as the original does.
    public init(_ preferences: [Double?]) {
        let given = preferences.compactMap { $0 }.map { $0 == 0 ? 1.5 : $0 }
        let kept = given.filter(Self.isPreference).map { $0 - 1 }
        winRate = 100 * Sample.mean(kept)
        standardError = 100 * Sample.standardError(kept)
        wins = kept.count { $0 > 0.5 }
        baselineWins = kept.count { $0 < 0.5 }
        draws = given.count { $0 == 1.5 }
        total = kept.count
        // Rounded before it is checked: 2.4 is not a preference, but counts as 2 here.
        let rounded = given.map { $0 == 1.5 ? 1.5 : $0.rounded(.toNearestOrEven) }.map { $0 == 0 ? 1.5 : $0 }
        discreteWinRate = 100 * Sample.mean(rounded.filter(Self.isPreference).map { $0 - 1 })
    }

    static func isPreference(_ value: Double) -> Bool { value >= 1 && value <= 2 }
}
