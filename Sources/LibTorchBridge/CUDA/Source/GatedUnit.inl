R"cuda(
// silu(gate)·up or gelu(gate)·up; the structures are those of GatedUnit.cpp, and both activations are g·σ(u) as there.

template <typename scalar>
struct GatedRows {
    const scalar *gate, *up;
    scalar *output;
    int64_t gate_stride, up_stride, width;
    bool is_gelu;
};

template <typename scalar>
struct GatedRowGradients {
    const scalar *gate, *up, *upstream;
    scalar *gate_gradient, *up_gradient;
    int64_t gate_stride, up_stride, width;
    bool is_gelu;
};

inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
inline float inner(float g, bool is_gelu) { return is_gelu ? g * (g * g * 0.0713548163f + 1.59576912f) : g; }
inline float inner_slope(float g, bool is_gelu) { return is_gelu ? g * g * 0.214064449f + 1.59576912f : 1.0f; }

/// A block takes a stretch of one row.
template <int count, typename scalar>
inline void gate_rows(const GatedRows<scalar> &rows) {
    int64_t row = blockIdx.x, i = (static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x) * count;
    if (i >= rows.width) return;
    float gate[count], up[count];
    load(rows.gate + row * rows.gate_stride + i, gate);
    load(rows.up + row * rows.up_stride + i, up);
#pragma unroll
    for (int k = 0; k < count; k++)
        gate[k] = rounded<scalar>(gate[k] * sigmoid(inner(gate[k], rows.is_gelu))) * up[k];
    store(rows.output + row * rows.width + i, gate);
}

template <int count, typename scalar>
inline void gate_rows_backward(const GatedRowGradients<scalar> &rows) {
    int64_t row = blockIdx.x, i = (static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x) * count;
    if (i >= rows.width) return;
    int64_t place = row * rows.width + i;
    float gate[count], up[count], upstream[count], gate_gradient[count], up_gradient[count];
    load(rows.gate + row * rows.gate_stride + i, gate);
    load(rows.up + row * rows.up_stride + i, up);
    load(rows.upstream + place, upstream);
#pragma unroll
    for (int k = 0; k < count; k++) {
        float g = gate[k], s = sigmoid(inner(g, rows.is_gelu));
        up_gradient[k] = upstream[k] * rounded<scalar>(g * s);
        gate_gradient[k] = upstream[k] * up[k] * (s * (g * inner_slope(g, rows.is_gelu) * (1.0f - s) + 1.0f));
    }
    store(rows.up_gradient + place, up_gradient);
    store(rows.gate_gradient + place, gate_gradient);
}

KERNELS(gate_rows, GatedRows)
KERNELS(gate_rows_backward, GatedRowGradients)
)cuda"
