import Foundation

/// Writes a sentence to standard error.
func note(_ text: String) {
    // Standard error may be closed or full, which is no reason to stop.
    try? FileHandle.standardError.write(contentsOf: Data((harmlessText(text) + "\n").utf8))
}

/// A text without what a terminal obeys: control characters but for line breaks and tabs are written by their numbers, `\u{001B}`.
///
/// Texts of models and files go through this wherever a person's terminal may show them.
public func harmlessText(_ text: String) -> String {
    func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
    }
    guard text.unicodeScalars.contains(where: isObeyed) else { return text }
    var harmless = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if isObeyed(scalar) {
            harmless += String(format: "\\u{%04X}", scalar.value).unicodeScalars
        } else {
            harmless.append(scalar)
        }
    }
    return String(harmless)
}

/// Progress on standard error: a live line with rate and time left on a terminal, plain lines elsewhere.
struct ProgressLine {
    private let totalSteps: Int
    private let firstStep: Int
    private let start = ContinuousClock.now
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var isOpen = false

    init(totalSteps: Int, firstStep: Int) {
        self.totalSteps = totalSteps
        self.firstStep = firstStep
    }

    mutating func show(_ metrics: Metrics, isLogged: Bool) {
        guard isTerminal || isLogged, let step = metrics["step"].map({ Int($0) }) else { return }
        let elapsed = Double((ContinuousClock.now - start).components.seconds) + 1e-9
        let left = elapsed / Double(max(1, step - firstStep)) * Double(totalSteps - step)
        var parts = ["step \(step)/\(totalSteps)"]
        for (name, label) in Self.shown {
            if let value = metrics[name] { parts.append("\(label) \(Self.short(value))") }
        }
        if let rate = metrics["tokens_per_second"] { parts.append("\(Int(rate)) tokens/s") }
        parts.append("\(Self.clock(left)) left")
        let text = parts.joined(separator: "  ")
        if isTerminal {
            // A terminal that went away must not end the run.
            try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[2K\(text)".utf8))
            isOpen = true
        } else {
            note(text)
        }
    }

    /// Ends a live line.
    mutating func finish() {
        if isOpen { note("") }
        isOpen = false
    }

    private static let shown = [
        ("loss", "loss"), ("grad_norm", "grad"), ("accuracy", "accuracy"), ("rewards/accuracies", "accuracy"),
        ("objective/scores", "score"), ("objective/kl", "kl"), ("response_length/mean", "length"),
    ]

    private static func short(_ value: Double) -> String { String(format: "%.4g", value) }

    private static func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e9))
        return whole >= 3600
            ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
            : String(format: "%d:%02d", whole / 60, whole % 60)
    }
}
