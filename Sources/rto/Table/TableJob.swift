import Foundation

/// Something to be done for a table once the files that it needs are there.
struct TableJob {
    enum Work {
        /// A command in a process of its own.
        case command(PipelineStep)
        /// Something quick, done by this process.
        case here(() throws -> Void)
    }

    let name: String
    /// Files without which it cannot begin.
    let needs: [String]
    /// Products of other jobs that must be there or never come, since it uses what there is.
    let after: [String]
    /// The file that it leaves last.
    let product: String
    let work: Work

    /// Where it is noted that the run diverged, so that nobody tries again.
    var divergence: String { Self.divergence(of: product) }

    /// Whether there is nothing to do any more.
    var isOver: Bool { Self.isOver(product) }

    /// Whether everything that it needs is there.
    var isReady: Bool {
        needs.allSatisfy { FileManager.default.fileExists(atPath: $0) } && after.allSatisfy(Self.isOver)
    }

    private static func divergence(of product: String) -> String {
        // Beside the run's directory, which is the run's own.
        URL(filePath: product).deletingLastPathComponent().path + ".diverged"
    }

    private static func isOver(_ product: String) -> Bool {
        [product, divergence(of: product)].contains { FileManager.default.fileExists(atPath: $0) }
    }

    /// A command.
    init(_ step: PipelineStep, needs: [String]) {
        (name, product, work) = (step.name, step.product, .command(step))
        (self.needs, after) = (needs, [])
    }

    /// Something quick.
    init(
        _ name: String,
        needs: [String],
        after: [String] = [],
        product: String,
        _ work: @escaping () throws -> Void
    ) {
        (self.name, self.product, self.work) = (name, product, .here(work))
        (self.needs, self.after) = (needs, after)
    }
}
