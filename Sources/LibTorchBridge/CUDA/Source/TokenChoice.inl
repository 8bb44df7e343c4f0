R"cuda(
// A token for each row of logits, sampled without filters or the likeliest; what TokenChoice.cpp does. Several blocks weigh a part
// of a row's vocabulary each, so that few rows keep a device busy too, and one block a row chooses a part, and a token in it.

struct Choice {
    int64_t token;
    float log_probability, entropy, reported_log_probability;
};

/// What part of a row says of it, relative to its own largest logits, of all and of those that may be chosen.
struct Part {
    float largest, allowed_largest;
    /// Sums of e^distance, of distance · e^distance, and of the first over tokens that may be chosen.
    double total, weighted, own;
    int64_t likeliest;
};

struct ChoiceRows {
    const float *logits;
    const double *uniforms;
    /// 0 where the row may not choose one of the stop tokens.
    const double *may_stop;
    const int64_t *stop_tokens;
    /// [rows, parts]; a part has `length` tokens, at most 32 have a row between them.
    Part *weighed;
    Choice *choices;
    int64_t vocabulary, stop_count, reported, length;
    int parts;
    float temperature;
    bool is_greedy;
};

/// What a logit is that weighs nothing.
inline float minus_infinity() { return -__int_as_float(0x7f800000); }

/// One row of logits and what may be chosen from it.
struct Row {
    const ChoiceRows &rows;
    const float *logits;
    bool is_free;

    inline Row(const ChoiceRows &rows, int64_t row)
        : rows(rows), logits(rows.logits + row * rows.vocabulary), is_free(rows.may_stop[row] != 0) {}

    inline bool allows(int64_t token) const {
        if (is_free) return true;
        for (int64_t i = 0; i < rows.stop_count; i++)
            if (rows.stop_tokens[i] == token) return false;
        return true;
    }

    /// Calls `work` on every `step`-th token of [first, last) and its logit, with several reads on their way.
    template <typename Work>
    inline void for_tokens(int64_t first, int64_t last, int step, const Work &work) const {
        constexpr int at_once = 8;
        for (int64_t start = first; start < last; start += step * at_once) {
            float values[at_once];
#pragma unroll
            for (int j = 0; j < at_once; j++) values[j] = start + j * step < last ? logits[start + j * step] : 0;
#pragma unroll
            for (int j = 0; j < at_once; j++)
                if (start + j * step < last) work(start + j * step, values[j] / rows.temperature);
        }
    }

    /// e^distance from the largest; zero for what weighs nothing, also where nothing weighs more.
    static inline float share(float x, float largest) { return x == minus_infinity() ? 0 : expf(x - largest); }
};

extern "C" __global__ void weigh_tokens(ChoiceRows rows) {
    Row row(rows, blockIdx.x);
    int64_t first = blockIdx.y * rows.length, last = min(first + rows.length, rows.vocabulary);
    float largest = minus_infinity(), allowed_largest = minus_infinity();
    row.for_tokens(first + threadIdx.x, last, blockDim.x, [&](int64_t i, float x) {
        largest = fmaxf(largest, x);
        if (row.allows(i)) allowed_largest = fmaxf(allowed_largest, x);
    });
    largest = block_largest(largest);
    allowed_largest = block_largest(allowed_largest);
    double total = 0, weighted = 0, own = 0;
    int64_t likeliest = rows.vocabulary;
    row.for_tokens(first + threadIdx.x, last, blockDim.x, [&](int64_t i, float x) {
        float share = Row::share(x, largest);
        total += share;
        if (share != 0) weighted += static_cast<double>(share) * (x - largest);
        if (!row.allows(i)) return;
        own += row.is_free ? share : Row::share(x, allowed_largest);
        if (x == allowed_largest && likeliest == rows.vocabulary) likeliest = i;
    });
    total = block_sum(total);
    weighted = block_sum(weighted);
    own = block_sum(own);
    __shared__ long long best;
    if (threadIdx.x == 0) best = rows.vocabulary;
    __syncthreads();
    if (likeliest < rows.vocabulary) atomicMin(&best, likeliest);
    __syncthreads();
    if (threadIdx.x == 0)
        rows.weighed[blockIdx.x * rows.parts + blockIdx.y] = {largest, allowed_largest, total, weighted, own, best};
}

/// The first place at which the running sum passes a bound, and the sum before it.
struct Place {
    int index;
    double before;
};

/// Which of the numbers that lanes have passes the bound, in every lane the same: the last positive one if none does.
inline Place passing(double number, double before, double bound) {
    Place place{-1, before};
    int last_positive = -1;
    double sum = before, last_before = before;
    for (int i = 0; i < 32; i++) {
        double next = __shfl_sync(~0u, number, i);
        if (place.index < 0 && next > 0 && sum + next > bound) place = {i, sum};
        if (next > 0) {
            last_positive = i;
            last_before = sum;
        }
        sum += next;
    }
    return place.index >= 0 ? place : Place{last_positive, last_before};
}

extern "C" __global__ void choose_tokens(ChoiceRows rows) {
    Row row(rows, blockIdx.x);
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, warps = blockDim.x / 32;
    // Every warp has the row's parts in its lanes.
    bool has_part = lane < rows.parts;
    Part part = {minus_infinity(), minus_infinity(), 0, 0, 0, rows.vocabulary};
    if (has_part) part = rows.weighed[blockIdx.x * rows.parts + lane];
    float largest = warp_largest(part.largest), allowed_largest = warp_largest(part.allowed_largest);
    double distance = static_cast<double>(part.largest) - largest, factor = part.total == 0 ? 0 : exp(distance);
    double total = warp_sum(factor * part.total);
    double weighted = warp_sum(factor != 0 ? factor * (part.weighted + distance * part.total) : 0);
    // In float32, so that a part has a share only where its tokens have one below.
    double own = part.own > 0 ? part.own * Row::share(part.allowed_largest, allowed_largest) : 0;

    __shared__ double sums[32];
    __shared__ long long best;
    if (rows.is_greedy) {
        long long likeliest = part.allowed_largest == allowed_largest ? part.likeliest : rows.vocabulary;
        for (int step = 16; step > 0; step /= 2) likeliest = min(likeliest, __shfl_xor_sync(~0u, likeliest, step));
        if (threadIdx.x == 0) best = likeliest;
    } else {
        // The part, then the warp's stretch of it, then the token: each a cumulative distribution in the order of tokens.
        double bound = rows.uniforms[blockIdx.x] * warp_sum(own);
        Place chosen = passing(own, 0, bound);
        int64_t first = max(chosen.index, 0) * rows.length, last = min(first + rows.length, rows.vocabulary);
        int64_t stretch = ((last - first + warps - 1) / warps + 31) / 32 * 32;
        int64_t begin = first + warp * stretch, end = min(begin + stretch, last);
        double sum = 0;
        row.for_tokens(begin + lane, end, 32, [&](int64_t i, float x) {
            if (row.allows(i)) sum += Row::share(x, allowed_largest);
        });
        sum = warp_sum(sum);
        if (lane == 0) sums[warp] = sum;
        if (threadIdx.x == 0) best = -1;
        __syncthreads();
        chosen = passing(lane < warps ? sums[lane] : 0, chosen.before, bound);
        if (warp == chosen.index) {
            int64_t token = -1, last_positive = -1;
            for (int64_t start = begin; start < end && token < 0; start += 32) {
                int64_t i = start + lane;
                bool is_there = i < end && row.allows(i);
                double share = is_there ? Row::share(row.logits[i] / rows.temperature, allowed_largest) : 0;
                double through = share;
                for (int step = 1; step < 32; step *= 2) {
                    double left = __shfl_up_sync(~0u, through, step);
                    if (lane >= step) through += left;
                }
                unsigned positive = __ballot_sync(~0u, share > 0);
                if (positive != 0) last_positive = start + 31 - __clz(positive);
                unsigned passed = __ballot_sync(~0u, chosen.before + through > bound && share > 0);
                if (passed != 0) token = start + __ffs(passed) - 1;
                chosen.before += __shfl_sync(~0u, through, 31);
            }
            // Rounding may put the number behind the very end: then the last token that has a share is taken.
            if (lane == 0) best = token >= 0 ? token : last_positive;
        }
    }
    __syncthreads();
    if (threadIdx.x != 0) return;
    double normalizer = log(total);
    auto log_probability = [&](int64_t token) {
        return static_cast<float>(static_cast<double>(row.logits[token] / rows.temperature) - largest - normalizer);
    };
    // Logits that are no numbers are no distribution.
    int64_t token = isfinite(total) && best >= 0 && best < rows.vocabulary ? best : 0;
    bool reports = rows.reported >= 0 && rows.reported < rows.vocabulary;
    rows.choices[blockIdx.x] = {
        token, log_probability(token), static_cast<float>(normalizer - weighted / total),
        reports ? log_probability(rows.reported) : __int_as_float(0x7fc00000)};
}
)cuda"
