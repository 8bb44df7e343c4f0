// The inner parts of a matrix product C = A · B: panels are packed so that the innermost loop reads memory in order, and a
// tile of C is kept in registers over the whole depth (Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication", 2008). Every element of C is one chain of fused multiply-adds over the depth, in order, whatever the
// shape of the product and the number of threads: a row's result does not depend on the rows beside it.

// A tile fills the registers: 12 of 16 (24 of 32) hold sums.
constexpr int tile_rows = LANES == 16 ? 12 : 6;
constexpr int panel_columns = 2 * LANES;

template <int step, int... lane>
INLINE void exchange(Floats &a, Floats &b, std::integer_sequence<int, lane...>) {
    Floats first = __builtin_shufflevector(a, b, ((lane & step) ? LANES + lane - step : lane)...);
    Floats second = __builtin_shufflevector(a, b, ((lane & step) ? LANES + lane : lane + step)...);
    a = first;
    b = second;
}

template <int step = 1>
INLINE void transpose(Floats (&rows)[LANES]) {
#pragma clang loop unroll(full)
    for (int i = 0; i < LANES; i++)
        if ((i & step) == 0) exchange<step>(rows[i], rows[i + step], std::make_integer_sequence<int, LANES>());
    if constexpr (2 * step < LANES) transpose<2 * step>(rows);
}

/// Packs `count` lines (rows of A, or columns of B) of `depth` elements to [depth][width], `count` ≤ width, zeros in the
/// lines that are missing. Element (line, k) is at data[line · line_stride + k · depth_stride]. May write LANES - 1 floats
/// past the end.
template <int width, typename scalar>
static void pack_lines(
    const scalar *data, int64_t line_stride, int64_t depth_stride, int64_t count, int64_t depth, float *packed) {
    if (line_stride == 1 && count == width) {
        int64_t k = 0;
        // What a load and a store take beyond the lines lies before the end of the memory: there is a next depth.
        for (; k + 1 < depth && depth_stride >= LANES; k++)
            for (int i = 0; i < width; i += LANES) store(packed + k * width + i, load(data + k * depth_stride + i));
        for (; k < depth; k++)
            for (int i = 0; i < width; i++) packed[k * width + i] = static_cast<float>(data[k * depth_stride + i]);
        return;
    }
    int64_t k = 0;
    if (depth_stride == 1) {
        // Blocks of LANES lines and LANES depths are turned in registers. What a store writes beyond its group is overwritten
        // by the store after it.
        for (; k + LANES <= depth; k += LANES) {
            Floats groups[(width + LANES - 1) / LANES][LANES];
            for (int64_t group = 0; group * LANES < width; group++) {
                for (int64_t i = 0; i < LANES; i++) {
                    int64_t line = group * LANES + i;
                    groups[group][i] = line < count ? load(data + line * line_stride + k) : Floats{};
                }
                transpose(groups[group]);
            }
            for (int i = 0; i < LANES; i++)
                for (int64_t group = 0; group * LANES < width; group++)
                    store(packed + (k + i) * width + group * LANES, groups[group][i]);
        }
    }
    for (; k < depth; k++)
        for (int64_t i = 0; i < width; i++)
            packed[k * width + i] = i < count ? static_cast<float>(data[i * line_stride + k * depth_stride]) : 0.0f;
}

/// Packs rows of A to blocks [block][depth][tile_rows], the last one padded with zeros.
template <typename scalar>
static void pack_rows(
    const scalar *data, int64_t row_stride, int64_t depth_stride, int64_t rows, int64_t depth, float *packed) {
    for (int64_t row = 0; row < rows; row += tile_rows)
        pack_lines<tile_rows>(
            data + row * row_stride, row_stride, depth_stride, std::min<int64_t>(tile_rows, rows - row), depth,
            packed + row * depth);
}

/// Packs panels [first, last) of B to [panel][depth][panel_columns]. A panel's end is the beginning of the next, which another
/// thread may have written, so the columns are a multiple of LANES and nothing is written past them.
template <typename scalar>
static void pack_panels(
    const scalar *data, int64_t depth_stride, int64_t column_stride, int64_t columns, int64_t depth, int64_t first,
    int64_t last, float *packed) {
    for (int64_t panel = first; panel < last; panel++) {
        int64_t column = panel * panel_columns;
        pack_lines<panel_columns>(
            data + column * column_stride, column_stride, depth_stride, std::min<int64_t>(panel_columns, columns - column), depth,
            packed + panel * panel_columns * depth);
    }
}

/// The same, kept in bfloat16: half the memory to read when few rows meet many weights.
static void pack_half_panels(
    const c10::BFloat16 *data, int64_t depth_stride, int64_t column_stride, int64_t columns, int64_t depth, int64_t first,
    int64_t last, c10::BFloat16 *packed) {
    for (int64_t panel = first; panel < last; panel++) {
        int64_t column = panel * panel_columns, count = std::min<int64_t>(panel_columns, columns - column);
        c10::BFloat16 *target = packed + panel * panel_columns * depth;
        for (int64_t k = 0; k < depth; k++)
            for (int64_t i = 0; i < panel_columns; i++)
                target[k * panel_columns + i] =
                    i < count ? data[(column + i) * column_stride + k * depth_stride] : c10::BFloat16(0.0f);
    }
}

/// One tile: `rows` packed rows times `panels` consecutive panels, `panel_stride` elements apart.
template <int rows, int panels, typename weight, typename output>
static void multiply_tile(
    int64_t depth, const float *a, const weight *b, int64_t panel_stride, output *c, int64_t row_stride, int64_t columns,
    bool accumulates) {
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
            __builtin_prefetch(source + 8 * panel_columns);
            weights[2 * p] = load(source);
            weights[2 * p + 1] = load(source + LANES);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            Floats x = broadcast(a[k * tile_rows + i]);
#pragma clang loop unroll(full)
            for (int j = 0; j < 2 * panels; j++) sums[i][j] = multiply_add(x, weights[j], sums[i][j]);
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
    int64_t columns, int64_t depth, int64_t stride, const float *a, const weight *b, output *c, int64_t row_stride,
    bool accumulates) {
    constexpr int together = rows <= 1 ? 4 : rows <= 2 ? 2 : 1;
    int64_t column = 0;
    if constexpr (together > 1)
        for (; column + (together - 1) * panel_columns < columns; column += together * panel_columns)
            multiply_tile<rows, together>(
                depth, a, b + column * stride, panel_columns * stride, c + column, row_stride, columns - column, accumulates);
    for (; column < columns; column += panel_columns)
        multiply_tile<rows, 1>(depth, a, b + column * stride, 0, c + column, row_stride, columns - column, accumulates);
}

/// `multiply_rows` for a number of rows known only now, at most `rows`.
template <int rows, typename weight, typename output>
static void multiply_some_rows(
    int64_t count, int64_t columns, int64_t depth, int64_t stride, const float *a, const weight *b, output *c,
    int64_t row_stride, bool accumulates) {
    if (count == rows) return multiply_rows<rows>(columns, depth, stride, a, b, c, row_stride, accumulates);
    if constexpr (rows > 1)
        multiply_some_rows<rows - 1>(count, columns, depth, stride, a, b, c, row_stride, accumulates);
}

/// C[rows, columns] = or += A · B over `depth` of the `stride` depths for which rows and panels were packed.
template <typename weight, typename output>
static void multiply_packed(
    int64_t rows, int64_t columns, int64_t depth, int64_t stride, const float *a, const weight *b, output *c,
    int64_t row_stride, bool accumulates) {
    if (rows <= tile_rows)
        return multiply_some_rows<tile_rows>(rows, columns, depth, stride, a, b, c, row_stride, accumulates);
    // A panel meets all rows before the next one does: it stays in the first cache, the packed rows in the second.
    for (int64_t column = 0; column < columns; column += panel_columns)
        for (int64_t row = 0; row < rows; row += tile_rows)
            multiply_some_rows<tile_rows>(
                std::min<int64_t>(tile_rows, rows - row), std::min<int64_t>(panel_columns, columns - column), depth, stride,
                a + row * stride, b + column * stride, c + row * row_stride + column, row_stride, accumulates);
}

/// The widths of the packed forms, for the code around the kernels.
static void packed_widths(int64_t *rows, int64_t *columns) {
    *rows = tile_rows;
    *columns = panel_columns;
}
