// Causal attention with online softmax, and its gradients, for one slice of a family of segments and one key-value head.
//
// A lane is one query head at one position: the lanes of a vector share keys, so that softmax needs no sums across lanes,
// and grouped heads are lanes like positions. Keys and values are packed as rows [keys, width] of float32, and queries
// as columns [dimension, BLOCK]; all products are then sums of (scalar of a row) · (vector of lanes), or, for the gradients
// of keys and values, of (scalar of a lane) · (vector of a row).

#include "AttentionProducts.inl"
#include "AttentionTiles.inl"

/// Scores of a pair of vectors for the keys of a tile, masked, into the weights; returns the largest so far in `largest`.
INLINE void score(const Tile &tile, int64_t lane, int64_t seen, int64_t width, int64_t dimension, Scratch &s, Floats largest[2]) {
    for (int64_t j = 0; j < seen; j += MICRO_ROWS) {
        Floats products[MICRO_ROWS][2];
        multiply(s.keys + (tile.row + j) * width, width, s.queries + lane, dimension, products);
        for (int r = 0; r < MICRO_ROWS && j + r < seen; r++)
            for (int v = 0; v < 2; v++) {
                Floats x = products[r][v];
                if (tile.causal && tile.first + j + r > s.positions[lane])
                    x = visible(s.positions, lane + v * LANES, tile.first + j + r) ? x : broadcast(-__builtin_inff());
                largest[v] = larger(largest[v], x);
                store(s.weights + (j + r) * BLOCK + lane + v * LANES, x);
            }
    }
}

/// Adds the keys of a tile to what a block's lanes have seen.
INLINE void attend(const Tile &tile, const Lanes &lanes, int64_t width, int64_t dimension, Scratch &s) {
    for (int64_t lane = 0; lane < lanes.filled; lane += PAIR) {
        int64_t seen = keys_seen(tile, s.positions, lane);
        if (seen <= 0) continue;
        Floats before[2] = {load(s.largest + lane), load(s.largest + lane + LANES)};
        Floats largest[2] = {before[0], before[1]}, decay[2], total[2];
        score(tile, lane, seen, width, dimension, s, largest);
        for (int v = 0; v < 2; v++) {
            decay[v] = power_of_two(before[v] - largest[v]);
            total[v] = load(s.totals + lane + v * LANES) * decay[v];
        }
        for (int64_t j = 0; j < seen; j++)
            for (int v = 0; v < 2; v++) {
                float *weight = s.weights + j * BLOCK + lane + v * LANES;
                Floats p = power_of_two(load(weight) - largest[v]);
                total[v] += p;
                store(weight, p);
            }
        for (int v = 0; v < 2; v++) {
            store(s.largest + lane + v * LANES, largest[v]);
            store(s.totals + lane + v * LANES, total[v]);
        }
        accumulate(s.values + tile.row * width, width, s.weights + lane, seen, dimension, decay, s.sums + lane);
    }
}

/// The tiles a block looks at, one after the other: the parent's, then its own run's up to the last position.
struct Tiles {
    int64_t parent_row, own_row, parent, own, next;
};

INLINE Tiles tiles_of(const Slice &slice, const Lanes &lanes, const int32_t *positions) {
    int64_t parent = lanes.run == slice.runs ? 0 : slice.runs[0].length;
    return {slice.runs[0].row, lanes.run->row, parent, positions[lanes.count - 1] + 1, 0};
}

INLINE bool take(Tiles &tiles, Tile &tile) {
    if (tiles.next >= tiles.parent + tiles.own) return false;
    tile.causal = tiles.next >= tiles.parent;
    int64_t left = tiles.parent - tiles.next + (tile.causal ? tiles.own : 0);
    tile.first = tiles.next - (tile.causal ? tiles.parent : 0);
    tile.row = tile.first + (tile.causal ? tiles.own_row : tiles.parent_row);
    tile.count = left < TILE ? left : TILE;
    tiles.next += tile.count;
    return true;
}

/// Outputs and softmax statistics of a slice's queries in the heads of one key-value head.
template <typename scalar>
void attend_slice(const Call<scalar> &call, const Slice &slice, int64_t head, float *memory) {
    int64_t width = padded(call.dimension);
    Scratch s = carve(memory, slice.rows, width);
    pack_keys(call, slice, head, width, s);
    for (int64_t b = 0; b < slice.block_count; b++) {
        Lanes lanes = pack_queries(call, slice, slice.blocks[b], head, width, s);
        clear(s.sums, width * BLOCK);
        for (int64_t i = 0; i < lanes.filled; i++) s.largest[i] = -__builtin_inff(), s.totals[i] = 0;
        Tiles tiles = tiles_of(slice, lanes, s.positions);
        for (Tile tile; take(tiles, tile);) attend(tile, lanes, width, call.dimension, s);
        transpose_columns(s.sums, lanes.filled, width, s.query_rows);
        for (int64_t i = 0; i < lanes.count; i++) {
            int64_t token = lanes.run->start + s.positions[i], query_head = head * call.group + (lanes.first + i) % call.group;
            float reciprocal = 1.0f / s.totals[i];
            int64_t place = token * call.heads + query_head;
            call.largest[place] = s.largest[i], call.reciprocals[place] = reciprocal;
            unpack_row(s.query_rows + i * width, reciprocal, call.dimension, call.output + place * call.dimension);
        }
    }
}

/// Packs the upstream gradients of a block divided by the softmax totals, the softmax statistics, and the sums of
/// upstream · output, divided likewise.
template <typename scalar>
INLINE void pack_upstream(const Call<scalar> &call, const Lanes &lanes, int64_t head, int64_t width, Scratch &s) {
    for (int64_t i = 0; i < lanes.filled; i++) s.largest[i] = s.deltas[i] = 0;
    clear(s.upstream_rows + lanes.count * width, (lanes.filled - lanes.count) * width);
    for (int64_t i = 0; i < lanes.count; i++) {
        int64_t token = lanes.run->start + s.positions[i], query_head = head * call.group + (lanes.first + i) % call.group;
        int64_t place = token * call.heads + query_head;
        float *upstream = s.upstream_rows + i * width;
        pack_row(row(call.upstream, token, query_head), call.reciprocals[place], call.dimension, upstream);
        float *output = s.sums;
        pack_row(static_cast<const scalar *>(call.output + place * call.dimension), 1.0f, call.dimension, output);
        Floats delta = {};
        for (int64_t c = 0; c < width; c += LANES) delta = multiply_add(load(upstream + c), load(output + c), delta);
        s.deltas[i] = sum(delta);
        s.largest[i] = call.largest[place];
    }
    transpose_rows(s.upstream_rows, lanes.filled, width, s.upstream);
}

/// Weights and slopes, the gradients of the scores, of a pair of vectors for the keys of a tile: the forward pass again.
INLINE void differentiate_scores(const Tile &tile, int64_t lane, int64_t seen, int64_t width, int64_t dimension, Scratch &s) {
    for (int64_t j = 0; j < seen; j += MICRO_ROWS) {
        Floats products[MICRO_ROWS][2];
        multiply(s.keys + (tile.row + j) * width, width, s.queries + lane, dimension, products);
        float *weights = s.weights + j * BLOCK + lane, *slopes = s.slopes + j * BLOCK + lane;
        for (int r = 0; r < MICRO_ROWS; r++)
            for (int v = 0; v < 2; v++) {
                Floats p = power_of_two(products[r][v] - load(s.largest + lane + v * LANES));
                if (tile.causal && tile.first + j + r > s.positions[lane])
                    p = visible(s.positions, lane + v * LANES, tile.first + j + r) ? p : Floats{};
                store(weights + r * BLOCK + v * LANES, p);
            }
        multiply(s.values + (tile.row + j) * width, width, s.upstream + lane, dimension, products);
        for (int r = 0; r < MICRO_ROWS; r++)
            for (int v = 0; v < 2; v++) {
                Floats p = load(weights + r * BLOCK + v * LANES);
                store(slopes + r * BLOCK + v * LANES, p * (products[r][v] - load(s.deltas + lane + v * LANES)));
            }
    }
}

/// Adds what a tile and a block give each other.
INLINE void differentiate(const Tile &tile, const Lanes &lanes, int64_t width, int64_t dimension, Scratch &s) {
    Floats ones[2] = {broadcast(1), broadcast(1)};
    for (int64_t lane = 0; lane < lanes.filled; lane += PAIR) {
        int64_t seen = keys_seen(tile, s.positions, lane);
        if (seen <= 0) continue;
        differentiate_scores(tile, lane, seen, width, dimension, s);
        accumulate(s.keys + tile.row * width, width, s.slopes + lane, seen, dimension, ones, s.sums + lane);
    }
    int64_t first = 0;
    for (int64_t j = 0; j < tile.count; j += MICRO_ROWS) {
        while (keys_seen(tile, s.positions, first) <= j) first += PAIR;
        float *keys = s.key_sums + (tile.row + j) * width, *values = s.value_sums + (tile.row + j) * width;
        gather(s.weights + j * BLOCK, first, lanes.filled, s.upstream_rows, width, values);
        gather(s.slopes + j * BLOCK, first, lanes.filled, s.query_rows, width, keys);
    }
}

/// Gradients of a slice's queries in the heads of one key-value head; the sums for its keys, then for its values, stay in
/// `sums`, [2, rows, width], or in the scratch if there are none.
template <typename scalar>
float *differentiate_slice(const Call<scalar> &call, const Slice &slice, int64_t head, float *memory, float *sums) {
    int64_t width = padded(call.dimension);
    Scratch s = carve(memory, slice.rows, width);
    if (sums) s.key_sums = sums, s.value_sums = sums + slice.rows * width;
    pack_keys(call, slice, head, width, s);
    for (int64_t i = 0; i < slice.run_count; i++) {
        int64_t start = slice.runs[i].row * width, count = rto::ragged::rounded_up(slice.keys_used(i), MICRO_ROWS) * width;
        clear(s.key_sums + start, count);
        clear(s.value_sums + start, count);
    }
    for (int64_t b = 0; b < slice.block_count; b++) {
        Lanes lanes = pack_queries(call, slice, slice.blocks[b], head, width, s);
        pack_upstream(call, lanes, head, width, s);
        clear(s.sums, width * BLOCK);
        Tiles tiles = tiles_of(slice, lanes, s.positions);
        for (Tile tile; take(tiles, tile);) differentiate(tile, lanes, width, call.dimension, s);
        transpose_columns(s.sums, lanes.filled, width, s.query_rows);
        for (int64_t i = 0; i < lanes.count; i++) {
            int64_t token = lanes.run->start + s.positions[i], query_head = head * call.group + (lanes.first + i) % call.group;
            scalar *target = call.query_gradient + (token * call.heads + query_head) * call.dimension;
            unpack_row(s.query_rows + i * width, call.scale, call.dimension, target);
        }
    }
    return s.key_sums;
}

/// The gradients of the key and value of a token: the sums of the `count` slices that see them, in order.
template <typename scalar>
void finish_row(const Call<scalar> &call, float *const *sums, int64_t count, int64_t rows, int64_t row, int64_t token, int64_t head) {
    int64_t width = padded(call.dimension), place = (token * call.key_value_heads + head) * call.dimension;
    for (int64_t c = 0; c < width; c += LANES) {
        Floats key = {}, value = {};
        for (int64_t i = 0; i < count; i++) {
            key += load(sums[i] + row * width + c);
            value += load(sums[i] + (rows + row) * width + c);
        }
        // Queries were packed in units of log2 e.
        key *= 0.693147181f;
        if (c + LANES <= call.dimension) {
            store(call.key_gradient + place + c, key);
            store(call.value_gradient + place + c, value);
        } else {
            store_part(call.key_gradient + place + c, key, call.dimension - c);
            store_part(call.value_gradient + place + c, value, call.dimension - c);
        }
    }
}
