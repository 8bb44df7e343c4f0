// Attention of the query heads that share one key-value head, for one new token. Included by EachProcessor.inl.

/// Positions handled together, so that keys and values are read from memory once for all heads of the group. Few, for as many
/// that are read later are fetched before each: memory takes no more requests at once.
constexpr int64_t BLOCK = 16;

/// Asks memory for elements [begin, end) that are read later: it is the limit, and must not wait for the arithmetic.
template <typename scalar>
INLINE void fetch(const scalar *data, int64_t begin, int64_t end) {
    constexpr int64_t line = 64 / sizeof(scalar);
    for (int64_t i = begin; i < end; i += line) __builtin_prefetch(data + i, 0, 2);
}

typedef float Four __attribute__((vector_size(16)));

/// Four lanes whose sum is the sum of all lanes.
INLINE Four folded(Floats v) {
#if LANES == 4
    return v;
#elif LANES == 8
    return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
    return (__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7)) +
           (__builtin_shufflevector(v, v, 8, 9, 10, 11) + __builtin_shufflevector(v, v, 12, 13, 14, 15));
#endif
}

/// The sums of the lanes of four vectors.
INLINE Four sums(Floats a, Floats b, Floats c, Floats d) {
    Four p = folded(a), q = folded(b), r = folded(c), s = folded(d);
    Four pq = __builtin_shufflevector(p, q, 0, 4, 1, 5) + __builtin_shufflevector(p, q, 2, 6, 3, 7);
    Four rs = __builtin_shufflevector(r, s, 0, 4, 1, 5) + __builtin_shufflevector(r, s, 2, 6, 3, 7);
    return __builtin_shufflevector(pq, rs, 0, 1, 4, 5) + __builtin_shufflevector(pq, rs, 2, 3, 6, 7);
}

/// Products of HEADS queries with the keys of positions [begin, end): `scores[head · score_stride + position]`. Rounds the
/// end up to a multiple of four, where the scores are those of the last position again.
template <int HEADS, typename scalar>
INLINE void multiply_keys(
    const float *queries, int64_t width, const scalar *keys, int64_t dimension, int64_t begin, int64_t end, float *scores,
    int64_t score_stride) {
    for (int64_t t = begin; t < end; t += 4) {
        const scalar *rows[4];
        for (int j = 0; j < 4; j++) rows[j] = keys + (t + j < end ? t + j : end - 1) * dimension;
        Floats sum[HEADS][4] = {};
        int64_t i = 0;
        for (; i + LANES <= dimension; i += LANES)
            for (int j = 0; j < 4; j++) {
                Floats key = load(rows[j] + i);
                for (int h = 0; h < HEADS; h++) sum[h][j] = multiply_add(load(queries + h * width + i), key, sum[h][j]);
            }
        if (i < dimension)
            for (int j = 0; j < 4; j++) {
                Floats key = load_part(rows[j] + i, dimension - i);
                for (int h = 0; h < HEADS; h++) sum[h][j] = multiply_add(load(queries + h * width + i), key, sum[h][j]);
            }
        for (int h = 0; h < HEADS; h++) {
            Four four = sums(sum[h][0], sum[h][1], sum[h][2], sum[h][3]);
            std::memcpy(scores + h * score_stride + t, &four, sizeof four);
        }
    }
}

/// Adds the values of positions [begin, end), weighted, to VECTORS vectors of HEADS outputs.
template <int HEADS, int VECTORS, typename scalar>
INLINE void add_values(
    const float *weights, int64_t weight_stride, const scalar *values, int64_t dimension, int64_t begin, int64_t end,
    float *outputs, int64_t width, int64_t part = LANES) {
    Floats sum[HEADS][VECTORS];
    for (int h = 0; h < HEADS; h++)
        for (int v = 0; v < VECTORS; v++) sum[h][v] = load(outputs + h * width + v * LANES);
    for (int64_t t = begin; t < end; t++)
        for (int v = 0; v < VECTORS; v++) {
            const scalar *place = values + t * dimension + v * LANES;
            Floats value = part < LANES ? load_part(place, part) : load(place);
            for (int h = 0; h < HEADS; h++)
                sum[h][v] = multiply_add(broadcast(weights[h * weight_stride + t]), value, sum[h][v]);
        }
    for (int h = 0; h < HEADS; h++)
        for (int v = 0; v < VECTORS; v++) store(outputs + h * width + v * LANES, sum[h][v]);
}

template <int HEADS, typename scalar>
INLINE void add_values(
    const float *weights, int64_t weight_stride, const scalar *values, int64_t dimension, int64_t begin, int64_t end,
    float *outputs, int64_t width) {
    int64_t i = 0;
    for (; i + 4 * LANES <= dimension; i += 4 * LANES)
        add_values<HEADS, 4>(weights, weight_stride, values + i, dimension, begin, end, outputs + i, width);
    for (; i + 2 * LANES <= dimension; i += 2 * LANES)
        add_values<HEADS, 2>(weights, weight_stride, values + i, dimension, begin, end, outputs + i, width);
    for (; i < dimension; i += LANES) {
        int64_t part = std::min<int64_t>(LANES, dimension - i);
        add_values<HEADS, 1>(weights, weight_stride, values + i, dimension, begin, end, outputs + i, width, part);
    }
}

/// Brings scores into (-cap, cap): cap · tanh(score / cap).
INLINE void limit(float *scores, int64_t count, float cap) {
    for (int64_t t = 0; t < count; t += LANES) store(scores + t, hyperbolic_tangent(load(scores + t) * (1.0f / cap)) * cap);
}

/// Turns `count` scores into e^(score − largest), with zeros up to a whole vector, and returns their sum.
INLINE float exponentiate(float *scores, int64_t count) {
    int64_t padded = (count + LANES - 1) / LANES * LANES;
    for (int64_t t = count; t < padded; t++) scores[t] = -__builtin_inff();
    Floats top = load(scores);
    for (int64_t t = LANES; t < padded; t += LANES) top = larger(load(scores + t), top);
    Floats maximum = broadcast(largest(top)), total = {};
    for (int64_t t = 0; t < padded; t += LANES) {
        Floats weight = exponential(load(scores + t) - maximum);
        store(scores + t, weight);
        total += weight;
    }
    return sum(total);
}

/// Calls `work.run<HEADS>(first head)` for the heads of a group, three or two at a time: as many as registers hold.
template <typename Work>
INLINE void for_heads(int64_t group, const Work &work) {
    int64_t head = 0;
    while (head < group) {
        int64_t left = group - head;
        if (left == 3 || left > 4) {
            work(std::integral_constant<int, 3>(), head);
            head += 3;
        } else if (left >= 2) {
            work(std::integral_constant<int, 2>(), head);
            head += 2;
        } else {
            work(std::integral_constant<int, 1>(), head);
            head += 1;
        }
    }
}

/// How many floats of scratch memory `attend` needs.
static int64_t scratch_size(int64_t group, int64_t dimension, int64_t length) {
    int64_t width = (dimension + LANES - 1) / LANES * LANES, positions = (length + 15) / 16 * 16;
    return group * (2 * width + positions);
}

/// Softmax(scale · q·kᵀ)·v, the scores limited by a cap unless it is zero, of `group` query heads `[group, dimension]` over keys
/// and values `[length, dimension]`. Meanwhile the values are fetched, and then the `next_count` elements that are read after them.
template <typename scalar>
static void attend(
    const scalar *queries, const scalar *keys, const scalar *values, int64_t length, int64_t group, int64_t dimension,
    float scale, float cap, float *scratch, scalar *outputs, const scalar *next, int64_t next_count) {
    int64_t width = (dimension + LANES - 1) / LANES * LANES, positions = (length + 15) / 16 * 16;
    float *wide = scratch, *sums = wide + group * width, *scores = sums + group * width;
    std::memset(scratch, 0, sizeof(float) * 2 * group * width);
    for (int64_t h = 0; h < group; h++)
        for (int64_t i = 0; i < dimension; i++)
            wide[h * width + i] = scale * static_cast<float>(queries[h * dimension + i]);
    for (int64_t begin = 0; begin < length; begin += BLOCK) {
        int64_t end = std::min(length, begin + BLOCK);
        fetch(values, begin * dimension, end * dimension);
        for_heads(group, [&](auto heads, int64_t h) __attribute__((always_inline)) {
            multiply_keys<decltype(heads)::value>(
                wide + h * width, width, keys, dimension, begin, end, scores + h * positions, positions);
        });
    }
    for (int64_t h = 0; h < group; h++) {
        if (cap > 0) limit(scores + h * positions, length, cap);
        // The queries are used up: their place keeps the factor of each head's output.
        wide[h * width] = 1 / exponentiate(scores + h * positions, length);
    }
    for (int64_t begin = 0; begin < length; begin += BLOCK) {
        int64_t end = std::min(length, begin + BLOCK);
        fetch(next, begin * dimension, std::min(end * dimension, next_count));
        for_heads(group, [&](auto heads, int64_t h) __attribute__((always_inline)) {
            add_values<decltype(heads)::value>(
                scores + h * positions, positions, values, dimension, begin, end, sums + h * width, width);
        });
    }
    for (int64_t h = 0; h < group; h++)
        for (int64_t i = 0; i < dimension; i++)
            outputs[h * dimension + i] = static_cast<scalar>(sums[h * width + i] * wide[h * width]);
}
