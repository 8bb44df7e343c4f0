import CLibTorch
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

    /// What large tensors on the CPU take now, those that LibTorch keeps for a backward pass included, in bytes; small ones, below
    /// 256 KiB, are not counted.
    public static var largeTensorBytes: Int { Int(libtorch.pointee.used_memory()) }

    /// Gives memory that tensors have used before and none uses now back to the system.
    ///
    /// Otherwise it is kept for the tensors to come, as far as it and what is used exceed what has been used at once by no more than
    /// 64 MiB; of huge pages no more than 64 MiB are kept.
    public static func returnSpare() { libtorch.pointee.return_spare_memory() }

    /// Calls the body, whose large tensors are made of huge pages where the system has such.
    ///
    /// For what is read at every token: the processor finds it sooner. On the CPU.
    public static func onHugePages<Result>(_ body: () -> Result) -> Result {
        let before = libtorch.pointee.set_huge_pages(true)
        defer { _ = libtorch.pointee.set_huge_pages(before) }
        return body()
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
