import Foundation
import Synchronization

/// Remembers that the process was asked to stop, so that the loop can write a checkpoint first.
enum Interruption {
    private static let received = Atomic<Int32>(0)

    /// The signal that arrived, if any.
    static var signal: Int32? {
        let value = received.load(ordering: .relaxed)
        return value == 0 ? nil : value
    }

    /// Starts listening to SIGINT and SIGTERM; a second signal ends the process at once.
    static func listen() {
        // Whoever started this process may have blocked them, which is inherited.
        var both = sigset_t()
        sigemptyset(&both)
        sigaddset(&both, SIGINT)
        sigaddset(&both, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &both, nil)
        for number in [SIGINT, SIGTERM] {
            Foundation.signal(number) { number in
                if Interruption.received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
            }
        }
    }
}
