import Torch

/// Keys and values of sequences that are being sampled: a fixed number of slots of a fixed length.
final class KeyValueCache {
    /// A layer's keys, `[slots, capacity, key-value heads, dimension]`.
    let keys: [Tensor]
    /// A layer's values, `[slots, capacity, key-value heads, dimension]`.
    let values: [Tensor]

    init(_ configuration: ModelConfiguration, slots: Int, capacity: Int, dtype: DType, device: Device) {
        let shape = [slots, capacity, configuration.keyValueHeadCount, configuration.headDimension]
        keys = (0..<configuration.layerCount).map { _ in Tensor.empty(shape, dtype, on: device) }
        values = (0..<configuration.layerCount).map { _ in Tensor.empty(shape, dtype, on: device) }
    }

    /// Bytes that one slot of a length takes in all layers.
    static func slotBytes(_ configuration: ModelConfiguration, capacity: Int, dtype: DType) -> Int {
        2 * configuration.layerCount * capacity * configuration.keyValueHeadCount * configuration.headDimension
            * dtype.byteSize
    }

    /// Copies a layer's keys and values of one segment to the start of each slot.
    func fill(layer: Int, keys source: Tensor, values: Tensor, _ segment: Segment, slots: [Int]) {
        for slot in slots {
            self.keys[layer].selected(0, slot).narrowed(0, 0..<segment.length).copy(
                from: source.narrowed(0, segment.range)
            )
            self.values[layer].selected(0, slot).narrowed(0, 0..<segment.length).copy(
                from: values.narrowed(0, segment.range)
            )
        }
    }

    /// Attention of one new token a slot, which is added to the cache.
    func attend(
        layer: Int,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        slots: [Int],
        lengths: [Int],
        scale: Double
    ) -> Tensor {
        if queries.device == .cpu {
            return Tensor.decodeAttention(
                queries: queries,
                keys: keys,
                values: values,
                keyCache: self.keys[layer],
                valueCache: self.values[layer],
                slots: slots,
                lengths: lengths,
                scale: scale
            )
        }
        return plainAttend(
            layer: layer,
            queries: queries,
            keys: keys,
            values: values,
            slots: slots,
            lengths: lengths,
            scale: scale
        )
    }

    /// The same written out row by row: the oracle of the fused path, and the path of other devices.
    func plainAttend(
        layer: Int,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        slots: [Int],
        lengths: [Int],
        scale: Double
    ) -> Tensor {
        let rows = slots.indices.map { row in
            let length = lengths[row]
            let keyRows = self.keys[layer].selected(0, slots[row])
            let valueRows = self.values[layer].selected(0, slots[row])
            keyRows.narrowed(0, length..<length + 1).copy(from: keys.narrowed(0, row..<row + 1))
            valueRows.narrowed(0, length..<length + 1).copy(from: values.narrowed(0, row..<row + 1))
            let group = queries.size(1) / keys.size(1)
            let past = keyRows.narrowed(0, 0..<length + 1).transposed(0, 1).repeated(group, along: 0)
            let content = valueRows.narrowed(0, 0..<length + 1).transposed(0, 1).repeated(group, along: 0)
            let query = queries.selected(0, row).unsqueezed(1)
            let weights = (query.matmul(past.transposed(1, 2)) * scale).softmax()
            return weights.matmul(content).squeezed(1)
        }
        return Tensor.stacked(rows)
    }
}
