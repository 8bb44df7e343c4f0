// Causal attention with online softmax, and its gradients, for one slice of a family of segments and one key-value head.
//
// A lane is one query head at one position: the lanes of a vector share keys, so that softmax needs no sums across lanes,
// and grouped heads are lanes like positions. Keys and values are packed as rows [keys, width] of float32, and queries
// as columns [dimension, BLOCK]; all products are then sums of (scalar of a row) · (vector of lanes), or, for the gradients
// of keys and values, of (scalar of a lane) · (vector of a row).

#include "AttentionProducts.inl"
#include "AttentionTiles.inl"

/// The soft cap of scores in units of log₂ e, and its reciprocal; zero for none.
struct Cap {
    float value, reciprocal;
};

template <typename scalar>
INLINE Cap cap_of(const Call<scalar> &call) {
    return {call.soft_cap * 1.44269504f, call.soft_cap > 0 ? 1.0f / (call.soft_cap * 1.44269504f) : 0};
}

/// Scores of a pair of vectors for the keys of a tile, masked, into the weights; returns the largest so far in `largest`.
INLINE void score(
    const Tile &tile, int64_t lane, Span seen, int64_t width, int64_t dimension, Cap cap, Scratch &s, Floats largest[2]) {
    for (int64_t j = seen.begin; j < seen.end; j += MICRO_ROWS) {
        Floats products[MICRO_ROWS][2];
        multiply(s.keys + (tile.row + j) * width, width, s.queries + lane, dimension, products);
        if (cap.value > 0)
            for (auto &row : products)
                for (auto &x : row) x = hyperbolic_tangent(x * cap.reciprocal) * cap.value;
        bool partial = is_partial(tile, s.positions, lane, tile.first + j);
        for (int r = 0; r < MICRO_ROWS && j + r < seen.end; r++)
            for (int v = 0; v < 2; v++) {
                Floats x = products[r][v];
                if (partial)
                    x = visible(tile, s.positions, lane + v * LANES, tile.first + j + r) ? x : broadcast(-__builtin_inff());
                largest[v] = larger(largest[v], x);
                store(s.weights + (j + r) * BLOCK + lane + v * LANES, x);
            }
    }
}

/// Adds the keys of a tile to what a block's lanes have seen.
INLINE void attend(const Tile &tile, const Lanes &lanes, int64_t width, int64_t dimension, Cap cap, Scratch &s) {
    for (int64_t lane = 0; lane < lanes.filled; lane += PAIR) {
        Span seen = keys_seen(tile, s.positions, lane);
        if (seen.begin >= seen.end) continue;
        Floats before[2] = {load(s.largest + lane), load(s.largest + lane + LANES)};
        Floats largest[2] = {before[0], before[1]}, decay[2], total[2];
        score(tile, lane, seen, width, dimension, cap, s, largest);
        for (int v = 0; v < 2; v++) {
            decay[v] = power_of_two(before[v] - largest[v]);
            total[v] = load(s.totals + lane + v * LANES) * decay[v];
        }
        for (int64_t j = seen.begin; j < seen.end; j++)
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
        accumulate(
            s.values + (tile.row + seen.begin) * width, width, s.weights + seen.begin * BLOCK + lane, seen.end - seen.begin,
            dimension, decay, s.sums + lane);
    }
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
        // Finite, since a lane may see nothing of the first tiles: infinity less infinity is no number.
        for (int64_t i = 0; i < lanes.filled; i++) s.largest[i] = -__FLT_MAX__, s.totals[i] = 0;
        Tiles tiles = tiles_of(slice, lanes, s.positions, call.window);
        for (Tile tile; take(tiles, tile);) attend(tile, lanes, width, call.dimension, cap_of(call), s);
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
INLINE void differentiate_scores(
    const Tile &tile, int64_t lane, Span seen, int64_t width, int64_t dimension, Cap cap, Scratch &s) {
    for (int64_t j = seen.begin; j < seen.end; j += MICRO_ROWS) {
        Floats products[MICRO_ROWS][2];
        multiply(s.keys + (tile.row + j) * width, width, s.queries + lane, dimension, products);
        float *weights = s.weights + j * BLOCK + lane, *slopes = s.slopes + j * BLOCK + lane;
        if (cap.value > 0)
            for (int r = 0; r < MICRO_ROWS; r++)
                for (int v = 0; v < 2; v++) {
                    Floats t = hyperbolic_tangent(products[r][v] * cap.reciprocal);
                    products[r][v] = t * cap.value;
                    store(slopes + r * BLOCK + v * LANES, 1.0f - t * t);
                }
        bool partial = is_partial(tile, s.positions, lane, tile.first + j);
        for (int r = 0; r < MICRO_ROWS; r++)
            for (int v = 0; v < 2; v++) {
                Floats p = power_of_two(products[r][v] - load(s.largest + lane + v * LANES));
                if (partial) p = visible(tile, s.positions, lane + v * LANES, tile.first + j + r) ? p : Floats{};
                store(weights + r * BLOCK + v * LANES, p);
            }
        multiply(s.values + (tile.row + j) * width, width, s.upstream + lane, dimension, products);
        for (int r = 0; r < MICRO_ROWS; r++)
            for (int v = 0; v < 2; v++) {
                Floats p = load(weights + r * BLOCK + v * LANES);
                if (cap.value > 0) p *= load(slopes + r * BLOCK + v * LANES);
                store(slopes + r * BLOCK + v * LANES, p * (products[r][v] - load(s.deltas + lane + v * LANES)));
            }
    }
}

/// Adds what a tile and a block give each other.
INLINE void differentiate(const Tile &tile, const Lanes &lanes, int64_t width, int64_t dimension, Cap cap, Scratch &s) {
    Floats ones[2] = {broadcast(1), broadcast(1)};
    for (int64_t lane = 0; lane < lanes.filled; lane += PAIR) {
        Span seen = keys_seen(tile, s.positions, lane);
        if (seen.begin >= seen.end) continue;
        differentiate_scores(tile, lane, seen, width, dimension, cap, s);
        accumulate(
            s.keys + (tile.row + seen.begin) * width, width, s.slopes + seen.begin * BLOCK + lane, seen.end - seen.begin,
            dimension, ones, s.sums + lane);
    }
    // The pairs that see a key lie together, and move on with the keys.
    int64_t first = 0, last = 0;
    for (int64_t j = 0; j < tile.count; j += MICRO_ROWS) {
        while (keys_seen(tile, s.positions, first).end <= j) first += PAIR;
        while (last < lanes.filled && keys_seen(tile, s.positions, last).begin <= j) last += PAIR;
        float *keys = s.key_sums + (tile.row + j) * width, *values = s.value_sums + (tile.row + j) * width;
        gather(s.weights + j * BLOCK, first, last, s.upstream_rows, width, values);
        gather(s.slopes + j * BLOCK, first, last, s.query_rows, width, keys);
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
        Tiles tiles = tiles_of(slice, lanes, s.positions, call.window);
        for (Tile tile; take(tiles, tile);) differentiate(tile, lanes, width, call.dimension, cap_of(call), s);
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
