/// Days and moments of the Gregorian calendar as ISO 8601 writes them.
enum CalendarText {
    /// The date that lies some days behind 1970-01-01 (Hinnant's algorithm, with eras of 400 years that begin in March).
    static func date(_ days: Int) -> String {
        let (era, day) = floorDivision(days + 719_468, 146_097)
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let civilMonth = month < 10 ? month + 3 : month - 9
        let civilYear = era * 400 + year + (civilMonth <= 2 ? 1 : 0)
        return "\(padded(civilYear, 4))-\(padded(civilMonth, 2))-\(padded(dayOfYear - (153 * month + 2) / 5 + 1, 2))"
    }

    /// The moment that lies a count of units behind the beginning of 1970; its fraction has as many digits as it needs, three by three.
    static func timestamp(_ count: Int, unitsPerSecond: Int) -> String {
        let (seconds, units) = floorDivision(count, unitsPerSecond)
        let (days, second) = floorDivision(seconds, 86_400)
        let time = [second / 3_600, second / 60 % 60, second % 60].map { padded($0, 2) }.joined(separator: ":")
        var fraction = units == 0 ? "" : padded(units * (1_000_000_000 / unitsPerSecond), 9)
        while fraction.hasSuffix("000") { fraction.removeLast(3) }
        return date(days) + "T" + time + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// The quotient rounded down, and what is left, which is never negative.
    static func floorDivision(_ number: Int, _ divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number.magnitude)
        return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
