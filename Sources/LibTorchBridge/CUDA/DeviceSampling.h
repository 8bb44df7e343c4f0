// What sampling runs on an NVIDIA device at every token.
#pragma once

#include <ATen/ATen.h>

#include "CLibTorch.h"

namespace rto::cuda {

/// One new token a row, as rto::decode_attention; `places` [2, rows], int64, holds the rows' slots and lengths on the device, so
/// that nothing is copied there. `arrivals` is a zero for each row and key-value head, int32, and zero again afterwards.
at::Tensor cached_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache,
    const at::Tensor &value_cache, const at::Tensor &places, const at::Tensor &arrivals, const AttentionRule &rule);

/// As rto::fill_cache.
void fill_cache(
    const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache, const at::Tensor &value_cache,
    const int64_t *copies, int64_t count);

/// As rto::choose_tokens, for rules without filters.
void choose_tokens(
    const at::Tensor &logits, const TokenRule &rule, const double *uniforms, const bool *may_stop, TokenChoice *choices);

}  // namespace rto::cuda
