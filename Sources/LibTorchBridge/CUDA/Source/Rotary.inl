R"cuda(
// Heads turned by the angles of their positions; the structure is that of Rotary.cpp.

template <typename scalar>
struct Rotation {
    const scalar *input, *cosine, *sine;
    scalar *output;
    int64_t token_stride, table_stride, heads, half;
    float direction;
};

/// One block a token.
template <int count, typename scalar>
inline void rotate_tokens(const Rotation<scalar> &rotation) {
    int64_t token = blockIdx.x, half = rotation.half, table = token * rotation.table_stride;
    for (unsigned place = threadIdx.x * count; place < rotation.heads * half; place += blockDim.x * count) {
        unsigned head = place / static_cast<unsigned>(half), i = place % static_cast<unsigned>(half);
        const scalar *input = rotation.input + token * rotation.token_stride + head * 2 * half;
        scalar *output = rotation.output + (token * rotation.heads + head) * 2 * half;
        float first[count], second[count], c[count], s[count], low[count], high[count];
        load(input + i, first);
        load(input + half + i, second);
        load(rotation.cosine + table + i, c);
        load(rotation.sine + table + i, s);
#pragma unroll
        for (int k = 0; k < count; k++) {
            float sine = s[k] * rotation.direction;
            low[k] = rounded<scalar>(first[k] * c[k]) - rounded<scalar>(second[k] * sine);
            high[k] = rounded<scalar>(second[k] * c[k]) + rounded<scalar>(first[k] * sine);
        }
        store(output + i, low);
        store(output + half + i, high);
    }
}

KERNELS(rotate_tokens, Rotation)
)cuda"
