import Dispatch

/// Runs the tasks that answer requests on Dispatch's threads, so that no other task of the program can keep them waiting.
final class AnswerExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "answers", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
