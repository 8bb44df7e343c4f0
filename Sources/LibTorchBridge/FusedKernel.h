// What the kernels that replace chains of elementwise operators share.
#pragma once

#include <ATen/ATen.h>

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

}  // namespace rto
