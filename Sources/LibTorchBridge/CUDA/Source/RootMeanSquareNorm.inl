R"cuda(
// Rows divided by their root mean square; the structures and the roundings are those of RootMeanSquareNorm.cpp and its kernel
// for processors.

template <typename scalar>
struct NormRows {
    const scalar *input, *update;
    const float *weight;
    scalar *sum, *output;
    float *scales;
    int64_t width;
    float epsilon;
    bool adds_one;
};

template <typename scalar>
struct NormRowGradients {
    const scalar *input, *upstream, *sum_upstream;
    const float *weight, *scales;
    scalar *gradient;
    int64_t width;
    bool adds_one;
    int64_t rows;
    float *weight_gradients;
};

template <typename scalar>
inline float factor(float weight, bool adds_one) {
    return adds_one ? weight + 1.0f : rounded<scalar>(weight);
}

template <typename scalar>
inline float normed(float x, float scale, bool adds_one) {
    return adds_one ? x * scale : rounded<scalar>(x * scale);
}

/// One block a row. What a thread reads first, all of a row of up to 1,024 vectors, it keeps until the sum is known.
template <int count, typename scalar>
inline void normalize(const NormRows<scalar> &rows) {
    int64_t row = blockIdx.x, base = row * rows.width, own = threadIdx.x * count;
    float squares = 0, kept[count], kept_weight[count];
    for (int64_t i = own; i < rows.width; i += blockDim.x * count) {
        float x[count], update[count];
        load(rows.input + base + i, x);
        if (i == own) load(rows.weight + i, kept_weight);
        if (rows.update != nullptr) {
            load(rows.update + base + i, update);
#pragma unroll
            for (int k = 0; k < count; k++) x[k] = rounded<scalar>(x[k] + update[k]);
            store(rows.sum + base + i, x);
        }
#pragma unroll
        for (int k = 0; k < count; k++) {
            squares += x[k] * x[k];
            if (i == own) kept[k] = x[k];
        }
    }
    float scale = 1.0f / sqrtf(block_sum(squares) / static_cast<float>(rows.width) + rows.epsilon);
    if (threadIdx.x == 0) rows.scales[row] = scale;
    const scalar *input = (rows.update != nullptr ? rows.sum : rows.input) + base;
    for (int64_t i = own; i < rows.width; i += blockDim.x * count) {
        if (i != own) {
            load(input + i, kept);
            load(rows.weight + i, kept_weight);
        }
#pragma unroll
        for (int k = 0; k < count; k++)
            kept[k] = normed<scalar>(kept[k], scale, rows.adds_one) * factor<scalar>(kept_weight[k], rows.adds_one);
        store(rows.output + base + i, kept);
    }
}

/// Each block takes every so-many-th row and sums the weight's gradient over them in a row of its own, in which every thread has
/// its columns.
template <int count, typename scalar>
inline void normalize_backward(const NormRowGradients<scalar> &rows) {
    float *sums = rows.weight_gradients + blockIdx.x * rows.width;
    for (int64_t row = blockIdx.x; row < rows.rows; row += gridDim.x) {
        int64_t base = row * rows.width;
        float scale = rows.scales[row], products = 0;
        for (int64_t i = threadIdx.x * count; i < rows.width; i += blockDim.x * count) {
            float x[count], upstream[count], weight[count], sum[count];
            load(rows.input + base + i, x);
            load(rows.upstream + base + i, upstream);
            load(rows.weight + i, weight);
            load(sums + i, sum);
#pragma unroll
            for (int k = 0; k < count; k++) {
                float share = upstream[k] * normed<scalar>(x[k], scale, rows.adds_one);
                products += share * factor<scalar>(weight[k], rows.adds_one);
                sum[k] += share;
            }
            store(sums + i, sum);
        }
        float mean = block_sum(products) / static_cast<float>(rows.width);
        for (int64_t i = threadIdx.x * count; i < rows.width; i += blockDim.x * count) {
            float x[count], upstream[count], weight[count], other[count] = {};
            load(rows.input + base + i, x);
            load(rows.upstream + base + i, upstream);
            load(rows.weight + i, weight);
            if (rows.sum_upstream != nullptr) load(rows.sum_upstream + base + i, other);
#pragma unroll
            for (int k = 0; k < count; k++) {
                float gradient = upstream[k] * factor<scalar>(weight[k], rows.adds_one);
                x[k] = scale * (gradient - x[k] * (scale * mean)) + other[k];
            }
            store(rows.gradient + base + i, x);
        }
    }
}

KERNELS(normalize, NormRows)
KERNELS(normalize_backward, NormRowGradients)
)cuda"
