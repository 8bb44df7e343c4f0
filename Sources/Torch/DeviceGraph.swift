import CLibTorch
import Foundation

/// Launches on a CUDA device that are recorded once and then started as a whole, so that a step of many small operators waits
/// for the device and not for the processor that starts them.
public final class DeviceGraph {
    private let handle: UnsafeMutableRawPointer

    /// Records what `body` launches on a device; nil, with a line on standard error, where this build of LibTorch records nothing.
    ///
    /// What the body launches does not run yet. It must have run before, since what is made once is not recorded, and copy nothing
    /// between processor and device. Tensors that it reads and makes keep their places in memory: whoever replays the graph changes
    /// the ones it reads and finds the results in the ones it made.
    public init?(on device: Device, _ body: () -> Void) {
        guard case .cuda(let index) = device else { return nil }
        let recorded = withoutActuallyEscaping(body) { body in
            var body = body
            return withUnsafeMutablePointer(to: &body) { pointer in
                libtorch.pointee.record_graph(
                    Int32(index),
                    { $0.assumingMemoryBound(to: (() -> Void).self).pointee() },
                    pointer
                )
            }
        }
        guard let recorded else {
            _ = Self.warning
            return nil
        }
        handle = recorded
    }

    /// Said once: whoever waits longer than needed should know why.
    private static let warning: Void = FileHandle.standardError.write(
        Data("rto: steps are not recorded here (\(LibTorch.lastError)); their launches are started one by one\n".utf8)
    )

    deinit { libtorch.pointee.release_graph(handle) }

    /// Starts the recorded launches; traps where the device has failed.
    public func replay() {
        precondition(libtorch.pointee.replay_graph(handle) == 0, "replay: \(LibTorch.lastError)")
    }
}
