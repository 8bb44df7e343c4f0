import Foundation

/// How much memory this process may still take, as the kernel sees it.
enum MachineMemory {
    /// Bytes to be had without swapping: of the machine, or of the control group where that allows less; nil where the
    /// system does not say (not Linux).
    static var availableBytes: Int? {
        guard let machine = field("MemAvailable:", in: "/proc/meminfo").map({ $0 * 1024 }) else { return nil }
        return min(machine, controlGroupBytes ?? .max)
    }

    /// What is left of the tightest limit that a container or a service puts on this process.
    private static var controlGroupBytes: Int? {
        guard let line = text("/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return nil }
        var group = URL(filePath: "/sys/fs/cgroup").appending(path: String(line.dropFirst(3)))
        var least: Int?
        while group.path.hasPrefix("/sys/fs/cgroup") {
            let folder = group.path
            if let limit = text(folder + "/memory.max").flatMap({ Int($0.filter(\.isNumber)) }) {
                // Cached files make room where they must.
                let taken = field("anon", in: folder + "/memory.stat") ?? 0
                least = min(least ?? .max, max(0, limit - taken))
            }
            group.deleteLastPathComponent()
        }
        return least
    }

    private static func field(_ name: String, in path: String) -> Int? {
        text(path)?.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
            .first { $0.first.map { $0 == name } ?? false }
            .flatMap { $0.count > 1 ? Int($0[1]) : nil }
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
