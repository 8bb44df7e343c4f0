// Ragged attention by LibTorch's kernel, for what our own does not take.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace rto {

/// The same as `ragged_attention`, one segment after the other and a segment's parent after itself.
at::Tensor segmentwise_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, std::vector<int64_t> segments, double scale);

}  // namespace rto
