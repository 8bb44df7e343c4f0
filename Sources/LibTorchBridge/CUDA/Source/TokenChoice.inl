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

    // Every warp has a stretch of the vocabulary, so that the cumulative distribution runs through the warps in order.
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, warps = blockDim.x / 32;
    int64_t length = ((rows.vocabulary + warps - 1) / warps + 31) / 32 * 32;
    int64_t first = warp * length, last = min(first + length, rows.vocabulary);
    double total = 0, weighted = 0, own = 0;
    int64_t likeliest = rows.vocabulary;
    for (int64_t i = first + lane; i < last; i += 32) {
        float x = logits[i] / rows.temperature, distance = x - largest, share = expf(distance);
        total += share;
        if (share != 0) weighted += static_cast<double>(share) * distance;
        if (!is_allowed(i)) continue;
        own += is_free ? share : expf(x - allowed_largest);
        if (x == allowed_largest && likeliest == rows.vocabulary) likeliest = i;
    }
    total = block_sum(total);
    weighted = block_sum(weighted);
    own = warp_sum(own);

    __shared__ double sums[32];
    __shared__ long long best;
    if (lane == 0) sums[warp] = own;
    if (threadIdx.x == 0) best = 0x7fffffffffffffffLL;
    __syncthreads();
    if (rows.is_greedy) {
        if (likeliest < rows.vocabulary) atomicMin(&best, likeliest);
    } else {
        double all = 0, before = 0;
        for (int w = 0; w < warps; w++) all += sums[w];
        double bound = rows.uniforms[row] * all;
        int finder = -1;
        for (int w = 0; w < warps && finder < 0; w++) {
            if (before + sums[w] > bound) finder = w;
            else before += sums[w];
        }
        // Rounding may put the number at the very end: then the last token that has a share is taken.
        bool is_at_end = finder < 0;
        if (is_at_end)
            for (int w = 0; w < warps; w++)
                if (sums[w] > 0) finder = w;
        if (warp == finder) {
            int64_t found = -1, last_positive = -1;
            for (int64_t start = first; start < last && found < 0; start += 32) {
                int64_t i = start + lane;
                double share = i < last && is_allowed(i) ? expf(logits[i] / rows.temperature - allowed_largest) : 0;
                double sum = share;
                for (int distance = 1; distance < 32; distance *= 2) {
                    double left = __shfl_up_sync(~0u, sum, distance);
                    if (lane >= distance) sum += left;
                }
                unsigned positive = __ballot_sync(~0u, share > 0);
                if (positive != 0) last_positive = start + 31 - __clz(positive);
                unsigned passed = __ballot_sync(~0u, before + sum > bound && share > 0);
                if (passed != 0 && !is_at_end) found = start + __ffs(passed) - 1;
                before += __shfl_sync(~0u, sum, 31);
            }
            if (lane == 0) best = found >= 0 ? found : last_positive;
        }
    }
    __syncthreads();
    if (threadIdx.x != 0) return;
    double normalizer = log(total);
    auto log_probability = [&](int64_t token) {
        return static_cast<float>(static_cast<double>(logits[token] / rows.temperature) - largest - normalizer);
    };
    // Logits that are no numbers have no likeliest token.
    int64_t token = best >= 0 && best < rows.vocabulary ? best : 0;
    bool reports = rows.reported >= 0 && rows.reported < rows.vocabulary;
    rows.choices[row] = {
        token, log_probability(token), static_cast<float>(normalizer - weighted / total),
        reports ? log_probability(rows.reported) : __int_as_float(0x7fc00000)};
}
)cuda"
