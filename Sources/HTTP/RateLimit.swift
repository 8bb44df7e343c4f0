import Foundation

/// What a server's header fields say about when to call again.
enum RateLimit {
    /// Seconds of silence that an answer asks for; `nil` where it asks for none.
    ///
    /// `retry-after-ms`, then `Retry-After` in seconds or as a date (RFC 9110, 10.2.3). An answer that says that nothing remains
    /// (`x-ratelimit-remaining-requests` or `-tokens` is 0, or `RateLimit` has `r=0`) asks to wait for the longest of the resets it names.
    static func silence(_ headers: [String: String], now: Date = Date()) -> Double? {
        if let milliseconds = headers["retry-after-ms"].flatMap(Double.init), isWait(milliseconds) {
            return milliseconds / 1000
        }
        if let text = headers["retry-after"] {
            if let seconds = Double(text), isWait(seconds) { return seconds }
            if let date = date(text) { return max(0, date.timeIntervalSince(now)) }
        }
        let resets = ["requests", "tokens"].compactMap { kind -> Double? in
            guard headers["x-ratelimit-remaining-" + kind] == "0" else { return nil }
            return headers["x-ratelimit-reset-" + kind].flatMap(duration)
        }
        return (resets + [quota(headers["ratelimit"])].compactMap { $0 }).max()
    }

    /// The seconds until a quota is full again that nothing remains of, of a `RateLimit` field as the Hugging Face hub sends it:
    /// `"api";r=0;t=55`.
    private static func quota(_ text: String?) -> Double? {
        guard let text else { return nil }
        let parameters = text.split(separator: ";").map { $0.filter { !$0.isWhitespace } }
        func number(_ name: String) -> Double? {
            parameters.first { $0.hasPrefix(name + "=") }.flatMap { Double($0.dropFirst(name.count + 1)) }
        }
        guard number("r") == 0, let seconds = number("t"), isWait(seconds) else { return nil }
        return seconds
    }

    private static func isWait(_ number: Double) -> Bool { number >= 0 && number.isFinite }

    /// A duration as OpenAI writes it: `1s`, `6m0s`, `20ms`, `1h2m3.5s`; a bare number is seconds.
    static func duration(_ text: String) -> Double? {
        let units = ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "": 1]
        var seconds = 0.0
        var rest = text[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let number = Double(digits), let factor = units[String(unit)] else { return nil }
            seconds += number * factor
            rest = rest.dropFirst(digits.count + unit.count)
        }
        return seconds
    }

    private static func date(_ text: String) -> Date? {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return format.date(from: text)
    }
}
