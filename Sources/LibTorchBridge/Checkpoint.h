// Gradient checkpointing of a function of a tensor.
#pragma once

#include <ATen/ATen.h>

namespace rto {

/// body(input), keeping only the input; the backward pass computes the body a second time. The body takes over its input's handle
/// and hands over its result's; `destroy` frees the context with its last use.
at::Tensor checkpoint(
    const at::Tensor &input, const void *(*body)(void *, const void *), void *context, void (*destroy)(void *));

}  // namespace rto
