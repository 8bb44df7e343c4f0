import Torch

/// Keys and values of sequences that are being sampled: a fixed number of slots of a fixed length.
final class KeyValueCache {
    /// A layer's keys, `[slots, key-value heads, capacity, dimension]`: what one head reads lies together.
    let keys: [Tensor]
    /// A layer's values, `[slots, key-value heads, capacity, dimension]`.
    let values: [Tensor]

    /// On a device, one more slot than was asked for, where that was several: where rows write that only fill up a step.
    let spareSlot: Int?

    private let isFused: Bool
    /// What blocks of a device that share a row count in, and leave at zero.
    private let arrivals: Tensor?

    init(_ configuration: ModelConfiguration, slots: Int, capacity: Int, dtype: DType, device: Device) {
        let isOnDevice = device != .cpu
        spareSlot = isOnDevice && slots > 1 ? slots : nil
        let shape = [
            slots + (spareSlot == nil ? 0 : 1), configuration.keyValueHeadCount, capacity, configuration.headDimension,
        ]
        func places() -> [Tensor] { (0..<configuration.layerCount).map { _ in Tensor.empty(shape, dtype, on: device) } }
        (keys, values) = Memory.onHugePages { (places(), places()) }
        let fits = !isOnDevice || configuration.headDimension % 8 == 0 && configuration.headDimension <= 256
        isFused = fits && [.float32, .bfloat16].contains(dtype)
        let most = 2 * (slots + 1) * configuration.keyValueHeadCount
        arrivals = isOnDevice && isFused ? Tensor.zeros([most], .int32, on: device) : nil
    }

    /// Bytes that one slot of a length takes in all layers.
    static func slotBytes(_ configuration: ModelConfiguration, capacity: Int, dtype: DType) -> Int {
        2 * configuration.layerCount * capacity * configuration.keyValueHeadCount * configuration.headDimension
            * dtype.byteSize
    }

    /// Whether a step reads where its rows live on the device alone, so that it can be recorded.
    var isRecordable: Bool { arrivals != nil }

    /// Copies a layer's keys and values of runs of tokens to the start of slots.
    func fill(layer: Int, keys: Tensor, values: Tensor, _ copies: CacheCopies) {
        guard isFused else { return plainFill(layer: layer, keys: keys, values: values, copies) }
        Tensor.fillCache(
            keys: keys,
            values: values,
            keyCache: self.keys[layer],
            valueCache: self.values[layer],
            copies
        )
    }

    /// The same copy by copy: the oracle of the fused path, and the path of other types.
    func plainFill(layer: Int, keys: Tensor, values: Tensor, _ copies: CacheCopies) {
        for (range, slot) in copies.copies {
            for (source, cache) in [(keys, self.keys[layer]), (values, self.values[layer])] {
                cache.selected(0, slot).narrowed(1, 0..<range.count).copy(
                    from: source.narrowed(0, range).transposed(0, 1)
                )
            }
        }
    }

    /// Whether new tokens are taken as one product made their queries, keys and values.
    var takesProjections: Bool { isFused && !isRecordable }

    /// Attention of one new token a row, which is added to the cache, from rows that hold its queries, keys and values.
    func attend(layer: Int, projected: Tensor, heads: ProjectedHeads, rows: CacheRows, rule: AttentionRule) -> Tensor {
        Tensor.decodeAttention(
            projected: projected,
            heads: heads,
            keyCache: keys[layer],
            valueCache: values[layer],
            rows: rows,
            rule: rule
        )
    }

    /// Attention of one new token a row, which is added to the cache.
    func attend(
        layer: Int,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        rows: CacheRows,
        rule: AttentionRule
    ) -> Tensor {
        guard isFused else {
            return plainAttend(layer: layer, queries: queries, keys: keys, values: values, rows: rows, rule: rule)
        }
        return Tensor.decodeAttention(
            queries: queries,
            keys: keys,
            values: values,
            keyCache: self.keys[layer],
            valueCache: self.values[layer],
            rows: rows,
            arrivals: arrivals,
            rule: rule
        )
    }

    /// The same written out row by row: the oracle of the fused path, and the path of other types.
    func plainAttend(
        layer: Int,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        rows: CacheRows,
        rule: AttentionRule
    ) -> Tensor {
        let outputs = (0..<rows.count).map { row in
            let (slot, length) = rows[row]
            let keyRows = self.keys[layer].selected(0, slot)
            let valueRows = self.values[layer].selected(0, slot)
            keyRows.narrowed(1, length..<length + 1).copy(from: keys.selected(0, row).unsqueezed(1))
            valueRows.narrowed(1, length..<length + 1).copy(from: values.selected(0, row).unsqueezed(1))
            let group = queries.size(1) / keys.size(1)
            let seen = max(0, length + 1 - (rule.window ?? length + 1))..<length + 1
            let past = keyRows.narrowed(1, seen).repeated(group, along: 0)
            let content = valueRows.narrowed(1, seen).repeated(group, along: 0)
            let query = queries.selected(0, row).unsqueezed(1)
            let scores = query.matmul(past.transposed(1, 2)) * rule.scale
            let weights = (rule.softCap.map { scores.softCapped($0) } ?? scores).softmax()
            return weights.matmul(content).squeezed(1)
        }
        return Tensor.stacked(outputs)
    }
}
