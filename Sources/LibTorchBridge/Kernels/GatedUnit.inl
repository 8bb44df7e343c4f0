// silu(gate)·up or gelu(gate)·up, row by row; see GatedUnit.cpp for the structures.
//
// Both activations are g·σ(u): u is g itself, or 2·√(2/π)·(g + 0.044715·g³) for the tanh form of gelu, since
// (1 + tanh(x)) / 2 = σ(2x).

#include "Rows.inl"

INLINE Floats sigmoid(Floats x) { return 1.0f / (1.0f + exponential(-x)); }

template <bool is_gelu>
INLINE Floats inner(Floats g) {
    return is_gelu ? g * multiply_add(g * g, broadcast(0.0713548163f), broadcast(1.59576912f)) : g;
}

/// The derivative of `inner`.
template <bool is_gelu>
INLINE Floats inner_slope(Floats g) {
    return is_gelu ? multiply_add(g * g, broadcast(0.214064449f), broadcast(1.59576912f)) : broadcast(1.0f);
}

template <bool is_gelu, typename scalar>
void gate_rows(const GatedRows<scalar> &rows, int64_t begin, int64_t end) {
    const scalar *type = nullptr;
    for (int64_t row = begin; row < end; row++) {
        const scalar *gate = rows.gate + row * rows.gate_stride, *up = rows.up + row * rows.up_stride;
        scalar *output = rows.output + row * rows.width;
        for_vectors(0, rows.width, [&](int64_t i, auto extent) {
            Floats g = load(gate + i, extent);
            store(output + i, rounded(g * sigmoid(inner<is_gelu>(g)), type) * load(up + i, extent), extent);
        });
    }
}

/// (g·σ(u))' = σ(u)·(1 + g·u'·(1 - σ(u))).
template <bool is_gelu, typename scalar>
void gate_rows_backward(const GatedRowGradients<scalar> &rows, int64_t begin, int64_t end) {
    const scalar *type = nullptr;
    for (int64_t row = begin; row < end; row++) {
        const scalar *gate = rows.gate + row * rows.gate_stride, *up = rows.up + row * rows.up_stride;
        int64_t base = row * rows.width;
        for_vectors(0, rows.width, [&](int64_t i, auto extent) {
            Floats g = load(gate + i, extent), s = sigmoid(inner<is_gelu>(g)), upstream = load(rows.upstream + base + i, extent);
            store(rows.up_gradient + base + i, upstream * rounded(g * s, type), extent);
            Floats slope = s * multiply_add(g * inner_slope<is_gelu>(g), 1.0f - s, broadcast(1.0f));
            store(rows.gate_gradient + base + i, upstream * load(up + i, extent) * slope, extent);
        });
    }
}
