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

/// The running softmax of one query over keys seen so far, each lane with `count` elements of the sum of values.
template <int count>
struct Running {
    float largest = -__int_as_float(0x7f800000), total = 0, sum[count] = {};

    void add(float score, const float (&value)[count]) {
        float top = fmaxf(largest, score), old = expf(largest - top), share = expf(score - top);
        total = total * old + share;
#pragma unroll
        for (int e = 0; e < count; e++) sum[e] = sum[e] * old + share * value[e];
        largest = top;
    }
};

template <int count, typename scalar>
inline void attend_cached(const CachedRows<scalar> &call) {
    int head = blockIdx.x, part = blockIdx.z, lane = threadIdx.x % 32, dimension = call.dimension;
    int64_t row = blockIdx.y, length = call.lengths[row];
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
    bool is_active = lane * count < dimension;
    int heads = call.key_value_heads * call.group, warps = blockDim.x / 32;
    for (int member = threadIdx.x / 32; member < call.group; member += warps) {
        int query_head = head * call.group + member;
        float query[count] = {};
        if (is_active) load(call.queries + row * call.query_stride + query_head * dimension + lane * count, query);
        Running<count> running;
        constexpr int at_once = 4;
        for (int64_t start = first; start < last; start += at_once) {
            float scores[at_once], values[at_once][count];
#pragma unroll
            for (int j = 0; j < at_once; j++) {
                float key[count] = {};
#pragma unroll
                for (int e = 0; e < count; e++) values[j][e] = 0;
                int64_t place = min(start + j, last - 1) * dimension + lane * count;
                if (is_active) {
                    load(key_base + place, key);
                    load(value_base + place, values[j]);
                }
                scores[j] = 0;
#pragma unroll
                for (int e = 0; e < count; e++) scores[j] += query[e] * key[e];
            }
#pragma unroll
            for (int j = 0; j < at_once; j++) scores[j] = warp_sum(scores[j]) * call.scale;
#pragma unroll
            for (int j = 0; j < at_once; j++)
                if (start + j < last) running.add(capped(scores[j], call.soft_cap), values[j]);
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
        const volatile float *partial = call.partial + (row * heads + query_head) * call.parts * (dimension + 2);
        float largest = -__int_as_float(0x7f800000), total = 0, sum[count] = {};
        for (int p = 0; p < call.parts; p++) largest = fmaxf(largest, partial[p * (dimension + 2) + dimension]);
        for (int p = 0; p < call.parts; p++) {
            const volatile float *one = partial + p * (dimension + 2);
            if (one[dimension + 1] == 0) continue;
            float weight = expf(one[dimension] - largest);
            total += weight * one[dimension + 1];
            if (is_active)
                for (int e = 0; e < count; e++) sum[e] += weight * one[lane * count + e];
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
