import Configuration
import Datasets

/// Which rows an optimizer step takes: a function of the seed and the step, so that a resumed run needs no position.
struct DataSchedule {
    let rowCount: Int
    let batchSize: Int
    let seed: UInt64
    let isShuffled: Bool
    /// Batches in one pass; rows that fill no batch are left for another epoch's order.
    let stepsPerEpoch: Int
    /// Steps of the whole run: all epochs, or `--max-steps` where that is less.
    let totalSteps: Int
    private let orders = LastEpochOrder()

    init(
        rowCount: Int,
        batchSize: Int,
        epochs: Int,
        maxSteps: Int?,
        seed: Int,
        isShuffled: Bool,
        noun: String
    ) throws {
        guard rowCount >= batchSize else {
            throw TrainingError(
                "the data hold \(rowCount) usable \(noun), fewer than one batch of \(batchSize); lower the batch size"
            )
        }
        self.rowCount = rowCount
        self.batchSize = batchSize
        self.seed = UInt64(bitPattern: Int64(seed))
        self.isShuffled = isShuffled
        stepsPerEpoch = rowCount / batchSize
        totalSteps = min(boundedProduct(stepsPerEpoch, epochs), maxSteps ?? .max)
    }

    /// The rows of a step, counted from 0.
    func rows(step: Int) -> [Int] {
        let order = orders.order(of: step / stepsPerEpoch) { epoch in
            EpochOrder(count: rowCount, seed: seed, epoch: epoch, shuffles: isShuffled)
        }
        let start = step % stepsPerEpoch * batchSize
        return Array(order.indices[start..<start + batchSize])
    }
}

/// The order of the epoch that was asked for last: making one takes as long as the data have rows, which is too much for
/// every step.
private final class LastEpochOrder {
    private var last: (epoch: Int, order: EpochOrder)?

    func order(of epoch: Int, making make: (Int) -> EpochOrder) -> EpochOrder {
        if let last, last.epoch == epoch { return last.order }
        let order = make(epoch)
        last = (epoch, order)
        return order
    }
}

/// The product of two counts, or 2⁵³ where it is more: no run makes so many steps, and settings may ask for as many.
func boundedProduct(_ first: Int, _ second: Int) -> Int {
    let (product, isTooLarge) = first.multipliedReportingOverflow(by: second)
    return isTooLarge ? 1 << 53 : min(product, 1 << 53)
}
