// Vectors of LANES floats of one instruction set, and the few operations the kernels need. Included by EachProcessor.inl.

typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));
typedef uint16_t Halves __attribute__((vector_size(2 * LANES)));
typedef float UnalignedFloats __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint16_t UnalignedHalves __attribute__((vector_size(2 * LANES), aligned(2), may_alias));

INLINE Floats broadcast(float x) { return x - Floats{}; }
#if LANES == 4 && defined(__x86_64__)
// The oldest processors have no such instruction, and the C library's function for it is slow.
INLINE Floats multiply_add(Floats a, Floats b, Floats c) { return a * b + c; }
#else
INLINE Floats multiply_add(Floats a, Floats b, Floats c) { return __builtin_elementwise_fma(a, b, c); }
#endif
INLINE Floats larger(Floats a, Floats b) { return a > b ? a : b; }

INLINE Floats load(const float *p) { return *reinterpret_cast<const UnalignedFloats *>(p); }
INLINE void store(float *p, Floats v) { *reinterpret_cast<UnalignedFloats *>(p) = v; }

/// bfloat16 is the upper half of a float32.
INLINE Floats load(const c10::BFloat16 *p) {
    Halves bits = *reinterpret_cast<const UnalignedHalves *>(p);
    return reinterpret_cast<Floats>(__builtin_convertvector(bits, Integers) << 16);
}

/// Rounds to the nearest bfloat16, ties to even; NaN stays NaN.
INLINE void store(c10::BFloat16 *p, Floats v) {
    Integers bits = reinterpret_cast<Integers>(v);
    Integers rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    Integers quiet = v == v ? rounded : Integers{} + 0x7FC0;
    *reinterpret_cast<UnalignedHalves *>(p) = __builtin_convertvector(quiet, Halves);
}

/// The first `count` lanes from memory, zeros after them; `count` is less than LANES.
template <typename scalar>
INLINE Floats load_part(const scalar *p, int64_t count) {
    float lanes[LANES] = {};
    for (int64_t i = 0; i < count; i++) lanes[i] = static_cast<float>(p[i]);
    return load(lanes);
}

template <typename scalar>
INLINE void store_part(scalar *p, Floats v, int64_t count) {
    for (int64_t i = 0; i < count; i++) p[i] = static_cast<scalar>(v[i]);
}

#if LANES == 16
// Masked moves touch no memory behind the count, and need no way through memory.
INLINE Floats load_part(const float *p, int64_t count) {
    return __builtin_ia32_loadups512_mask(p, Floats{}, static_cast<uint16_t>((1u << count) - 1));
}

INLINE void store_part(float *p, Floats v, int64_t count) {
    __builtin_ia32_storeups512_mask(p, v, static_cast<uint16_t>((1u << count) - 1));
}
#endif

/// The sum of all lanes, halves first, so that the order of additions is fixed.
INLINE float sum(Floats v) {
    float lanes[LANES];
    store(lanes, v);
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    return lanes[0];
}

INLINE float largest(Floats v) {
    float result = v[0];
    for (int i = 1; i < LANES; i++) result = v[i] > result ? v[i] : result;
    return result;
}

/// eˣ to about one unit in the last place: x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for eʳ, 2ⁿ by its bits.
/// Below -87.3 it is zero; above 88 infinity; NaN stays NaN.
INLINE Floats exponential(Floats x) {
    Floats bounded = x < -87.3f ? broadcast(-87.3f) : (x > 88.7f ? broadcast(88.7f) : x);
    // Adding 1.5·2²³ rounds to the nearest whole number.
    const float rounder = 12582912.0f;
    Floats n = multiply_add(bounded, broadcast(1.44269504f), broadcast(rounder)) - rounder;
    // ln 2 in two parts, the first exact in the product.
    Floats r = multiply_add(n, broadcast(-0.693359375f), bounded);
    r = multiply_add(n, broadcast(2.12194440e-4f), r);
    Floats p = multiply_add(broadcast(1.9875691500e-4f), r, broadcast(1.3981999507e-3f));
    p = multiply_add(p, r, broadcast(8.3334519073e-3f));
    p = multiply_add(p, r, broadcast(4.1665795894e-2f));
    p = multiply_add(p, r, broadcast(1.6666665459e-1f));
    p = multiply_add(p, r, broadcast(5.0000001201e-1f));
    p = multiply_add(p, r * r, r + 1.0f);
    // 2ⁿ in two factors: n may be 128.
    Integers whole = __builtin_convertvector(n, Integers), half = whole >> 1;
    Floats first = reinterpret_cast<Floats>((half + 127) << 23), second = reinterpret_cast<Floats>((whole - half + 127) << 23);
    Floats result = p * first * second;
    result = x < -87.3f ? Floats{} : result;
    result = x > 88.72283f ? broadcast(__builtin_inff()) : result;
    return x == x ? result : x;
}

/// tanh(x) = 1 - 2 / (1 + e²ˣ), to about a unit in the last place of 1.
INLINE Floats hyperbolic_tangent(Floats x) { return 1.0f - 2.0f / (1.0f + exponential(x + x)); }
