// What the kernels that replace chains of elementwise operators share.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "Parallel.h"

namespace rto {

/// Calls `work` with a null pointer of the element type: the kernels exist for float32 and bfloat16.
template <typename Work>
void for_element_type(at::ScalarType type, const Work &work) {
    TORCH_CHECK(type == at::kFloat || type == at::kBFloat16, "a fused kernel takes float32 or bfloat16, not ", type);
    if (type == at::kFloat) return work(static_cast<float *>(nullptr));
    work(static_cast<c10::BFloat16 *>(nullptr));
}

/// Rows of a width that are worth a thread.
inline int64_t rows_per_thread(int64_t width) { return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, width)); }

/// The matrix with its rows contiguous, whatever lies between them.
inline at::Tensor with_contiguous_rows(const at::Tensor &matrix) {
    return matrix.stride(-1) == 1 || matrix.size(-1) <= 1 ? matrix : matrix.contiguous();
}

/// Whether the heads of each row of [rows, heads, dimension] lie one behind the other, whatever lies between the rows.
inline bool has_contiguous_heads(const at::Tensor &all) {
    return all.stride(2) == 1 && (all.size(1) == 1 || all.stride(1) == all.size(2));
}

/// Whether a gradient will be asked for of what is made from these: without one the kernels are called as they are.
inline bool is_recorded(at::TensorList inputs) {
    return at::GradMode::is_enabled() &&
           std::any_of(inputs.begin(), inputs.end(), [](const at::Tensor &input) { return input.requires_grad(); });
}

}  // namespace rto
