// Heads turned by the angles of their positions; see Rotary.cpp for the structure.

#include "Rows.inl"

template <typename scalar>
void rotate_tokens(const Rotation<scalar> &rotation, int64_t begin, int64_t end) {
    const scalar *type = nullptr;
    int64_t half = rotation.half;
    for (int64_t token = begin; token < end; token++) {
        const scalar *cosine = rotation.cosine + token * rotation.table_stride;
        const scalar *sine = rotation.sine + token * rotation.table_stride;
        for (int64_t head = 0; head < rotation.heads; head++) {
            const scalar *input = rotation.input + token * rotation.token_stride + head * 2 * half;
            scalar *output = rotation.output + (token * rotation.heads + head) * 2 * half;
            for_vectors(0, half, [&](int64_t i, auto extent) {
                Floats first = load(input + i, extent), second = load(input + half + i, extent);
                Floats c = load(cosine + i, extent), s = load(sine + i, extent) * rotation.direction;
                store(output + i, rounded(first * c, type) - rounded(second * s, type), extent);
                store(output + half + i, rounded(second * c, type) + rounded(first * s, type), extent);
            });
        }
    }
}
