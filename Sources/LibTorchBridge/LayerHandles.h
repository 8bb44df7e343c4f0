// The parts of a decoder layer as the C interface has them: see CLibTorch.h.
#pragma once

#include "CLibTorch.h"

namespace rto::handles {

const void *root_mean_square_norm(const void *input, const void *weight, double epsilon, bool adds_one);
const void *residual_norm(
    const void *input, const void *update, const void *weight, double epsilon, bool adds_one, const void **sum);
const void *rotary(const void *input, const void *cosine, const void *sine);
const void *gated_unit(const void *gate, const void *up, bool is_gelu);
const void *linear(const void *input, const void *weight, const void *bias);
const void *pack_weight(const void *weight);
const void *packed_linear(const void *input, const void *packed, int64_t outputs, const RowNorm *norm);
int32_t add_packed_linear(const void *target, const void *input, const void *packed);
const void *packed_gated_unit(
    const void *input, const void *packed, int64_t width, int64_t up_column, const RowNorm *norm, bool is_gelu);
const void *decode_attention(
    const void *queries, const void *keys, const void *values, const void *key_cache, const void *value_cache,
    const int64_t *slots, const int64_t *lengths, const AttentionRule *rule);
const void *decode_projected(
    const void *projected, const ProjectedHeads *heads, const void *key_cache, const void *value_cache, const int64_t *slots,
    const int64_t *lengths, const AttentionRule *rule);

}  // namespace rto::handles
