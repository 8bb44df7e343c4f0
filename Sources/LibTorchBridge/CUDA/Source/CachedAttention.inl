R"cuda(
// Attention of one new token a row over cached keys and values, which it joins; and the filling of caches.
//
// Caches are [slots, key-value heads, capacity, dimension]. A block has one key-value head of one row and a part of its keys, and
// reads each of them once for all query heads that share it. Within a warp, teams of as many lanes as a key has vectors of 16 bytes
// take every so-many-th key; teams meet in their warp, warps in their block, and parts in the block that is done last.

template <typename scalar>
struct CachedRows {
    const scalar *queries, *keys, *values;
    scalar *key_cache, *value_cache, *output;
    /// Where a row lives, and how many tokens it has there already.
    const int64_t *slots, *lengths;
    /// [rows, heads, parts, dimension + 2], and a zero for each row and key-value head that is zero again afterwards.
    float *partial;
    int *arrivals;
    int64_t query_stride, key_stride, value_stride, capacity, window;
    /// `lanes` of a warp, a power of two, have a key between them.
    int key_value_heads, group, dimension, parts, lanes;
    float scale, soft_cap;
};

template <typename scalar>
struct CacheRuns {
    const scalar *keys, *values;
    scalar *key_cache, *value_cache;
    /// First token, length and slot of each run.
    const int64_t *runs;
    int64_t key_stride, value_stride, capacity;
    int dimension;
};

/// Below every score, and a number: keys that are not there weigh nothing beside one that is, whatever they were counted as before.
constexpr float LOWEST = -3e38f;

constexpr int MOST_DIMENSIONS = 256, WARPS = 4;

/// The running softmax of one query over keys seen so far, each lane with `count` elements of the sum of values.
template <int count>
struct Running {
    float largest = LOWEST, total = 0, sum[count] = {};

    inline void scale_to(float top) {
        float old = expf(largest - top);
        total *= old;
#pragma unroll
        for (int e = 0; e < count; e++) sum[e] *= old;
        largest = top;
    }

    /// What another team of the warp has seen, whose lanes are `distance` away.
    inline void join(int distance) {
        scale_to(fmaxf(largest, __shfl_xor_sync(~0u, largest, distance)));
        total += __shfl_xor_sync(~0u, total, distance);
#pragma unroll
        for (int e = 0; e < count; e++) sum[e] += __shfl_xor_sync(~0u, sum[e], distance);
    }
};

/// `members` query heads from `member` on over every so-many-th of the keys [first, last), each warp for itself.
template <int count, int members, typename scalar>
inline void attend_keys(
    const CachedRows<scalar> &call, int64_t row, int member, const scalar *keys, const scalar *values, int64_t first, int64_t last,
    Running<count> (&running)[members]) {
    constexpr int length = run_length<scalar, count>, runs = count / length, at_once = runs > 1 ? 2 : 4;
    int lane = threadIdx.x % 32, teams = blockDim.x / call.lanes, team = threadIdx.x / call.lanes;
    int place = lane % call.lanes * count, dimension = call.dimension;
    // Lanes behind the dimension read the first elements and multiply them by zero: a branch would wait for every read.
    bool is_active = place < dimension;
    int offset = is_active ? place : 0;
    float query[members][count] = {};
    if (is_active)
#pragma unroll
        for (int m = 0; m < members; m++) {
            int own = blockIdx.y * call.group + min(member + m, call.group - 1);
            load(call.queries + row * call.query_stride + own * dimension + place, query[m]);
        }
    for (int64_t start = first; start < last; start += teams * at_once) {
        // All reads are on their way before the first is used, in the narrow type: half of the registers.
        Run<scalar, length> key[at_once][runs], value[at_once][runs];
#pragma unroll
        for (int j = 0; j < at_once; j++) {
            int64_t from = min(start + j * teams + team, last - 1) * dimension + offset;
#pragma unroll
            for (int r = 0; r < runs; r++) {
                key[j][r] = reinterpret_cast<const Run<scalar, length> *>(keys + from)[r];
                value[j][r] = reinterpret_cast<const Run<scalar, length> *>(values + from)[r];
            }
        }
        float scores[members][at_once] = {};
#pragma unroll
        for (int j = 0; j < at_once; j++)
#pragma unroll
            for (int e = 0; e < count; e++) {
                float one = wide(key[j][e / length].elements[e % length]);
#pragma unroll
                for (int m = 0; m < members; m++) scores[m][j] += query[m][e] * one;
            }
        for (int distance = call.lanes / 2; distance > 0; distance /= 2)
#pragma unroll
            for (int m = 0; m < members; m++)
#pragma unroll
                for (int j = 0; j < at_once; j++) scores[m][j] += __shfl_xor_sync(~0u, scores[m][j], distance);
#pragma unroll
        for (int m = 0; m < members; m++) {
            float top = running[m].largest;
#pragma unroll
            for (int j = 0; j < at_once; j++) {
                bool is_there = start + j * teams + team < last;
                scores[m][j] = is_there ? capped(scores[m][j] * call.scale, call.soft_cap) : LOWEST;
                top = fmaxf(top, scores[m][j]);
            }
            running[m].scale_to(top);
#pragma unroll
            for (int j = 0; j < at_once; j++) running[m].total += scores[m][j] = expf(scores[m][j] - top);
        }
#pragma unroll
        for (int j = 0; j < at_once; j++)
#pragma unroll
            for (int e = 0; e < count; e++) {
                float one = wide(value[j][e / length].elements[e % length]);
#pragma unroll
                for (int m = 0; m < members; m++) running[m].sum[e] += scores[m][j] * one;
            }
    }
    for (int distance = call.lanes; distance < 32; distance *= 2)
#pragma unroll
        for (int m = 0; m < members; m++) running[m].join(distance);
}

template <int count, int members, typename scalar>
inline void attend_cached(const CachedRows<scalar> &call) {
    int head = blockIdx.y, part = blockIdx.z, lane = threadIdx.x % 32, warp = threadIdx.x / 32, dimension = call.dimension;
    int64_t row = blockIdx.x, length = call.lengths[row];
    int64_t base = (call.slots[row] * call.key_value_heads + head) * call.capacity * dimension;
    scalar *key_base = call.key_cache + base, *value_base = call.value_cache + base;
    int64_t end = length + 1, begin = call.window > 0 && end > call.window ? end - call.window : 0;
    int64_t share = (end - begin + call.parts - 1) / call.parts;
    int64_t first = begin + part * share, last = min(first + share, end);
    if (first <= length && length < last) {
        for (int i = threadIdx.x; i < dimension; i += blockDim.x) {
            key_base[length * dimension + i] = call.keys[row * call.key_stride + head * dimension + i];
            value_base[length * dimension + i] = call.values[row * call.value_stride + head * dimension + i];
        }
        __syncthreads();
    }
    int heads = call.key_value_heads * call.group;
    // The outputs of a row's head, or a part's sums with the largest score and the total behind them.
    __shared__ float sums[WARPS][members][MOST_DIMENSIONS], largest[WARPS][members], totals[WARPS][members];
    for (int member = 0; member < call.group; member += members) {
        Running<count> running[members];
        attend_keys<count, members>(call, row, member, key_base, value_base, first, last, running);
        __syncthreads();
        if (lane * count < dimension && lane < call.lanes)
#pragma unroll
            for (int m = 0; m < members; m++) {
#pragma unroll
                for (int e = 0; e < count; e++) sums[warp][m][lane * count + e] = running[m].sum[e];
                if (lane > 0) continue;
                largest[warp][m] = running[m].largest;
                totals[warp][m] = running[m].total;
            }
        __syncthreads();
        for (int m = warp; m < members && member + m < call.group; m += WARPS) {
            int query_head = head * call.group + member + m;
            float top = LOWEST, total = 0, weights[WARPS];
#pragma unroll
            for (int w = 0; w < WARPS; w++) top = fmaxf(top, largest[w][m]);
#pragma unroll
            for (int w = 0; w < WARPS; w++) total += (weights[w] = expf(largest[w][m] - top)) * totals[w][m];
            float *partial = call.partial + ((row * heads + query_head) * call.parts + part) * (dimension + 2);
            for (int i = lane; i < dimension; i += 32) {
                float sum = 0;
#pragma unroll
                for (int w = 0; w < WARPS; w++) sum += weights[w] * sums[w][m][i];
                if (call.parts == 1)
                    narrow(sum / total, call.output[(row * heads + query_head) * dimension + i]);
                else
                    partial[i] = sum;
            }
            if (call.parts == 1 || lane > 0) continue;
            partial[dimension] = top;
            partial[dimension + 1] = total;
        }
    }
    if (call.parts == 1) return;
    __shared__ bool is_last;
    __threadfence();
    __syncthreads();
    int *arrivals = call.arrivals + row * call.key_value_heads + head;
    if (threadIdx.x == 0) is_last = atomicAdd(arrivals, 1) == call.parts - 1;
    __syncthreads();
    if (!is_last) return;
    if (threadIdx.x == 0) *arrivals = 0;
    __threadfence();
    for (int member = warp; member < call.group; member += WARPS) {
        int64_t query_head = row * heads + head * call.group + member;
        const float *partial = call.partial + query_head * call.parts * (dimension + 2);
        // A lane has a part's statistics; past the first cache, where another block's numbers would be old.
        const float *own = partial + lane * (dimension + 2) + dimension;
        bool has_part = lane < call.parts;
        float largest = has_part ? __ldcg(own) : LOWEST, weight = expf(largest - warp_largest(largest));
        float total = warp_sum(has_part ? weight * __ldcg(own + 1) : 0);
        for (int start = 0; start < dimension; start += 32) {
            float sum = 0;
            int i = min(start + lane, dimension - 1);
#pragma unroll 4
            for (int p = 0; p < call.parts; p++)
                sum += __shfl_sync(~0u, weight, p) * __ldcg(partial + p * (dimension + 2) + i);
            if (start + lane < dimension) narrow(sum / total, call.output[query_head * dimension + i]);
        }
    }
}

#define ATTENTION(scalar, type, count, members)                                                                          \
    extern "C" __global__ void attend_cached_##type##_##count##_##members(CachedRows<scalar> call) {                     \
        attend_cached<count, members>(call);                                                                             \
    }
#define ATTENTIONS(scalar, type, count)                                                                                  \
    ATTENTION(scalar, type, count, 1) ATTENTION(scalar, type, count, 2) ATTENTION(scalar, type, count, 4)
ATTENTIONS(float, float32, 4)
ATTENTIONS(float, float32, 8)
ATTENTIONS(bfloat16, bfloat16, 8)

/// A block has one head of one run.
template <typename scalar>
inline void fill_cache(const CacheRuns<scalar> &call) {
    const int64_t *run = call.runs + 3 * blockIdx.x;
    int64_t head = blockIdx.y, heads = gridDim.y, base = (run[2] * heads + head) * call.capacity * call.dimension;
    for (int64_t i = threadIdx.x; i < run[1] * call.dimension; i += blockDim.x) {
        int64_t token = run[0] + i / call.dimension, column = head * call.dimension + i % call.dimension;
        call.key_cache[base + i] = call.keys[token * call.key_stride + column];
        call.value_cache[base + i] = call.values[token * call.value_stride + column];
    }
}
extern "C" __global__ void fill_cache_float32(CacheRuns<float> call) { fill_cache(call); }
extern "C" __global__ void fill_cache_bfloat16(CacheRuns<bfloat16> call) { fill_cache(call); }
)cuda"
