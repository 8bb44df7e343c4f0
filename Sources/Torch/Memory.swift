import Foundation
import Synchronization

/// Counters that show whether a run leaks and how much memory it takes.
public enum Memory {
    static let liveCount = Atomic<Int>(0)

    /// Tensors that Swift holds now.
    public static var liveTensors: Int { liveCount.load(ordering: .relaxed) }

    /// The largest resident size of this process so far, in bytes.
    public static var peakResidentBytes: Int {
        statusField("VmHWM:")
    }

    /// The resident size of this process now, in bytes.
    public static var residentBytes: Int {
        statusField("VmRSS:")
    }

    /// A field of the kernel's account of this process; zero where there is none (not Linux).
    private static func statusField(_ name: String) -> Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return kibibytes * 1024
    }
}
