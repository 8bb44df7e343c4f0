#include "LayerHandles.h"

#include "Handles.h"
#include "HotPaths.h"
#include "MatrixProduct.h"

namespace rto::handles {

const void *root_mean_square_norm(const void *input, const void *weight, double epsilon, bool adds_one) {
    return guarded<const void *>(
        nullptr, [&] { return give(rto::root_mean_square_norm(borrow(input), borrow(weight), epsilon, adds_one)); });
}

const void *residual_norm(
    const void *input, const void *update, const void *weight, double epsilon, bool adds_one, const void **sum) {
    return guarded<const void *>(nullptr, [&] {
        auto [total, normed] = rto::residual_norm(borrow(input), borrow(update), borrow(weight), epsilon, adds_one);
        *sum = give(std::move(total));
        return give(std::move(normed));
    });
}

const void *rotary(const void *input, const void *cosine, const void *sine) {
    return guarded<const void *>(nullptr, [&] { return give(rto::rotary(borrow(input), borrow(cosine), borrow(sine))); });
}

const void *gated_unit(const void *gate, const void *up, bool is_gelu) {
    return guarded<const void *>(nullptr, [&] { return give(rto::gated_unit(borrow(gate), borrow(up), is_gelu)); });
}

const void *linear(const void *input, const void *weight, const void *bias) {
    return guarded<const void *>(nullptr, [&] {
        return give(rto::linear(borrow(input), borrow(weight), bias ? std::optional(borrow(bias)) : std::nullopt));
    });
}

const void *pack_weight(const void *weight) {
    return guarded<const void *>(nullptr, [&] { return give(rto::pack_weight(borrow(weight))); });
}

const void *packed_linear(const void *input, const void *packed, int64_t outputs, const RowNorm *norm) {
    return guarded<const void *>(nullptr, [&] {
        auto rows = borrow(input);
        return give(rto::packed_linear(rows, borrow(packed), outputs, norm_factors(norm, rows.size(1))));
    });
}

int32_t add_packed_linear(const void *target, const void *input, const void *packed) {
    return guarded<int32_t>(1, [&] {
        rto::add_packed_linear(borrow(target), borrow(input), borrow(packed));
        return 0;
    });
}

const void *packed_gated_unit(
    const void *input, const void *packed, int64_t width, int64_t up_column, const RowNorm *norm, bool is_gelu) {
    return guarded<const void *>(nullptr, [&] {
        auto rows = borrow(input);
        return give(rto::packed_gated_unit(rows, borrow(packed), width, up_column, norm_factors(norm, rows.size(1)), is_gelu));
    });
}

const void *decode_attention(
    const void *queries, const void *keys, const void *values, const void *key_cache, const void *value_cache,
    const int64_t *slots, const int64_t *lengths, const AttentionRule *rule) {
    return guarded<const void *>(nullptr, [&] {
        return give(rto::decode_attention(
            borrow(queries), borrow(keys), borrow(values), borrow(key_cache), borrow(value_cache), slots, lengths, *rule));
    });
}

const void *decode_projected(
    const void *projected, const ProjectedHeads *heads, const void *key_cache, const void *value_cache, const int64_t *slots,
    const int64_t *lengths, const AttentionRule *rule) {
    return guarded<const void *>(nullptr, [&] {
        return give(rto::decode_projected(
            borrow(projected), *heads, borrow(key_cache), borrow(value_cache), slots, lengths, *rule));
    });
}

}  // namespace rto::handles
