// Matrix products of our own on the CPU: float32 sums of float32 or bfloat16 elements, anywhere in memory.
//
// LibTorch's go through MKL, which on AMD processors takes a slower path, and its bfloat16 products run at a tenth of float32
// speed where the processor has no instructions for them.
#pragma once

#include <ATen/ATen.h>

namespace rto {

/// Whether `product` computes these with kernels of our own: float32 or bfloat16 on the CPU.
bool has_own_product(const at::Tensor &a, const at::Tensor &b);

/// A[rows, depth] · B[depth, columns] in the type asked for (float32 or bfloat16), summed in float32. The factors may be any
/// views and of different types. An element's sum runs over the depth in order: it depends neither on the number of threads
/// nor on the other rows.
at::Tensor product(const at::Tensor &a, const at::Tensor &b, at::ScalarType type);

/// target = or += A · B, in the target's type; float32 and bfloat16 targets with contiguous rows take kernels of our own.
void product_into(const at::Tensor &target, const at::Tensor &a, const at::Tensor &b, bool adds);

/// x · weightᵀ + bias for a weight [outputs, inputs] that may be wider than x (a float32 master under bfloat16): it is rounded
/// to x's type first, and its gradient is summed and returned in float32. One node of the gradient graph.
at::Tensor linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias);

/// A weight [outputs, inputs] laid out for `packed_linear`; opaque elsewhere.
at::Tensor pack_weight(const at::Tensor &weight);

/// x · weightᵀ for a packed weight; equal to `linear` bit for bit. No gradient.
at::Tensor packed_linear(const at::Tensor &x, const at::Tensor &packed, int64_t outputs);

}  // namespace rto
