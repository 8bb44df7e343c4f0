R"cuda(
// Log-softmax of rows of logits at one target each; the structures are those of TokenLogProbabilities.cpp. A target outside the
// vocabulary gives not a number.

template <typename scalar>
struct LogitRows {
    const scalar *logits;
    const int64_t *targets;
    float *results, *largest, *log_sums, *entropies;
    int64_t vocabulary;
    float factor, cap;
};

template <typename scalar>
struct LogitRowGradients {
    scalar *logits;
    const int64_t *targets;
    const float *upstream, *largest, *log_sums;
    int64_t vocabulary;
    float factor, cap;
};

/// One block a row.
template <int count, typename scalar>
inline void summarize_logits(const LogitRows<scalar> &rows) {
    int64_t row = blockIdx.x;
    const scalar *logits = rows.logits + row * rows.vocabulary;
    float top = -__int_as_float(0x7f800000);
    for (int64_t i = threadIdx.x * count; i < rows.vocabulary; i += blockDim.x * count) {
        float x[count];
        load(logits + i, x);
#pragma unroll
        for (int k = 0; k < count; k++) top = fmaxf(top, x[k]);
    }
    top = capped(block_largest(top), rows.cap);
    float total = 0, weighted = 0;
    for (int64_t i = threadIdx.x * count; i < rows.vocabulary; i += blockDim.x * count) {
        float x[count];
        load(logits + i, x);
#pragma unroll
        for (int k = 0; k < count; k++) {
            float distance = (capped(x[k], rows.cap) - top) * rows.factor, share = expf(distance);
            total += share;
            if (share != 0) weighted += share * distance;
        }
    }
    total = block_sum(total);
    weighted = block_sum(weighted);
    if (threadIdx.x != 0) return;
    int64_t target = rows.targets[row];
    bool is_known = target >= 0 && target < rows.vocabulary;
    float own = is_known ? capped(wide(logits[target]), rows.cap) : __int_as_float(0x7fc00000), logarithm = logf(total);
    rows.largest[row] = top;
    rows.log_sums[row] = logarithm;
    rows.results[row] = (own - top) * rows.factor - logarithm;
    if (rows.entropies != nullptr) rows.entropies[row] = logarithm - weighted / total;
}

/// A block takes a stretch of one row.
template <int count, typename scalar>
inline void differentiate_logits(const LogitRowGradients<scalar> &rows) {
    int64_t row = blockIdx.x, target = rows.targets[row];
    scalar *logits = rows.logits + row * rows.vocabulary;
    float top = rows.largest[row], logarithm = rows.log_sums[row], share = rows.upstream[row] * rows.factor;
    int64_t stride = static_cast<int64_t>(gridDim.y) * blockDim.x * count;
    for (int64_t i = (static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x) * count; i < rows.vocabulary; i += stride) {
        float x[count];
        load(logits + i, x);
#pragma unroll
        for (int k = 0; k < count; k++) {
            float y = capped(x[k], rows.cap), slope = rows.cap > 0 ? 1.0f - y / rows.cap * (y / rows.cap) : 1.0f;
            float probability = expf((y - top) * rows.factor - logarithm);
            x[k] = ((i + k == target ? 1.0f : 0.0f) - probability) * share * slope;
        }
        store(logits + i, x);
    }
}

KERNELS(summarize_logits, LogitRows)
KERNELS(differentiate_logits, LogitRowGradients)
)cuda"
