// The micro-kernels of attention: packing, transposing, and products of packed rows with vectors of lanes.

/// Lanes a micro-kernel computes at once: two vectors.
constexpr int64_t PAIR = 2 * LANES;

/// Columns of packed rows: the dimension, filled up with zeros.
INLINE int64_t padded(int64_t dimension) { return rto::ragged::rounded_up(dimension, LANES); }

/// 2ˣ for x ≤ 0 to about one unit in the last place, zero below -126.5; NaN stays NaN.
INLINE Floats power_of_two(Floats x) {
    x = larger(broadcast(-127), x);
    // Adding 1.5·2²³ + 127 rounds to a whole number, whose bits, moved, are those of its power of two.
    const float rounder = 12582912.0f + 127.0f;
    Floats shifted = x + rounder, r = x - (shifted - rounder);
    Floats p = multiply_add(broadcast(1.326472731e-3f), r, broadcast(9.671512991e-3f));
    p = multiply_add(p, r, broadcast(5.550733581e-2f));
    p = multiply_add(p, r, broadcast(2.402224243e-1f));
    p = multiply_add(p, r, broadcast(6.931470037e-1f));
    p = multiply_add(p, r, broadcast(1.0f));
    return p * reinterpret_cast<Floats>(reinterpret_cast<Integers>(shifted) << 23);
}

/// target = source · factor, with zeros from `dimension` up to `padded(dimension)`.
template <typename scalar>
INLINE void pack_row(const scalar *source, float factor, int64_t dimension, float *target) {
    int64_t c = 0;
    for (; c + LANES <= dimension; c += LANES) store(target + c, load(source + c) * factor);
    if (c < dimension) store(target + c, load_part(source + c, dimension - c) * factor);
}

template <typename scalar>
INLINE void unpack_row(const float *source, float factor, int64_t dimension, scalar *target) {
    int64_t c = 0;
    for (; c + LANES <= dimension; c += LANES) store(target + c, load(source + c) * factor);
    if (c < dimension) store_part(target + c, load(source + c) * factor, dimension - c);
}

INLINE void clear(float *target, int64_t count) {
    for (int64_t i = 0; i < count; i++) target[i] = 0;
}

/// Lanes of a and b in turn, from lane `from` of both on.
template <int from, int... lane>
INLINE Floats interleaved(Floats a, Floats b, std::integer_sequence<int, lane...>) {
    return __builtin_shufflevector(a, b, (from + lane / 2 + lane % 2 * LANES)...);
}

/// Transposes LANES rows of LANES floats by interleaving vectors half the rows apart, once for each bit of an index.
INLINE void transpose_square(const float *source, int64_t source_stride, float *target, int64_t target_stride) {
    Floats rows[LANES], mixed[LANES];
    for (int i = 0; i < LANES; i++) rows[i] = load(source + i * source_stride);
    for (int step = 1; step < LANES; step *= 2) {
        for (int i = 0; i < LANES / 2; i++) {
            mixed[2 * i] = interleaved<0>(rows[i], rows[i + LANES / 2], std::make_integer_sequence<int, LANES>());
            mixed[2 * i + 1] = interleaved<LANES / 2>(rows[i], rows[i + LANES / 2], std::make_integer_sequence<int, LANES>());
        }
        for (int i = 0; i < LANES; i++) rows[i] = mixed[i];
    }
    for (int i = 0; i < LANES; i++) store(target + i * target_stride, rows[i]);
}

/// rows [lanes, width] -> columns [width, BLOCK]; both counts are multiples of LANES.
INLINE void transpose_rows(const float *rows, int64_t lanes, int64_t width, float *columns) {
    for (int64_t i = 0; i < lanes; i += LANES)
        for (int64_t c = 0; c < width; c += LANES) transpose_square(rows + i * width + c, width, columns + c * BLOCK + i, BLOCK);
}

INLINE void transpose_columns(const float *columns, int64_t lanes, int64_t width, float *rows) {
    for (int64_t i = 0; i < lanes; i += LANES)
        for (int64_t c = 0; c < width; c += LANES) transpose_square(columns + c * BLOCK + i, BLOCK, rows + i * width + c, width);
}

/// products[r] = row r · columns, for MICRO_ROWS rows and a pair of vectors of lanes.
INLINE void multiply(const float *rows, int64_t width, const float *columns, int64_t dimension, Floats products[MICRO_ROWS][2]) {
    for (int r = 0; r < MICRO_ROWS; r++) products[r][0] = products[r][1] = Floats{};
    for (int64_t c = 0; c < dimension; c++) {
        Floats first = load(columns + c * BLOCK), second = load(columns + c * BLOCK + LANES);
        for (int r = 0; r < MICRO_ROWS; r++) {
            Floats factor = broadcast(rows[r * width + c]);
            products[r][0] = multiply_add(factor, first, products[r][0]);
            products[r][1] = multiply_add(factor, second, products[r][1]);
        }
    }
}

/// COUNT rows of `accumulate`.
template <int COUNT>
INLINE void accumulate_columns(
    const float *rows, int64_t width, const float *weights, int64_t count, const Floats decay[2], float *sums) {
    Floats total[COUNT][2];
    for (int u = 0; u < COUNT; u++)
        for (int v = 0; v < 2; v++) total[u][v] = load(sums + u * BLOCK + v * LANES) * decay[v];
    for (int64_t j = 0; j < count; j++) {
        Floats first = load(weights + j * BLOCK), second = load(weights + j * BLOCK + LANES);
        for (int u = 0; u < COUNT; u++) {
            Floats factor = broadcast(rows[j * width + u]);
            total[u][0] = multiply_add(factor, first, total[u][0]);
            total[u][1] = multiply_add(factor, second, total[u][1]);
        }
    }
    for (int u = 0; u < COUNT; u++)
        for (int v = 0; v < 2; v++) store(sums + u * BLOCK + v * LANES, total[u][v]);
}

/// sums [dimension, pair of lanes] = sums · decay + Σ over rows of row[c] · weights[row]; columns six at a time fill the
/// registers, some fours make up the rest.
INLINE void accumulate(
    const float *rows, int64_t width, const float *weights, int64_t count, int64_t dimension, const Floats decay[2],
    float *sums) {
    int64_t columns = rto::ragged::rounded_up(dimension, 4);
    for (int64_t c = 0; c < columns;) {
        if (columns - c == 4 || columns - c == 8) {
            accumulate_columns<4>(rows + c, width, weights, count, decay, sums + c * BLOCK);
            c += 4;
        } else {
            accumulate_columns<6>(rows + c, width, weights, count, decay, sums + c * BLOCK);
            c += 6;
        }
    }
}

/// target[r] += Σ over lanes of weights[r][lane] · rows[lane], for MICRO_ROWS rows r and VECTORS vectors of a row; lanes
/// come STEPS at a time, so that sums enough are under way.
template <int VECTORS, int STEPS>
INLINE void gather_columns(const float *weights, int64_t begin, int64_t end, const float *rows, int64_t width, float *target) {
    Floats total[MICRO_ROWS][STEPS][VECTORS] = {};
    for (int64_t i = begin; i < end; i += STEPS)
        for (int s = 0; s < STEPS; s++) {
            Floats part[VECTORS];
            for (int v = 0; v < VECTORS; v++) part[v] = load(rows + (i + s) * width + v * LANES);
            for (int r = 0; r < MICRO_ROWS; r++) {
                Floats factor = broadcast(weights[r * BLOCK + i + s]);
                for (int v = 0; v < VECTORS; v++) total[r][s][v] = multiply_add(factor, part[v], total[r][s][v]);
            }
        }
    for (int r = 0; r < MICRO_ROWS; r++)
        for (int v = 0; v < VECTORS; v++) {
            Floats sum = load(target + r * width + v * LANES);
            for (int s = 0; s < STEPS; s++) sum += total[r][s][v];
            store(target + r * width + v * LANES, sum);
        }
}

INLINE void gather(const float *weights, int64_t begin, int64_t end, const float *rows, int64_t width, float *target) {
    int64_t c = 0;
    for (; c + PAIR <= width; c += PAIR) gather_columns<2, 1>(weights, begin, end, rows + c, width, target + c);
    if (c < width) gather_columns<1, 2>(weights, begin, end, rows + c, width, target + c);
}
