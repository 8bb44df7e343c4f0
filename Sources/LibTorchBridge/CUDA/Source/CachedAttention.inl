R"cuda(
// Attention of one new token a row over cached keys and values, which it joins; and the filling of caches.
//
// Caches are [slots, key-value heads, capacity, dimension]. A block has one key-value head of one row and a part of its keys;
// each warp has one of the query heads that share it. Parts meet in the block that is done last.

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
    int key_value_heads, group, dimension, parts;
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

/// Below every score: what stands in a place without a key.
inline float lowest() { return -__int_as_float(0x7f800000); }

/// The running softmax of one query over keys seen so far, each lane with `count` elements of the sum of values.
template <int count>
struct Running {
    float largest = lowest(), total = 0, sum[count] = {};

    /// Several keys at once, of which the first at least is there.
    template <int keys>
    void add(const float (&scores)[keys], const float (&values)[keys][count]) {
        float top = largest;
#pragma unroll
        for (int j = 0; j < keys; j++) top = fmaxf(top, scores[j]);
        float old = expf(largest - top);
        total *= old;
#pragma unroll
        for (int e = 0; e < count; e++) sum[e] *= old;
#pragma unroll
        for (int j = 0; j < keys; j++) {
            float share = expf(scores[j] - top);
            total += share;
#pragma unroll
            for (int e = 0; e < count; e++) sum[e] += share * values[j][e];
        }
        largest = top;
    }
};

template <int count, typename scalar>
inline void attend_cached(const CachedRows<scalar> &call) {
    int head = blockIdx.y, part = blockIdx.z, lane = threadIdx.x % 32, dimension = call.dimension;
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
    // Lanes behind the dimension read the first elements and multiply them by zero: a branch would wait for every read.
    bool is_active = lane * count < dimension;
    int offset = is_active ? lane * count : 0;
    int heads = call.key_value_heads * call.group, warps = blockDim.x / 32;
    for (int member = threadIdx.x / 32; member < call.group; member += warps) {
        int query_head = head * call.group + member;
        float query[count] = {};
        if (is_active) load(call.queries + row * call.query_stride + query_head * dimension + lane * count, query);
        Running<count> running;
        // Enough reads on their way to hide how long one takes.
        constexpr int at_once = count <= 4 ? 8 : 4;
        for (int64_t start = first; start < last; start += at_once) {
            float scores[at_once], keys[at_once][count], values[at_once][count];
#pragma unroll
            for (int j = 0; j < at_once; j++) {
                int64_t place = min(start + j, last - 1) * dimension + offset;
                load(key_base + place, keys[j]);
                load(value_base + place, values[j]);
            }
#pragma unroll
            for (int j = 0; j < at_once; j++) {
                scores[j] = 0;
#pragma unroll
                for (int e = 0; e < count; e++) scores[j] += query[e] * keys[j][e];
            }
            for (int distance = 16; distance > 0; distance /= 2) {
#pragma unroll
                for (int j = 0; j < at_once; j++) scores[j] += __shfl_xor_sync(~0u, scores[j], distance);
            }
#pragma unroll
            for (int j = 0; j < at_once; j++)
                scores[j] = start + j < last ? capped(scores[j] * call.scale, call.soft_cap) : lowest();
            running.add(scores, values);
        }
        if (call.parts == 1) {
#pragma unroll
            for (int e = 0; e < count; e++) running.sum[e] /= running.total;
            if (is_active) store(call.output + (row * heads + query_head) * dimension + lane * count, running.sum);
            continue;
        }
        float *partial = call.partial + ((row * heads + query_head) * call.parts + part) * (dimension + 2);
        if (is_active)
            for (int e = 0; e < count; e++) partial[lane * count + e] = running.sum[e];
        if (lane == 0) {
            partial[dimension] = running.largest;
            partial[dimension + 1] = running.total;
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
    for (int member = threadIdx.x / 32; member < call.group; member += warps) {
        int query_head = head * call.group + member;
        const float *partial = call.partial + (row * heads + query_head) * call.parts * (dimension + 2);
        // A lane has a part's statistics; past the first cache, where another block's numbers would be old.
        const float *own = partial + lane * (dimension + 2) + dimension;
        float top = lane < call.parts ? __ldcg(own) : lowest();
        float weight = expf(top - warp_largest(top));
        float part_total = lane < call.parts ? __ldcg(own + 1) : 0;
        if (part_total == 0) weight = 0;
        float total = warp_sum(weight * part_total), sum[count] = {};
#pragma unroll 4
        for (int p = 0; p < call.parts; p++) {
            float share = __shfl_sync(~0u, weight, p);
            if (is_active)
                for (int e = 0; e < count; e++) {
                    float one = __ldcg(partial + p * (dimension + 2) + lane * count + e);
                    if (share != 0) sum[e] += share * one;
                }
        }
#pragma unroll
        for (int e = 0; e < count; e++) sum[e] /= total;
        if (is_active) store(call.output + (row * heads + query_head) * dimension + lane * count, sum);
    }
}

#define ATTENTION(scalar, type, count)                                                                                   \
    extern "C" __global__ void attend_cached_##type##_##count(CachedRows<scalar> call) { attend_cached<count>(call); }
ATTENTION(float, float32, 1)
ATTENTION(float, float32, 2)
ATTENTION(float, float32, 4)
ATTENTION(float, float32, 8)
ATTENTION(bfloat16, bfloat16, 1)
ATTENTION(bfloat16, bfloat16, 2)
ATTENTION(bfloat16, bfloat16, 4)
ATTENTION(bfloat16, bfloat16, 8)

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
