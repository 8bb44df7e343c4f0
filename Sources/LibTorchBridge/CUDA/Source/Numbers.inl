R"cuda(
// Element types, vectors of 16 bytes, and sums over a block.

typedef long long int64_t;

/// The upper half of a float32.
struct bfloat16 {
    unsigned short bits;
};

inline float wide(float x) { return x; }
inline float wide(bfloat16 x) { return __uint_as_float(static_cast<unsigned>(x.bits) << 16); }

inline void narrow(float x, float &result) { result = x; }
/// To the nearest, ties to even; not a number stays one.
inline void narrow(float x, bfloat16 &result) {
    unsigned bits = __float_as_uint(x);
    bool is_number = (bits & 0x7fffffffu) <= 0x7f800000u;
    result.bits = is_number ? (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16 : 0x7fc0u;
}

/// A number as the type would keep it.
template <typename scalar>
inline float rounded(float x) {
    scalar result;
    narrow(x, result);
    return wide(result);
}

template <typename scalar, int count>
struct alignas(sizeof(scalar) * count) Run {
    scalar elements[count];
};

/// Elements that are read at once from addresses of that alignment, at most 16 bytes.
template <typename scalar, int count>
constexpr int run_length = sizeof(scalar) * count <= 16 ? count : 16 / sizeof(scalar);

template <int count, typename scalar>
inline void load(const scalar *from, float (&to)[count]) {
    constexpr int length = run_length<scalar, count>;
#pragma unroll
    for (int part = 0; part < count / length; part++) {
        auto run = reinterpret_cast<const Run<scalar, length> *>(from)[part];
#pragma unroll
        for (int i = 0; i < length; i++) to[part * length + i] = wide(run.elements[i]);
    }
}

template <int count, typename scalar>
inline void store(scalar *to, const float (&from)[count]) {
    constexpr int length = run_length<scalar, count>;
#pragma unroll
    for (int part = 0; part < count / length; part++) {
        Run<scalar, length> run;
#pragma unroll
        for (int i = 0; i < length; i++) narrow(from[part * length + i], run.elements[i]);
        reinterpret_cast<Run<scalar, length> *>(to)[part] = run;
    }
}

template <typename number>
inline number warp_sum(number x) {
    for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(~0u, x, distance);
    return x;
}

inline float warp_largest(float x) {
    for (int distance = 16; distance > 0; distance /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, distance));
    return x;
}

/// The sum over a block, the same in every thread.
template <typename number>
inline number block_sum(number x) {
    __shared__ number parts[32];
    x = warp_sum(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
    __syncthreads();
    number total = 0;
    for (int warp = 0; warp < blockDim.x / 32; warp++) total += parts[warp];
    return total;
}

inline float block_largest(float x) {
    __shared__ float parts[32];
    x = warp_largest(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
    __syncthreads();
    float largest = parts[0];
    for (int warp = 1; warp < blockDim.x / 32; warp++) largest = fmaxf(largest, parts[warp]);
    return largest;
}

/// A number in its soft cap, if there is one.
inline float capped(float x, float cap) { return cap > 0 ? cap * tanhf(x / cap) : x; }

/// A kernel of one structure for both element types, in vectors of 16 bytes and element by element.
#define KERNELS(name, Arguments)                                                                                         \
    extern "C" __global__ void name##_float32(Arguments<float> arguments) { name<1>(arguments); }                      \
    extern "C" __global__ void name##_float32_wide(Arguments<float> arguments) { name<4>(arguments); }                 \
    extern "C" __global__ void name##_bfloat16(Arguments<bfloat16> arguments) { name<1>(arguments); }                  \
    extern "C" __global__ void name##_bfloat16_wide(Arguments<bfloat16> arguments) { name<8>(arguments); }
)cuda"
