// How the factors of a matrix product are packed for PackedProduct.inl.

#include "PackedProduct.inl"

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

/// `pack_lines` for pairs of bfloat16 numbers along the depth, of which the last one may lack its second half: [⌈depth/2⌉][width].
template <int width>
static void pack_pairs(
    const c10::BFloat16 *data, int64_t line_stride, int64_t depth_stride, int64_t count, int64_t depth, float *packed) {
    int64_t k = 0;
    if (depth_stride == 1 && line_stride % 2 == 0) {
        // Pairs lie in memory as they are wanted: they are moved as floats are.
        pack_lines<width>(reinterpret_cast<const float *>(data), line_stride / 2, 1, count, depth / 2, packed);
        k = depth / 2 * 2;
    } else if (line_stride == 1 && count == width && depth_stride >= LANES) {
        // What a load and a store take beyond the lines lies before the end of the memory: there is a next depth.
        for (; k + 2 < depth; k += 2)
            for (int i = 0; i < width; i += LANES) {
                const c10::BFloat16 *place = data + k * depth_stride + i;
                Integers upper = reinterpret_cast<Integers>(load(place + depth_stride));
                Integers lower = reinterpret_cast<Integers>(load(place)) >> 16 & 0xFFFF;
                store(packed + k / 2 * width + i, reinterpret_cast<Floats>(upper | lower));
            }
    }
    for (; k < depth; k += 2)
        for (int64_t i = 0; i < width; i++) {
            const c10::BFloat16 *place = data + i * line_stride + k * depth_stride;
            uint32_t lower = i < count ? place->x : 0, upper = i < count && k + 1 < depth ? place[depth_stride].x : 0;
            uint32_t bits = upper << 16 | lower;
            std::memcpy(packed + k / 2 * width + i, &bits, sizeof bits);
        }
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

/// The same for pairs along the depth.
static void pack_row_pairs(
    const c10::BFloat16 *data, int64_t row_stride, int64_t depth_stride, int64_t rows, int64_t depth, float *packed) {
    for (int64_t row = 0; row < rows; row += tile_rows)
        pack_pairs<tile_rows>(
            data + row * row_stride, row_stride, depth_stride, std::min<int64_t>(tile_rows, rows - row), depth,
            packed + row * ((depth + 1) / 2));
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

/// The same for pairs along the depth.
static void pack_panel_pairs(
    const c10::BFloat16 *data, int64_t depth_stride, int64_t column_stride, int64_t columns, int64_t depth, int64_t first,
    int64_t last, float *packed) {
    for (int64_t panel = first; panel < last; panel++) {
        int64_t column = panel * panel_columns;
        pack_pairs<panel_columns>(
            data + column * column_stride, column_stride, depth_stride, std::min<int64_t>(panel_columns, columns - column), depth,
            packed + panel * panel_columns * ((depth + 1) / 2));
    }
}

/// Panels kept in bfloat16, for processors without pairs: half the memory to read when few rows meet many weights.
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

/// The widths of the packed forms, for the code around the kernels.
static void packed_widths(int64_t *rows, int64_t *columns) {
    *rows = tile_rows;
    *columns = panel_columns;
}
