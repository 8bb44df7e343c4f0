// silu(gate)·up, row by row; see GatedUnit.cpp for the structures.

#include "Rows.inl"

INLINE Floats sigmoid(Floats x) { return 1.0f / (1.0f + exponential(-x)); }

template <typename scalar>
void gate_rows(const GatedRows<scalar> &rows, int64_t begin, int64_t end) {
    const scalar *type = nullptr;
    for (int64_t row = begin; row < end; row++) {
        const scalar *gate = rows.gate + row * rows.gate_stride, *up = rows.up + row * rows.up_stride;
        scalar *output = rows.output + row * rows.width;
        for_vectors(0, rows.width, [&](int64_t i, auto extent) {
            Floats g = load(gate + i, extent);
            store(output + i, rounded(g * sigmoid(g), type) * load(up + i, extent), extent);
        });
    }
}

/// silu'(g) = σ(g)·(1 + g·(1 - σ(g))).
template <typename scalar>
void gate_rows_backward(const GatedRowGradients<scalar> &rows, int64_t begin, int64_t end) {
    const scalar *type = nullptr;
    for (int64_t row = begin; row < end; row++) {
        const scalar *gate = rows.gate + row * rows.gate_stride, *up = rows.up + row * rows.up_stride;
        int64_t base = row * rows.width;
        for_vectors(0, rows.width, [&](int64_t i, auto extent) {
            Floats g = load(gate + i, extent), s = sigmoid(g), upstream = load(rows.upstream + base + i, extent);
            store(rows.up_gradient + base + i, upstream * rounded(g * s, type), extent);
            Floats slope = s * multiply_add(g, 1.0f - s, broadcast(1.0f));
            store(rows.gate_gradient + base + i, upstream * load(up + i, extent) * slope, extent);
        });
    }
}
