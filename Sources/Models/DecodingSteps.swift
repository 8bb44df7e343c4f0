import Torch

/// The steps in which a session samples: each row's newest token through the model, over the row's cached past.
///
/// On a device the rows are filled up to a power of two, and from the second step of as many rows on, the launches of a step are
/// recorded and replayed: started one by one they take longer than they run.
final class DecodingSteps {
    private let model: LanguageModel
    private let cache: KeyValueCache
    private var recorded: [Int: RecordedStep] = [:]
    /// How often steps of so many rows were not replayed.
    private var counts: [Int: Int] = [:]

    /// Launches with the tensor that they read, tokens, slots and lengths `[3, rows]`, and the one that they fill.
    private struct RecordedStep {
        let graph: DeviceGraph
        let input: Tensor
        let logits: Tensor
    }

    /// Steps of a model as it is now.
    init(_ model: LanguageModel, _ cache: KeyValueCache) {
        self.model = model
        self.cache = cache
    }

    /// Logits `[rows, vocabulary]`, float32, which stay as they are until the next call.
    ///
    /// - Parameters:
    ///   - tokens: the newest token of each row
    ///   - slots: where each row lives
    ///   - lengths: how many tokens it has there, which is the newest one's position
    func logits(tokens: [Int], slots: [Int], lengths: [Int]) -> Tensor {
        guard cache.isRecordable else {
            return logits(
                Tensor(tokens).to(model.device),
                positions: Tensor(lengths).to(model.device),
                CacheRows(slots: slots, lengths: lengths)
            )
        }
        let count = tokens.count
        let width = powerOfTwo(atLeast: count)
        let rest = width - count
        let input = Tensor(
            tokens + zeros(rest) + slots + Array(repeating: cache.spareSlot ?? 0, count: rest) + lengths + zeros(rest),
            shape: [3, width]
        )
        return logits(input).narrowed(0, 0..<count)
    }

    private func logits(_ input: Tensor) -> Tensor {
        let width = input.size(1)
        if let step = recorded[width] {
            step.input.copy(from: input)
            step.graph.replay()
            return step.logits
        }
        let place = input.to(model.device)
        counts[width, default: 0] += 1
        var logits: Tensor?
        // What warms up is done by then, and whoever samples a few tokens only pays for no recording.
        if counts[width] == 2, let graph = DeviceGraph(on: model.device, { logits = step(place) }), let logits {
            recorded[width] = RecordedStep(graph: graph, input: place, logits: logits)
            graph.replay()
            return logits
        }
        return step(place)
    }

    /// A step of tokens, slots and lengths `[3, rows]` on the device.
    private func step(_ input: Tensor) -> Tensor {
        logits(input.selected(0, 0), positions: input.selected(0, 2), CacheRows(table: input.narrowed(0, 1..<3)))
    }

    private func logits(_ tokens: Tensor, positions: Tensor, _ rows: CacheRows) -> Tensor {
        let hidden = model.decoder.newTokens(
            tokens,
            positions: positions,
            dtype: model.precision,
            cache: cache,
            rows: rows
        )
        return model.project(hidden)
    }

    private func zeros(_ count: Int) -> [Int] { [Int](repeating: 0, count: count) }

    private func powerOfTwo(atLeast count: Int) -> Int {
        var width = 1
        while width < count { width *= 2 }
        return width
    }
}
