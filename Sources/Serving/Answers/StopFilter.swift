/// Cuts a text that comes in pieces at the first of several texts, of which no part is ever handed out.
public struct StopFilter: Sendable {
    private let stops: [[UInt8]]
    /// What may be the beginning of a stop.
    private var held: [UInt8] = []
    /// Whether a stop has come.
    public private(set) var isStopped = false

    /// A filter that cuts at the first of the texts.
    public init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) } }

    /// Takes the next piece, whole characters, and returns what is certain to stand before any stop.
    public mutating func take(_ piece: some Sequence<UInt8>) -> [UInt8] {
        guard !isStopped else { return [] }
        held += piece
        guard !stops.isEmpty else { return release(held.count) }
        if let place = stops.compactMap({ held.firstRange(of: $0)?.lowerBound }).min() {
            isStopped = true
            let text = Array(held[..<place])
            held = []
            return text
        }
        let longest = stops.map { lengthOfBeginning(of: $0) }.max() ?? 0
        return release(held.count - longest)
    }

    /// Returns what was held back, as nothing follows.
    public mutating func finish() -> [UInt8] { release(held.count) }

    private mutating func release(_ count: Int) -> [UInt8] {
        defer { held.removeFirst(count) }
        return Array(held[..<count])
    }

    /// How many of the last bytes are the beginning of a stop.
    private func lengthOfBeginning(of stop: [UInt8]) -> Int {
        let longest = min(stop.count - 1, held.count)
        return (0...max(0, longest)).reversed().first { held.suffix($0).elementsEqual(stop.prefix($0)) } ?? 0
    }
}
