// Matrix products of our own on the CPU: float32 sums of float32 or bfloat16 elements, anywhere in memory.
//
// LibTorch's go through MKL, which on AMD processors takes a slower path, and its bfloat16 products run at a tenth of float32
// speed where the processor has no instructions for them.
#pragma once

#include <ATen/ATen.h>

#include "RowKernels.h"

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

/// x · weightᵀ for a packed weight, x normalised first where there are factors; equal to `linear`, and to
/// `root_mean_square_norm` before it, bit for bit. No gradient.
at::Tensor packed_linear(
    const at::Tensor &x, const at::Tensor &packed, int64_t outputs, const std::optional<NormFactors> &norm);

/// target += x · weightᵀ, on the CPU. A bfloat16 sum is rounded once; in float32, products deeper than 640 are added in parts.
void add_packed_linear(const at::Tensor &target, const at::Tensor &x, const at::Tensor &packed);

/// activation(x · gateᵀ) · (x · upᵀ) on the CPU, for two weights of `width` outputs that are packed as one: up's outputs begin at
/// `up_column`, a multiple of 32.
at::Tensor packed_gated_unit(
    const at::Tensor &x, const at::Tensor &packed, int64_t width, int64_t up_column, const std::optional<NormFactors> &norm,
    bool is_gelu);

}  // namespace rto
