R"cuda(
// A token for each row of logits, sampled without filters or the likeliest; what TokenChoice.cpp does, one block a row.

struct Choice {
    int64_t token;
    float log_probability, entropy, reported_log_probability;
};

struct ChoiceRows {
    const float *logits;
    const double *uniforms;
    /// 0 where the row may not choose one of the stop tokens.
    const double *may_stop;
    const int64_t *stop_tokens;
    Choice *choices;
    int64_t vocabulary, stop_count, reported;
    float temperature;
    bool is_greedy;
};

extern "C" __global__ void choose_tokens(ChoiceRows rows) {
    int64_t row = blockIdx.x;
    const float *logits = rows.logits + row * rows.vocabulary;
    bool is_free = rows.may_stop[row] != 0;
    auto is_allowed = [&](int64_t token) {
        if (is_free) return true;
        for (int64_t i = 0; i < rows.stop_count; i++)
            if (rows.stop_tokens[i] == token) return false;
        return true;
    };
    const float lowest = -__int_as_float(0x7f800000);
    float largest = lowest, allowed_largest = lowest;
    for (int64_t i = threadIdx.x; i < rows.vocabulary; i += blockDim.x) {
        float x = logits[i] / rows.temperature;
        largest = fmaxf(largest, x);
        if (is_allowed(i)) allowed_largest = fmaxf(allowed_largest, x);
    }
    largest = block_largest(largest);
    allowed_largest = block_largest(allowed_largest);

    // Every thread has a stretch of the vocabulary, so that the cumulative distribution runs through the threads in order.
    int64_t length = (rows.vocabulary + blockDim.x - 1) / blockDim.x;
    int64_t first = threadIdx.x * length, last = min(first + length, rows.vocabulary);
    double total = 0, weighted = 0, own = 0;
    int64_t likeliest = rows.vocabulary;
    for (int64_t i = first; i < last; i++) {
        float x = logits[i] / rows.temperature, distance = x - largest, share = expf(distance);
        total += share;
        if (share != 0) weighted += static_cast<double>(share) * distance;
        if (!is_allowed(i)) continue;
        own += expf(x - allowed_largest);
        if (x == allowed_largest && likeliest == rows.vocabulary) likeliest = i;
    }
    total = block_sum(total);
    weighted = block_sum(weighted);

    __shared__ double sums[1024];
    __shared__ long long best;
    __shared__ int winner;
    __shared__ int last_positive;
    sums[threadIdx.x] = own;
    if (threadIdx.x == 0) {
        best = 0x7fffffffffffffffLL;
        winner = blockDim.x;
        last_positive = 0;
    }
    __syncthreads();
    if (rows.is_greedy) {
        if (likeliest < rows.vocabulary) atomicMin(&best, likeliest);
        __syncthreads();
    } else {
        // Inclusive sums over the threads.
        for (int distance = 1; distance < blockDim.x; distance *= 2) {
            double before = threadIdx.x >= distance ? sums[threadIdx.x - distance] : 0;
            __syncthreads();
            sums[threadIdx.x] += before;
            __syncthreads();
        }
        double bound = rows.uniforms[row] * sums[blockDim.x - 1];
        if (sums[threadIdx.x] > bound) atomicMin(&winner, static_cast<int>(threadIdx.x));
        if (own > 0) atomicMax(&last_positive, static_cast<int>(threadIdx.x));
        __syncthreads();
        // Rounding may put the number at the very end.
        int finder = winner < blockDim.x ? winner : last_positive;
        if (threadIdx.x == finder) {
            double running = threadIdx.x > 0 ? sums[threadIdx.x - 1] : 0;
            for (int64_t i = first; i < last; i++) {
                if (!is_allowed(i)) continue;
                float share = expf(logits[i] / rows.temperature - allowed_largest);
                if (share > 0) best = i;
                if ((running += share) > bound) break;
            }
        }
        __syncthreads();
    }
    if (threadIdx.x != 0) return;
    double normalizer = log(total);
    auto log_probability = [&](int64_t token) {
        return static_cast<float>(static_cast<double>(logits[token] / rows.temperature) - largest - normalizer);
    };
    // Logits that are no numbers have no likeliest token.
    int64_t token = best < rows.vocabulary ? best : 0;
    bool reports = rows.reported >= 0 && rows.reported < rows.vocabulary;
    rows.choices[row] = {
        token, log_probability(token), static_cast<float>(normalizer - weighted / total),
        reports ? log_probability(rows.reported) : __int_as_float(0x7fc00000)};
}
)cuda"
