#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "CUDA/DeviceSampling.h"
#include "FusedKernel.h"
#include "Handles.h"
#include "HotPaths.h"
#include "Parallel.h"
#include "Processor.h"
#include "RowKernels.h"
#include "Scratch.h"

#define KERNEL "DecodeAttention.inl"
#include "Kernels/EachProcessor.inl"

namespace {

/// Multiplications that are worth a thread.
constexpr int64_t THREAD_GRAIN = 1 << 16;

/// Rows of heads, the heads of a row one behind the other.
struct HeadRows {
    const void *data;
    int64_t stride;  // elements between rows

    explicit HeadRows(const at::Tensor &heads) : data(heads.const_data_ptr()), stride(heads.stride(0)) {}

    /// The columns of a matrix [rows, width] from one on.
    HeadRows(const at::Tensor &matrix, int64_t column)
        : data(static_cast<const char *>(matrix.const_data_ptr()) + column * matrix.element_size()), stride(matrix.stride(0)) {}

    template <typename scalar>
    const scalar *at(int64_t row, int64_t element) const {
        return static_cast<const scalar *>(data) + row * stride + element;
    }
};

/// What is done to heads on their way to where they are used: each is normalised, then turned, if anything is.
struct HeadPreparation {
    std::optional<rto::NormFactors> norm;
    at::Tensor cosine, sine;  // [rows, 1, turned dimensions], or undefined

    /// Copies `count` heads of a row to where they are used, prepared.
    template <typename scalar>
    void operator()(const scalar *heads, scalar *target, int64_t row, int64_t count, int64_t dimension) const {
        auto type = c10::CppTypeToScalarType<scalar>::value;
        if (norm)
            rto::normalize_rows(heads, target, type, count, dimension, *norm);
        else
            std::memcpy(target, heads, count * dimension * sizeof(scalar));
        if (!cosine.defined()) return;
        int64_t turned = cosine.size(-1);
        const scalar *c = cosine.const_data_ptr<scalar>() + row * turned, *s = sine.const_data_ptr<scalar>() + row * turned;
        for (int64_t head = 0; head < count; head++) rto::rotate_head(target + head * dimension, c, s, type, turned / 2);
    }
};

/// One call: new tokens, the caches `[slots, key-value heads, capacity, dimension]`, and the contiguous result.
struct Decoding {
    HeadRows queries, keys, values;
    HeadPreparation prepare_query, prepare_key;
    const at::Tensor &key_cache, &value_cache, &output;
    const int64_t *slots, *lengths;
    const AttentionRule &rule;

    /// How many of a row's tokens, the new one included, are seen.
    int64_t seen(int64_t row) const {
        int64_t all = lengths[row] + 1;
        return rule.window > 0 ? std::min(all, rule.window) : all;
    }

    template <typename scalar>
    void run() const {
        int64_t rows = output.size(0), heads = key_cache.size(1), capacity = key_cache.size(2), dimension = key_cache.size(3);
        int64_t group = rows == 0 ? 0 : output.numel() / (rows * heads * dimension);
        auto *key_base = key_cache.data_ptr<scalar>(), *value_base = value_cache.data_ptr<scalar>();
        auto *result = output.data_ptr<scalar>();
        static const auto attend = CHOOSE(attend<scalar>);
        static const auto scratch_size = CHOOSE(scratch_size);
        int64_t work = 0;
        for (int64_t row = 0; row < rows; row++) work += seen(row);
        work *= 2 * heads * group * dimension;
        int64_t items = rows * heads, parts = std::min(items, std::clamp<int64_t>(work / THREAD_GRAIN, 1, rto::thread_count()));
        // An item is a key-value head of a row: where its new token goes in the caches, and where what it sees begins.
        auto place = [&](int64_t item) {
            return ((slots[item / heads] * heads + item % heads) * capacity + lengths[item / heads]) * dimension;
        };
        auto first = [&](int64_t item) { return place(item) + (1 - seen(item / heads)) * dimension; };
        // Every part takes every other item, so that long rows are shared out.
        rto::in_parallel(parts, [&](int64_t part) {
            for (int64_t item = part; item < items; item += parts) {
                int64_t row = item / heads, head = item % heads, count = seen(row), next = item + parts;
                auto *query = reinterpret_cast<scalar *>(rto::thread_scratch<rto::ScratchUse::rows>(group * dimension));
                prepare_query(queries.at<scalar>(row, head * group * dimension), query, row, group, dimension);
                prepare_key(keys.at<scalar>(row, head * dimension), key_base + place(item), row, 1, dimension);
                std::memcpy(value_base + place(item), values.at<scalar>(row, head * dimension), dimension * sizeof(scalar));
                attend(
                    query, key_base + first(item), value_base + first(item), count, group, dimension,
                    static_cast<float>(rule.scale), static_cast<float>(rule.soft_cap),
                    rto::thread_scratch(scratch_size(group, dimension, count)), result + item * group * dimension,
                    next < items ? key_base + first(next) : nullptr, next < items ? seen(next / heads) * dimension : 0);
            }
        });
    }
};

template <typename scalar>
void fill(const at::Tensor &source, const at::Tensor &cache, const int64_t *copies, int64_t count) {
    int64_t heads = source.size(1), dimension = source.size(2), capacity = cache.size(2), row = heads * dimension;
    const auto *from = source.data_ptr<scalar>();
    auto *to = cache.data_ptr<scalar>();
    rto::for_ranges(count * heads, 4, [&](int64_t begin, int64_t end) {
        for (int64_t item = begin; item < end; item++) {
            const int64_t *copy = copies + 3 * (item / heads);
            int64_t head = item % heads;
            const scalar *read = from + copy[0] * row + head * dimension;
            scalar *write = to + (copy[2] * heads + head) * capacity * dimension;
            for (int64_t t = 0; t < copy[1]; t++)
                std::memcpy(write + t * dimension, read + t * row, dimension * sizeof(scalar));
        }
    });
}

void check(const at::Tensor &cache) {
    TORCH_CHECK(
        cache.is_contiguous() && (cache.scalar_type() == at::kFloat || cache.scalar_type() == at::kBFloat16),
        "a cache of keys or values is contiguous and of float32 or bfloat16, not ", cache.scalar_type());
}

/// Checks the caches, and that there is room for a token more of each row.
void check(const at::Tensor &key_cache, const at::Tensor &value_cache, const int64_t *slots, const int64_t *lengths, int64_t rows) {
    check(key_cache);
    check(value_cache);
    TORCH_CHECK(
        key_cache.sizes() == value_cache.sizes() && key_cache.scalar_type() == value_cache.scalar_type(), "caches differ");
    TORCH_CHECK(key_cache.is_cpu(), "a device reads where its rows live from a table there");
    for (int64_t row = 0; row < rows; row++)
        TORCH_CHECK(lengths[row] < key_cache.size(2) && slots[row] < key_cache.size(0), "the key-value cache is full");
}

/// Rows whose heads lie one behind the other, whatever lies between the rows.
at::Tensor heads_of_rows(const at::Tensor &all, at::ScalarType type) {
    auto rows = all.to(type);
    return rto::has_contiguous_heads(rows) ? rows : rows.contiguous();
}

}  // namespace

at::Tensor rto::decode_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache,
    const at::Tensor &value_cache, const int64_t *slots, const int64_t *lengths, const AttentionRule &rule) {
    check(key_cache, value_cache, slots, lengths, queries.size(0));
    auto type = key_cache.scalar_type();
    auto q = heads_of_rows(queries, type), k = heads_of_rows(keys, type), v = heads_of_rows(values, type);
    auto output = at::empty(q.sizes(), q.options());
    Decoding decoding{HeadRows(q), HeadRows(k), HeadRows(v), {}, {}, key_cache, value_cache, output, slots, lengths, rule};
    type == at::kFloat ? decoding.run<float>() : decoding.run<c10::BFloat16>();
    return output;
}

at::Tensor rto::decode_projected(
    const at::Tensor &projected, const ProjectedHeads &heads, const at::Tensor &key_cache, const at::Tensor &value_cache,
    const int64_t *slots, const int64_t *lengths, const AttentionRule &rule) {
    check(key_cache, value_cache, slots, lengths, projected.size(0));
    auto type = key_cache.scalar_type();
    int64_t rows = projected.size(0), dimension = key_cache.size(3), key_width = key_cache.size(1) * dimension;
    TORCH_CHECK(
        projected.scalar_type() == type && projected.stride(1) == 1 && heads.query_width % key_width == 0 &&
            heads.query_width <= heads.key_column && heads.key_column + key_width <= heads.value_column &&
            heads.value_column + key_width <= projected.size(1),
        "projections do not fit the cache");
    HeadPreparation query{norm_factors(heads.query_norm, dimension)}, key{norm_factors(heads.key_norm, dimension)};
    if (heads.cosine != nullptr) {
        auto cosine = handles::borrow(heads.cosine), sine = handles::borrow(heads.sine);
        for (const auto &table : {cosine, sine})
            TORCH_CHECK(
                table.is_cpu() && table.is_contiguous() && table.scalar_type() == type && table.size(0) == rows &&
                    table.sizes() == cosine.sizes() && table.numel() == rows * table.size(-1) && table.size(-1) <= dimension &&
                    table.size(-1) % 2 == 0,
                "the rotary table does not fit the heads");
        query.cosine = key.cosine = cosine;
        query.sine = key.sine = sine;
    }
    auto output = at::empty({rows, heads.query_width}, projected.options());
    Decoding decoding{
        HeadRows(projected, 0), HeadRows(projected, heads.key_column), HeadRows(projected, heads.value_column), query, key,
        key_cache, value_cache, output, slots, lengths, rule};
    type == at::kFloat ? decoding.run<float>() : decoding.run<c10::BFloat16>();
    return output;
}

void rto::fill_cache(
    const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache, const at::Tensor &value_cache,
    const int64_t *copies, int64_t count) {
    check(key_cache);
    check(value_cache);
    for (int64_t i = 0; i < count; i++)
        TORCH_CHECK(
            copies[3 * i] + copies[3 * i + 1] <= keys.size(0) && copies[3 * i + 1] <= key_cache.size(2) &&
                copies[3 * i + 2] < key_cache.size(0),
            "a segment does not fit into the key-value cache");
    if (key_cache.is_cuda()) return cuda::fill_cache(keys, values, key_cache, value_cache, copies, count);
    auto type = key_cache.scalar_type();
    auto k = keys.to(type).contiguous(), v = values.to(type).contiguous();
    auto copy = type == at::kFloat ? fill<float> : fill<c10::BFloat16>;
    copy(k, key_cache, copies, count);
    copy(v, value_cache, copies, count);
}
