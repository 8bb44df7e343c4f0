// Parts of a decoder layer for a few rows, on the calling thread: for functions that share out the work of several of them at
// once. The rows are float32 or bfloat16 on the CPU, by their element type.
#pragma once

#include <ATen/ATen.h>

#include "CLibTorch.h"

namespace rto {

/// x / √(mean(x²) + ε) · w, or · (1 + w), as `root_mean_square_norm` has it; the weight is float32 and contiguous.
struct NormFactors {
    const float *weight;
    float epsilon;
    bool adds_one;
};

/// The factors of a norm of rows of a width, nothing of none; the norm's weight must outlive them.
std::optional<NormFactors> norm_factors(const RowNorm *norm, int64_t width);

/// Normalises `rows` rows of `width` elements that follow each other. They may be written where they were read.
void normalize_rows(
    const void *input, void *output, at::ScalarType type, int64_t rows, int64_t width, const NormFactors &factors);

/// Turns the first 2 · `half` elements of a head in place by a row of the table, as `rotary` does.
void rotate_head(void *head, const void *cosine, const void *sine, at::ScalarType type, int64_t half);

/// activation(gate) · up of `width` elements, as `gated_unit` has it.
void gate_row(const void *gate, const void *up, void *output, at::ScalarType type, int64_t width, bool is_gelu);

}  // namespace rto
