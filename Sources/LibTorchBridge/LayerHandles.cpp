#include "LayerHandles.h"

#include "Handles.h"
#include "HotPaths.h"
#include "MatrixProduct.h"

namespace {

std::optional<rto::NormFactors> factors(const RowNorm *norm, const at::Tensor &rows) {
    return norm ? std::optional(rto::norm_factors(*norm, rows.size(1))) : std::nullopt;
}

}  // namespace

namespace rto::handles {

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
        return give(rto::packed_linear(rows, borrow(packed), outputs, factors(norm, rows)));
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
        return give(rto::packed_gated_unit(rows, borrow(packed), width, up_column, factors(norm, rows), is_gelu));
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
