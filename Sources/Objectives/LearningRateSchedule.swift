import Foundation

/// How the learning rate moves over a run, as a factor of its highest value.
///
/// The formulas of transformers' schedulers, with s the step, w the steps of warm-up and S all steps: s / max(1, w) for
/// s < w, so the first of several warm-up steps has rate 0; then, with p = (s − w) / max(1, S − w), what each case says.
public enum LearningRateSchedule: Sendable, Equatable {
    /// 1.
    case constant
    /// 1 − p, at least 0.
    case linear
    /// ½·(1 + cos πp): SGDR (arXiv 1608.03983), equation 5, without restarts.
    case cosine
    /// m + (1 − m)·½·(1 + cos πp), with m the share of the rate that is left at the end.
    case cosineWithMinimum(ratio: Double)

    /// The factor of the rate at a step, counted from 0.
    public func factor(step: Int, totalSteps: Int, warmupSteps: Int) -> Double {
        guard step >= warmupSteps else { return Double(step) / Double(warmupSteps) }
        let progress = Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
        let halfWave = 0.5 * (1 + cos(.pi * progress))
        switch self {
        case .constant: return 1
        case .linear: return max(0, 1 - progress)
        case .cosine: return halfWave
        case .cosineWithMinimum(let ratio): return ratio + (1 - ratio) * halfWave
        }
    }

    /// The steps of warm-up that are a share of all steps, rounded up.
    public static func warmupSteps(ratio: Double, totalSteps: Int) -> Int {
        Int((ratio * Double(totalSteps)).rounded(.up))
    }
}
