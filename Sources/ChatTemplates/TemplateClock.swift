import Foundation

/// The local date and time that a template is told.
public struct TemplateClock: Sendable, Equatable {
    private let parts: DateComponents

    /// The machine's date and time, in its time zone.
    public static var now: TemplateClock { TemplateClock(Date()) }

    private init(_ date: Date) {
        parts = Self.calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second, .nanosecond, .weekday, .dayOfYear],
            from: date
        )
    }

    private static var calendar: Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        return calendar
    }

    /// Reads a date as `2025-03-14`, or a date and time as `2025-03-14T09:26:53`; nil for anything else.
    public init?(iso text: String) {
        let halves = text.split(whereSeparator: { $0 == "T" || $0 == " " })
        guard (1...2).contains(halves.count) else { return nil }
        let date = halves[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        let time =
            halves.count == 1
            ? [0, 0, 0] : halves[1].split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard date.count == 3, (2...3).contains(time.count), let year = date[0], let month = date[1],
            let day = date[2], let hour = time[0], let minute = time[1], let second = time.count == 3 ? time[2] : 0,
            (1...9999).contains(year), (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second)
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let components = DateComponents(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard components.isValidDate(in: calendar), let date = calendar.date(from: components) else { return nil }
        parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second, .nanosecond, .weekday, .dayOfYear],
            from: date
        )
    }

    /// What Python's `datetime.strftime` makes of a format.
    func formatted(_ format: String) throws(Fault) -> String {
        var time = tm()
        time.tm_year = Int32((parts.year ?? 1900) - 1900)
        time.tm_mon = Int32((parts.month ?? 1) - 1)
        time.tm_mday = Int32(parts.day ?? 1)
        time.tm_hour = Int32(parts.hour ?? 0)
        time.tm_min = Int32(parts.minute ?? 0)
        time.tm_sec = Int32(parts.second ?? 0)
        time.tm_wday = Int32((parts.weekday ?? 1) - 1)
        time.tm_yday = Int32((parts.dayOfYear ?? 1) - 1)
        time.tm_isdst = -1
        guard format.utf8.count <= 1000 else { throw .limit("a date's format has more than 1000 bytes") }
        var buffer = [CChar](repeating: 0, count: 1 << 17)
        // The mark in front tells an empty text from one that does not fit.
        let count = strftime(&buffer, buffer.count, "!" + withoutZone(format), &time)
        guard count > 0 else { throw .limit("a date's text has more than \(buffer.count) bytes") }
        return String(decoding: buffer[1..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The format with what the C library does not know, or would take from a zone that a local time in Python lacks.
    private func withoutZone(_ format: String) -> String {
        var result = ""
        var isEscaped = false
        for scalar in format.unicodeScalars {
            guard isEscaped else {
                isEscaped = scalar == "%"
                if !isEscaped { result.unicodeScalars.append(scalar) }
                continue
            }
            isEscaped = false
            switch scalar {
            case "z", "Z": break
            case "f":
                let microseconds = String((parts.nanosecond ?? 0) / 1000)
                result += String(repeating: "0", count: 6 - microseconds.count) + microseconds
            default:
                result += "%"
                result.unicodeScalars.append(scalar)
            }
        }
        return isEscaped ? result + "%" : result
    }
}
