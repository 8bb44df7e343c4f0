import Foundation

/// Numbers of runs as tables show them.
enum RunNumber {
    /// Four digits: `0.1235`, `12,346`, `5e-7`.
    static func text(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "not finite" : value < 0 ? "−∞" : "∞" }
        if abs(value) >= 1000, abs(value) < 1e12 { return HTMLText.grouped(Int(value.rounded())) }
        let text = String(format: "%.4g", value == 0 ? 0 : value)
        let parts = text.split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else { return text.replacing("-", with: "−") }
        return parts[0].replacing("-", with: "−") + "e" + String(exponent)
    }

    /// Hours, minutes and seconds.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "–" }
        guard seconds >= 60 else { return String(format: "%.1f s", seconds) }
        let whole = Int(seconds.rounded())
        return whole >= 3600
            ? String(format: "%d h %02d min", whole / 3600, whole / 60 % 60)
            : String(format: "%d min %02d s", whole / 60, whole % 60)
    }
}
