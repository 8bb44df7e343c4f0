// Attention of the query heads that share one key-value head, for one new token. Included by EachProcessor.inl.

/// Positions handled together, so that keys and values are read from memory once for all heads of the group. Few, for as many
/// that are read later are fetched before each: memory takes no more requests at once.
constexpr int64_t BLOCK = 16;
static_assert(BLOCK % LANES == 0, "scores are written as whole vectors");

/// Asks memory for elements [begin, end) that are read later: it is the limit, and must not wait for the arithmetic.
template <typename scalar>
INLINE void fetch(const scalar *data, int64_t begin, int64_t end) {
    constexpr int64_t line = 64 / sizeof(scalar);
    for (int64_t i = begin; i < end; i += line) __builtin_prefetch(data + i, 0, 2);
}

/// Lanes of a where `step` is no part of the lane's number and of b where it is, with the lanes that differ by `step` added.
template <int step, int... lane>
INLINE Floats paired(Floats a, Floats b, std::integer_sequence<int, lane...>) {
    return __builtin_shufflevector(a, b, ((lane & step) ? LANES + lane : lane)...) +
           __builtin_shufflevector(a, b, ((lane & step) ? LANES + lane - step : lane + step)...);
}

/// The sum of all lanes of each of LANES vectors, a lane each.
template <int step = 1>
INLINE Floats sums(Floats (&v)[LANES]) {
    if constexpr (step == LANES) {
        return v[0];
    } else {
#pragma clang loop unroll(full)
        for (int i = 0; i < LANES; i += 2 * step)
            v[i] = paired<step>(v[i], v[i + step], std::make_integer_sequence<int, LANES>());
        return sums<2 * step>(v);
    }
}

/// Products of a query with `count` keys that follow each other, and with the last one again up to LANES.
template <bool is_whole>
INLINE Floats multiply_vector(const float *query, const float *keys, int64_t dimension, int64_t count) {
    Floats products[LANES] = {};
    for (int64_t i = 0; i < dimension; i += LANES) {
        Floats part = load(query + i);
#pragma clang loop unroll(full)
        for (int j = 0; j < LANES; j++) {
            const float *key = keys + (is_whole ? j : std::min<int64_t>(j, count - 1)) * dimension + i;
            products[j] = multiply_add(part, i + LANES <= dimension ? load(key) : load_part(key, dimension - i), products[j]);
        }
    }
    return sums(products);
}

/// The same for positions [begin, end), no more than BLOCK: `scores[position]`, which is written to the end of a vector.
INLINE void multiply_keys(
    const float *query, const float *keys, int64_t dimension, int64_t begin, int64_t end, float *scores) {
    for (int64_t t = begin; t < end; t += LANES) {
        const float *first = keys + (t - begin) * dimension;
        store(
            scores + t, t + LANES <= end ? multiply_vector<true>(query, first, dimension, LANES)
                                         : multiply_vector<false>(query, first, dimension, end - t));
    }
}

/// Elements as floats: themselves, or a copy.
INLINE const float *widened(const float *data, int64_t, float *) { return data; }
INLINE const float *widened(const c10::BFloat16 *data, int64_t count, float *copy) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) store(copy + i, load(data + i));
    if (i < count) store_part(copy + i, load_part(data + i, count - i), count - i);
    return copy;
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
    int64_t width = (dimension + LANES - 1) / LANES * LANES, positions = (length + BLOCK - 1) / BLOCK * BLOCK;
    return group * (2 * width + positions) + BLOCK * dimension;
}

/// Softmax(scale · q·kᵀ)·v, the scores limited by a cap unless it is zero, of `group` query heads `[group, dimension]` over keys
/// and values `[length, dimension]`. Meanwhile the values are fetched, and then the `next_count` elements that are read after them.
template <typename scalar>
static void attend(
    const scalar *queries, const scalar *keys, const scalar *values, int64_t length, int64_t group, int64_t dimension,
    float scale, float cap, float *scratch, scalar *outputs, const scalar *next, int64_t next_count) {
    int64_t width = (dimension + LANES - 1) / LANES * LANES, positions = (length + BLOCK - 1) / BLOCK * BLOCK;
    float *wide = scratch, *sums = wide + group * width, *scores = sums + group * width;
    float *block = scores + group * positions;
    std::memset(scratch, 0, sizeof(float) * 2 * group * width);
    for (int64_t h = 0; h < group; h++)
        for (int64_t i = 0; i < dimension; i++)
            wide[h * width + i] = scale * static_cast<float>(queries[h * dimension + i]);
    for (int64_t begin = 0; begin < length; begin += BLOCK) {
        int64_t end = std::min(length, begin + BLOCK);
        fetch(values, begin * dimension, end * dimension);
        const float *read = widened(keys + begin * dimension, (end - begin) * dimension, block);
        for (int64_t h = 0; h < group; h++)
            multiply_keys(wide + h * width, read, dimension, begin, end, scores + h * positions);
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
