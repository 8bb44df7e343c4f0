// The inner parts of a matrix product C = A · B: panels are packed so that the innermost loop reads memory in order, and a
// tile of C is kept in registers over the whole depth (Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication", 2008). Every element of C is one chain of fused multiply-adds over the depth, in order, whatever the
// shape of the product and the number of threads: a row's result does not depend on the rows beside it. See MatrixProduct.cpp
// for the packed rows.

// A tile fills the registers: 12 of 16 (24 of 32) hold sums.
constexpr int tile_rows = LANES == 16 ? 12 : 6;
constexpr int panel_columns = 2 * LANES;

// What the innermost loop multiplies: numbers, or pairs of bfloat16 numbers of consecutive depths on processors that add two
// products of such pairs in one instruction.

/// A pair of bfloat16 numbers, the shallower one in the lower half; only moved, never computed with as a float.
struct HalfPair {
    float bits;
};

template <typename weight>
struct Multiplier {
    INLINE Floats weights(const weight *p) { return load(p); }
    INLINE Floats spread(const float *x) { return broadcast(*x); }
    INLINE Floats add_product(Floats x, Floats w, Floats sum) { return multiply_add(x, w, sum); }
};

#if defined(MULTIPLIES_HALF_PAIRS)
typedef __bf16 HalfPairs __attribute__((vector_size(64)));

/// An element of the sum grows by a₀·b₀ + a₁·b₁, each product rounded into it in turn.
template <>
struct Multiplier<HalfPair> {
    INLINE Floats weights(const HalfPair *p) { return load(&p->bits); }
    INLINE Floats spread(const float *x) {
        int32_t bits;
        std::memcpy(&bits, x, sizeof bits);
        return reinterpret_cast<Floats>(Integers{} + bits);
    }
    INLINE Floats add_product(Floats x, Floats w, Floats sum) {
        return __builtin_ia32_dpbf16ps_512(sum, reinterpret_cast<HalfPairs>(x), reinterpret_cast<HalfPairs>(w));
    }
};
#endif

/// One tile: `rows` packed rows times `panels` consecutive panels, `panel_stride` elements apart. The panels that come next
/// are fetched meanwhile: with few rows memory is the limit, and it must not wait for the arithmetic.
template <int rows, int panels, typename weight, typename output>
static void multiply_tile(
    int64_t depth, PackedRows a, const weight *b, int64_t panel_stride, output *c, int64_t row_stride, int64_t columns,
    bool accumulates) {
    using Arithmetic = Multiplier<weight>;
    constexpr int64_t line = 64 / sizeof(weight);
    Floats sums[rows][2 * panels];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < 2 * panels; j++) sums[i][j] = Floats{};
    for (int64_t k = 0; k < depth; k++) {
        Floats weights[2 * panels];
#pragma clang loop unroll(full)
        for (int p = 0; p < panels; p++) {
            const weight *source = b + p * panel_stride + k * panel_columns;
#pragma clang loop unroll(full)
            for (int64_t i = 0; i < panel_columns; i += line) __builtin_prefetch(source + panels * panel_stride + i, 0, 2);
            weights[2 * p] = Arithmetic::weights(source);
            weights[2 * p + 1] = Arithmetic::weights(source + LANES);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            Floats x = Arithmetic::spread(a.data + k * a.step + i);
#pragma clang loop unroll(full)
            for (int j = 0; j < 2 * panels; j++) sums[i][j] = Arithmetic::add_product(x, weights[j], sums[i][j]);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        output *row = c + i * row_stride;
#pragma clang loop unroll(full)
        for (int j = 0; j < 2 * panels; j++) {
            int64_t left = columns - j * LANES;
            if (left >= LANES)
                store(row + j * LANES, accumulates ? load(row + j * LANES) + sums[i][j] : sums[i][j]);
            else if (left > 0)
                store_part(row + j * LANES, accumulates ? load_part(row + j * LANES, left) + sums[i][j] : sums[i][j], left);
        }
    }
}

/// `rows` rows times all columns. With few rows several panels keep the multipliers busy.
template <int rows, typename weight, typename output>
static void multiply_rows(
    int64_t columns, int64_t depth, int64_t stride, PackedRows a, const weight *b, output *c, int64_t row_stride,
    bool accumulates) {
    constexpr int together = rows <= 1 ? 4 : rows <= 2 ? 2 : 1;
    int64_t column = 0;
    if constexpr (together > 1)
        for (; column + (together - 1) * panel_columns < columns; column += together * panel_columns)
            multiply_tile<rows, together>(
                depth, a, b + column * stride, panel_columns * stride, c + column, row_stride, columns - column, accumulates);
    for (; column < columns; column += panel_columns)
        multiply_tile<rows, 1>(depth, a, b + column * stride, panel_columns * stride, c + column, row_stride, columns - column, accumulates);
}

/// `multiply_rows` for a number of rows known only now, at most `rows`.
template <int rows, typename weight, typename output>
static void multiply_some_rows(
    int64_t count, int64_t columns, int64_t depth, int64_t stride, PackedRows a, const weight *b, output *c,
    int64_t row_stride, bool accumulates) {
    if (count == rows) return multiply_rows<rows>(columns, depth, stride, a, b, c, row_stride, accumulates);
    if constexpr (rows > 1)
        multiply_some_rows<rows - 1>(count, columns, depth, stride, a, b, c, row_stride, accumulates);
}

/// C[rows, columns] = or += A · B over `depth` of the `stride` depths for which rows and panels were packed.
template <typename weight, typename output>
static void multiply_packed(
    int64_t rows, int64_t columns, int64_t depth, int64_t stride, PackedRows a, const weight *b, output *c,
    int64_t row_stride, bool accumulates) {
    if (rows <= tile_rows)
        return multiply_some_rows<tile_rows>(rows, columns, depth, stride, a, b, c, row_stride, accumulates);
    // A panel meets all rows before the next one does: it stays in the first cache, the packed rows in the second.
    for (int64_t column = 0; column < columns; column += panel_columns)
        for (int64_t row = 0; row < rows; row += tile_rows)
            multiply_some_rows<tile_rows>(
                std::min<int64_t>(tile_rows, rows - row), std::min<int64_t>(panel_columns, columns - column), depth, stride,
                a.from(row, stride), b + column * stride, c + row * row_stride + column, row_stride, accumulates);
}
