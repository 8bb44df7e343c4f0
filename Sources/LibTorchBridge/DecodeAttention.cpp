#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "HotPaths.h"

namespace {

template <typename scalar>
float dot(const scalar *a, const scalar *b, int64_t count) {
#pragma clang fp reassociate(on)
    float sum = 0;
    for (int64_t i = 0; i < count; i++) sum += static_cast<float>(a[i]) * static_cast<float>(b[i]);
    return sum;
}

/// Attention of one query head over `length` cached positions, `stride` elements apart.
template <typename scalar>
void attend(
    const scalar *query, const scalar *keys, const scalar *values, int64_t length, int64_t stride, int64_t dimension,
    float scale, std::vector<float> &weights, std::vector<float> &sum, scalar *output) {
    float largest = -std::numeric_limits<float>::infinity();
    for (int64_t t = 0; t < length; t++) {
        weights[t] = scale * dot(query, keys + t * stride, dimension);
        largest = std::max(largest, weights[t]);
    }
    float total = 0;
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (int64_t t = 0; t < length; t++) {
        float weight = std::exp(weights[t] - largest);
        total += weight;
        const scalar *value = values + t * stride;
        for (int64_t i = 0; i < dimension; i++) sum[i] += weight * static_cast<float>(value[i]);
    }
    for (int64_t i = 0; i < dimension; i++) output[i] = static_cast<scalar>(sum[i] / total);
}

}  // namespace

at::Tensor rto::decode_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache,
    const at::Tensor &value_cache, const int64_t *slots, const int64_t *lengths, double scale) {
    auto q = queries.contiguous(), k = keys.contiguous(), v = values.contiguous();
    auto output = at::empty_like(q);
    int64_t rows = q.size(0), heads = q.size(1), dimension = q.size(2), key_value_heads = k.size(1);
    int64_t stride = key_value_heads * dimension, capacity = key_cache.size(1), group = heads / key_value_heads;
    int64_t longest = 0;
    for (int64_t row = 0; row < rows; row++) {
        TORCH_CHECK(lengths[row] < capacity && slots[row] < key_cache.size(0), "the key-value cache is full");
        longest = std::max(longest, lengths[row] + 1);
    }
    AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, q.scalar_type(), "decode_attention", [&] {
        auto *key_base = key_cache.data_ptr<scalar_t>(), *value_base = value_cache.data_ptr<scalar_t>();
        for (int64_t row = 0; row < rows; row++) {
            int64_t place = (slots[row] * capacity + lengths[row]) * stride;
            std::memcpy(key_base + place, k.data_ptr<scalar_t>() + row * stride, stride * sizeof(scalar_t));
            std::memcpy(value_base + place, v.data_ptr<scalar_t>() + row * stride, stride * sizeof(scalar_t));
        }
        at::parallel_for(0, rows * heads, 1, [&](int64_t begin, int64_t end) {
            std::vector<float> weights(longest), sum(dimension);
            for (int64_t i = begin; i < end; i++) {
                int64_t row = i / heads, head = i % heads;
                int64_t base = slots[row] * capacity * stride + (head / group) * dimension;
                attend(
                    q.data_ptr<scalar_t>() + i * dimension, key_base + base, value_base + base, lengths[row] + 1, stride,
                    dimension, static_cast<float>(scale), weights, sum, output.data_ptr<scalar_t>() + i * dimension);
            }
        });
    });
    return output;
}
