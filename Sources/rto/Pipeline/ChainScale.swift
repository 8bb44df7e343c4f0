import Configuration
import PocketWorld

/// How much data a chain has, and how long it learns from them.
struct ChainScale {
    /// How many rows each file of the world has.
    var sizes: WorldCorpus.Sizes
    var pretrainingEpochs = 3
    var rewardEpochs = 2
    /// Rollouts of an update of reinforcement learning; each collection of rollouts makes four updates.
    var batchSize = 32
    /// Well above the longest sensible response.
    var maxNewTokens = 100
    /// What the learning rates of reward model, critic and methods are multiplied by.
    var learningRateScale = 1.0
    /// Models as small as the world's gain nothing from another device.
    var device = DeviceChoice.cpu

    /// A chain within a minute.
    static let quickstart = ChainScale(sizes: WorldCorpus.Sizes())

    /// A chain of the table.
    static let table: ChainScale = {
        var scale = quickstart
        scale.sizes.pretraining = 12800
        scale.sizes.preferences = 8192
        return scale
    }()

    /// A chain of a few steps, whose outcome means nothing.
    static let miniature: ChainScale = {
        var scale = quickstart
        (scale.sizes.pretraining, scale.sizes.fineTuning, scale.sizes.preferences) = (32, 32, 32)
        (scale.sizes.heldOutPreferences, scale.sizes.reinforcement, scale.sizes.evaluation) = (8, 64, 8)
        (scale.pretrainingEpochs, scale.rewardEpochs) = (1, 1)
        (scale.batchSize, scale.maxNewTokens) = (1, 12)
        return scale
    }()
}
