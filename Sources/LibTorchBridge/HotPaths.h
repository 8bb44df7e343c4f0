// Hot paths that are functions of our own: each is written once in plain tensor operations too, as the oracle of its tests.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace rto {

/// Causal attention inside each segment, and to the whole of its parent segment if it names one.
/// Queries [tokens, heads, dimension], keys and values [tokens, key-value heads, dimension] -> [tokens, heads, dimension].
at::Tensor ragged_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, std::vector<int64_t> segments, double scale);

/// One new token per row. Caches are [slots, capacity, key-value heads, dimension]; row i lives in `slots[i]` and holds
/// `lengths[i]` tokens already. Writes the new keys and values into the caches. No gradient.
at::Tensor decode_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache,
    const at::Tensor &value_cache, const int64_t *slots, const int64_t *lengths, double scale);

/// log softmax(hidden · weightᵀ / temperature)[target], in float32, `chunk_rows` rows of logits at a time.
/// Hidden [tokens, hidden], weight [vocabulary, hidden], targets [tokens] -> [tokens].
at::Tensor token_log_probabilities(
    const at::Tensor &hidden, const at::Tensor &weight, const at::Tensor &targets, double temperature, int64_t chunk_rows);

}  // namespace rto
