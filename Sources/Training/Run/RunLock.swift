import Foundation

/// Keeps a second process from training into the same run; the system releases it with the process, however that ends.
final class RunLock {
    private let descriptor: Int32

    /// Locks the run by its recipe.
    ///
    /// - Throws: `TrainingError` where another process has it.
    init(_ run: RunDirectory) throws {
        descriptor = open(run.recipeURL.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError(run.recipeURL, "cannot be opened") }
        // A throw from here on runs deinit, which closes the file.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw TrainingError("\(run.url.path): another process is training this run; wait for it or stop it first")
        }
    }

    deinit { close(descriptor) }
}
