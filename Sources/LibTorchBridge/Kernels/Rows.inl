// A row of any width, vector by vector; the last one may be a part. Included by the kernels that need it.

/// A vector that lies in memory as a whole.
struct Whole {};

/// The first `count` lanes of a vector, fewer than LANES.
struct Part {
    int64_t count;
};

template <typename scalar>
INLINE Floats load(const scalar *p, Whole) {
    return load(p);
}
template <typename scalar>
INLINE Floats load(const scalar *p, Part part) {
    return load_part(p, part.count);
}
template <typename scalar>
INLINE void store(scalar *p, Floats v, Whole) {
    store(p, v);
}
template <typename scalar>
INLINE void store(scalar *p, Floats v, Part part) {
    store_part(p, v, part.count);
}

/// Zeros after the part, whatever the arithmetic made of them.
INLINE Floats only(Floats v, Whole) { return v; }
INLINE Floats only(Floats v, Part part) {
    float lanes[LANES];
    store(lanes, v);
    return load_part(lanes, part.count);
}

/// Calls `work(offset, extent)` for each vector of [begin, end).
template <typename Work>
INLINE void for_vectors(int64_t begin, int64_t end, const Work &work) {
    int64_t i = begin;
    for (; i + LANES <= end; i += LANES) work(i, Whole());
    if (i < end) work(i, Part{end - i});
}

/// What the value would be, had it been stored: plain tensor operations round after each.
INLINE Floats rounded(Floats v, const float *) { return v; }
INLINE Floats rounded(Floats v, const c10::BFloat16 *) {
    Integers bits = reinterpret_cast<Integers>(v);
    Integers nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) & -0x10000;
    return v == v ? reinterpret_cast<Floats>(nearest) : v;
}
