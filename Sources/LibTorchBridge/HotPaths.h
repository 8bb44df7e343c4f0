// Hot paths that are functions of our own: each is written once in plain tensor operations too, as the oracle of its tests.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "CLibTorch.h"

namespace rto {

/// Causal attention inside each segment, and to the whole of its parent segment if it names one; a window reaches back
/// over both.
/// Queries [tokens, heads, dimension], keys and values [tokens, key-value heads, dimension] -> [tokens, heads, dimension].
at::Tensor ragged_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, std::vector<int64_t> segments,
    const AttentionRule &rule);

/// One new token per row. Caches are [slots, key-value heads, capacity, dimension], float32 or bfloat16; row i lives in
/// `slots[i]` and holds `lengths[i]` tokens already. Writes the new keys and values into the caches. No gradient.
at::Tensor decode_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache,
    const at::Tensor &value_cache, const int64_t *slots, const int64_t *lengths, const AttentionRule &rule);

/// The same of queries, keys and values as one product made them, `[rows, columns]` in the type of the caches: their heads may
/// be normalised and turned on the way. Returns `[rows, query columns]`, contiguous.
at::Tensor decode_projected(
    const at::Tensor &projected, const ProjectedHeads &heads, const at::Tensor &key_cache, const at::Tensor &value_cache,
    const int64_t *slots, const int64_t *lengths, const AttentionRule &rule);

/// Copies runs of keys and values [tokens, key-value heads, dimension] to the start of slots of the caches: `copies` holds
/// `count` triples (first token, length, slot).
void fill_cache(
    const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache, const at::Tensor &value_cache,
    const int64_t *copies, int64_t count);

/// Chooses a token for every row of logits [rows, vocabulary], float32, by the rule; `choices` has room for each.
void choose_tokens(
    const at::Tensor &logits, const TokenRule &rule, const double *uniforms, const bool *may_stop, TokenChoice *choices);

/// What the head is asked for: log softmax(logits / temperature)[target], where logits are hidden · weightᵀ and, with a soft
/// cap, cap · tanh(logits / cap). Hidden [tokens, hidden], weight [vocabulary, hidden], targets [tokens].
struct HeadQuery {
    at::Tensor hidden, weight, targets;
    double temperature;
    double soft_cap;  // 0 for none
    int64_t chunk_rows;
};

/// In float32, [tokens], `chunk_rows` rows of logits at a time.
at::Tensor token_log_probabilities(const HeadQuery &query);

/// The same and the entropy of each row's distribution, in nats. No gradient.
std::tuple<at::Tensor, at::Tensor> token_log_probabilities_and_entropies(const HeadQuery &query);

/// What a model and a reference model with the same vocabulary say at each token, `chunk_rows` rows of logits of each at a time:
/// log p(target), log q(target), sum q (log q - log p) over the vocabulary, and q's entropy, [tokens] each, in float32. Gradients
/// flow to the model, through the first and the third. States [tokens, width], weights [vocabulary, width] of each model, as
/// handles; `results` has room for four. Soft caps, zero for none, bring each model's logits into c · tanh(logits / c).
int32_t token_distributions(
    const void *states, const void *weight, double soft_cap, const void *reference_states, const void *reference_weight,
    double reference_soft_cap, const void *targets, int64_t chunk_rows, const void **results);

/// Rows [tokens, width] over their root mean square, times a weight [width] or, if that adds one, times 1 + weight, the sum
/// and the product in float32; float32 or bfloat16.
at::Tensor root_mean_square_norm(const at::Tensor &input, const at::Tensor &weight, double epsilon, bool adds_one);

/// The sum of a residual stream and its update, and the norm of that sum.
std::tuple<at::Tensor, at::Tensor> residual_norm(
    const at::Tensor &input, const at::Tensor &update, const at::Tensor &weight, double epsilon, bool adds_one);

/// Turns [tokens, heads, dimension] by a contiguous table of cosines and sines [tokens, dimension] of the same type, whose second
/// half repeats the first. Float32 or bfloat16.
at::Tensor rotary(const at::Tensor &input, const at::Tensor &cosine, const at::Tensor &sine);

/// silu(gate) · up, or gelu(gate) · up in its tanh form, of [tokens, width] each; float32 or bfloat16.
at::Tensor gated_unit(const at::Tensor &gate, const at::Tensor &up, bool is_gelu);

}  // namespace rto
