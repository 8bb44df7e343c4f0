// What attention packs for a slice and a block of lanes, and the tiles of keys it walks through.

/// Working memory of one thread, carved out of `scratch_floats` floats.
struct Scratch {
    // Rows of the family: [rows, width].
    float *keys, *values, *key_sums, *value_sums;
    // Of the block at hand: rows [BLOCK, width], and columns [width, BLOCK].
    float *query_rows, *upstream_rows, *queries, *upstream, *sums;
    // Of the tile at hand, [TILE, BLOCK], and per lane.
    float *weights, *slopes, *largest, *totals, *deltas;
    int32_t *positions;
};

int64_t padded_width(int64_t dimension) { return padded(dimension); }

int64_t scratch_floats(int64_t rows, int64_t dimension) {
    return padded(dimension) * (4 * rows + 5 * BLOCK) + 2 * TILE * BLOCK + 4 * BLOCK;
}

INLINE float *take(float *&memory, int64_t count) { return (memory += count) - count; }

INLINE Scratch carve(float *memory, int64_t rows, int64_t width) {
    Scratch s;
    s.weights = take(memory, TILE * BLOCK), s.slopes = take(memory, TILE * BLOCK);
    s.query_rows = take(memory, BLOCK * width), s.upstream_rows = take(memory, BLOCK * width);
    s.queries = take(memory, BLOCK * width), s.upstream = take(memory, BLOCK * width), s.sums = take(memory, BLOCK * width);
    s.largest = take(memory, BLOCK), s.totals = take(memory, BLOCK), s.deltas = take(memory, BLOCK);
    s.positions = reinterpret_cast<int32_t *>(take(memory, BLOCK));
    s.keys = take(memory, rows * width), s.values = take(memory, rows * width);
    s.key_sums = take(memory, rows * width), s.value_sums = take(memory, rows * width);
    return s;
}

template <typename scalar>
INLINE const scalar *row(const Rows<const scalar> &rows, int64_t token, int64_t head) {
    return rows.data + token * rows.token_stride + head * rows.head_stride;
}

/// Packs the keys and values that the slice sees, each run filled up to MICRO_ROWS with zeros.
template <typename scalar>
INLINE void pack_keys(const Call<scalar> &call, const Slice &slice, int64_t head, int64_t width, Scratch &s) {
    for (int64_t i = 0; i < slice.run_count; i++) {
        const Run &run = slice.runs[i];
        int64_t used = slice.keys_used(i), filled = rto::ragged::rounded_up(used, MICRO_ROWS);
        float *keys = s.keys + run.row * width, *values = s.values + run.row * width;
        for (int64_t j = 0; j < used; j++) {
            pack_row(row(call.keys, run.start + j, head), 1.0f, call.dimension, keys + j * width);
            pack_row(row(call.values, run.start + j, head), 1.0f, call.dimension, values + j * width);
        }
        clear(keys + used * width, (filled - used) * width);
        clear(values + used * width, (filled - used) * width);
    }
}

/// A block of lanes as the micro-kernels want it.
struct Lanes {
    const Run *run;
    int64_t first, count, filled;
};

/// Packs the queries of a block, scaled so that scores are exponents of two. Lanes that fill up the last pair are zero
/// and stand at the last position.
template <typename scalar>
INLINE Lanes pack_queries(const Call<scalar> &call, const Slice &slice, const Block &block, int64_t head, int64_t width, Scratch &s) {
    Lanes lanes = {slice.runs + block.run, block.first, block.count, rto::ragged::rounded_up(block.count, PAIR)};
    float factor = call.scale * 1.44269504f;
    for (int64_t i = 0; i < lanes.count; i++) {
        int64_t position = (lanes.first + i) / call.group, member = (lanes.first + i) % call.group;
        s.positions[i] = static_cast<int32_t>(position);
        pack_row(
            row(call.queries, lanes.run->start + position, head * call.group + member), factor, call.dimension,
            s.query_rows + i * width);
    }
    for (int64_t i = lanes.count; i < lanes.filled; i++) s.positions[i] = s.positions[lanes.count - 1];
    clear(s.query_rows + lanes.count * width, (lanes.filled - lanes.count) * width);
    transpose_rows(s.query_rows, lanes.filled, width, s.queries);
    return lanes;
}

/// Up to TILE keys of a run. A lane sees those up to its own position and after the one that its window leaves behind.
struct Tile {
    /// The first key's row among the packed ones, and its position, counted from the start of the lanes' own run: the
    /// parent's are negative.
    int64_t row, first, count;
    int64_t window;
};

/// The keys of a tile that some lane of the pair of vectors from `lane` sees, the first rounded down to a whole micro-kernel.
struct Span {
    int64_t begin, end;
};

INLINE Span keys_seen(const Tile &tile, const int32_t *positions, int64_t lane) {
    int64_t visible = positions[lane + PAIR - 1] + 1 - tile.first, hidden = positions[lane] + 1 - tile.window - tile.first;
    return {hidden > 0 ? hidden / MICRO_ROWS * MICRO_ROWS : 0, visible > tile.count ? tile.count : visible};
}

/// Whether some lane of a pair does not see all of the MICRO_ROWS keys from a position on.
INLINE bool is_partial(const Tile &tile, const int32_t *positions, int64_t lane, int64_t position) {
    return position + MICRO_ROWS - 1 > positions[lane] || position <= positions[lane + PAIR - 1] - tile.window;
}

/// Which lanes of a vector see the key at a position.
INLINE Integers visible(const Tile &tile, const int32_t *positions, int64_t lane, int64_t position) {
    Integers lanes;
    __builtin_memcpy(&lanes, positions + lane, sizeof lanes);
    return (lanes >= static_cast<int32_t>(position)) & (lanes < static_cast<int32_t>(position + tile.window));
}

/// The tiles a block looks at, one after the other: the parent's, then its own run's, from the first key that its first lane
/// sees to the last position.
struct Tiles {
    int64_t parent_row, own_row, parent, own, window, next;
};

INLINE Tiles tiles_of(const Slice &slice, const Lanes &lanes, const int32_t *positions, int64_t window) {
    int64_t parent = lanes.run == slice.runs ? 0 : slice.runs[0].length;
    int64_t first = parent + positions[0] + 1 - window, base = first < parent ? 0 : parent;
    // Micro-kernels start at every MICRO_ROWS-th row of a run.
    int64_t next = first > 0 ? base + (first - base) / MICRO_ROWS * MICRO_ROWS : 0;
    return {slice.runs[0].row, lanes.run->row, parent, positions[lanes.count - 1] + 1, window, next};
}

INLINE bool take(Tiles &tiles, Tile &tile) {
    if (tiles.next >= tiles.parent + tiles.own) return false;
    bool is_own = tiles.next >= tiles.parent;
    int64_t left = tiles.parent - tiles.next + (is_own ? tiles.own : 0);
    tile.first = tiles.next - tiles.parent;
    tile.row = is_own ? tiles.own_row + tile.first : tiles.parent_row + tiles.next;
    tile.count = left < TILE ? left : TILE;
    tile.window = tiles.window;
    tiles.next += tile.count;
    return true;
}
