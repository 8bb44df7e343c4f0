#include "DeviceSampling.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "Launcher.h"

namespace {

/// The arguments of `attend_cached`, whatever the element type.
struct CachedRows {
    const void *queries, *keys, *values;
    void *key_cache, *value_cache, *output;
    const int64_t *slots, *lengths;
    float *partial;
    int *arrivals;
    int64_t query_stride, key_stride, value_stride, capacity, window;
    int key_value_heads, group, dimension, parts, lanes;
    float scale, soft_cap;
};

/// The arguments of `fill_cache`.
struct CacheRuns {
    const void *keys, *values;
    void *key_cache, *value_cache;
    const int64_t *runs;
    int64_t key_stride, value_stride, capacity;
    int dimension;
};

/// What the kernels keep of a part of a row's logits.
struct WeighedPart {
    float largest, allowed_largest;
    double total, weighted, own;
    int64_t likeliest;
};

/// The arguments of `weigh_tokens` and `choose_tokens`.
struct ChoiceRows {
    const float *logits;
    const double *uniforms, *may_stop;
    const int64_t *stop_tokens;
    WeighedPart *weighed;
    TokenChoice *choices;
    int64_t vocabulary, stop_count, reported, length;
    int parts;
    float temperature;
    bool is_greedy;
};

/// Heads [tokens, heads, dimension] that lie together in each token, whatever lies between tokens.
at::Tensor with_adjacent_heads(const at::Tensor &heads, at::ScalarType type) {
    auto x = heads.to(type);
    bool are_adjacent = x.stride(2) == 1 && (x.size(1) == 1 || x.stride(1) == x.size(2));
    return are_adjacent ? x : x.contiguous();
}

template <typename Element>
at::Tensor on_device(const at::Tensor &place, const Element *values, int64_t count, at::ScalarType type) {
    return at::from_blob(const_cast<Element *>(values), {count}, at::TensorOptions(type)).to(place.device());
}

/// Blocks that fill a device, and the fewest positions of a cache and tokens of a vocabulary that are worth one.
constexpr int64_t ENOUGH_BLOCKS = 512, POSITIONS_OF_A_PART = 64, TOKENS_OF_A_PART = 2048, MOST_PARTS = 32;

/// Four warps, as the kernel has room for.
constexpr int64_t THREADS_OF_ATTENTION = 128;

}  // namespace

at::Tensor rto::cuda::cached_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache,
    const at::Tensor &value_cache, const at::Tensor &places, const at::Tensor &arrivals, const AttentionRule &rule) {
    auto type = key_cache.scalar_type();
    auto q = with_adjacent_heads(queries, type), k = with_adjacent_heads(keys, type), v = with_adjacent_heads(values, type);
    int64_t rows = q.size(0), heads = q.size(1), dimension = q.size(2), key_value_heads = k.size(1), capacity = key_cache.size(2);
    TORCH_CHECK(
        key_cache.is_contiguous() && value_cache.is_contiguous() && places.is_contiguous() &&
            places.scalar_type() == at::kLong && places.numel() == 2 * rows,
        "caches and the places of rows are contiguous");
    TORCH_CHECK(
        key_cache.size(1) == key_value_heads && key_cache.size(3) == dimension && key_cache.sizes() == value_cache.sizes(),
        "heads of ", k.sizes(), " do not fit a cache of ", key_cache.sizes());
    TORCH_CHECK(arrivals.scalar_type() == at::kInt && arrivals.numel() >= rows * key_value_heads, "too few arrivals");
    TORCH_CHECK(dimension <= 256, "heads of ", dimension, " numbers are wider than the kernel takes, 256");
    auto output = at::empty({rows, heads, dimension}, q.options());
    // By the capacity and not by the lengths, so that a recorded launch stays right while rows grow.
    int64_t seen = rule.window > 0 ? std::min(capacity, rule.window) : capacity;
    int64_t parts = std::min({(seen + POSITIONS_OF_A_PART - 1) / POSITIONS_OF_A_PART, MOST_PARTS,
                              std::max<int64_t>(1, ENOUGH_BLOCKS / std::max<int64_t>(1, rows * key_value_heads))});
    auto partial = parts > 1 ? at::empty({rows * heads * parts * (dimension + 2)}, q.options().dtype(at::kFloat)) : at::Tensor();
    auto *place = places.data_ptr<int64_t>();
    // A lane has 16 bytes of a key, or 32 of float32 where a warp would not have a whole one otherwise.
    int64_t elements = 16 / static_cast<int64_t>(c10::elementSize(type));
    if (elements * 32 < dimension) elements *= 2;
    TORCH_CHECK(dimension % elements == 0, "heads of ", dimension, " numbers are no multiple of ", elements);
    if (vector_width(type, dimension, {q.data_ptr()}, {q.stride(0)}) == 1) q = q.contiguous();
    int64_t lanes = 1;
    while (lanes * elements < dimension) lanes *= 2;
    int64_t group = heads / key_value_heads, members = group > 2 ? 4 : group;
    CachedRows arguments{
        q.data_ptr(), k.data_ptr(), v.data_ptr(), key_cache.data_ptr(), value_cache.data_ptr(), output.data_ptr(), place,
        place + rows, parts > 1 ? partial.data_ptr<float>() : nullptr, arrivals.data_ptr<int>(), q.stride(0), k.stride(0),
        v.stride(0), capacity, rule.window, static_cast<int>(key_value_heads), static_cast<int>(group),
        static_cast<int>(dimension), static_cast<int>(parts), static_cast<int>(lanes), static_cast<float>(rule.scale),
        static_cast<float>(rule.soft_cap)};
    auto name = kernel_name("attend_cached", type, false) + "_" + std::to_string(elements) + "_" + std::to_string(members);
    launch(name, {.x = rows, .y = key_value_heads, .z = parts, .threads = THREADS_OF_ATTENTION}, q, arguments);
    return output;
}

void rto::cuda::fill_cache(
    const at::Tensor &keys, const at::Tensor &values, const at::Tensor &key_cache, const at::Tensor &value_cache,
    const int64_t *copies, int64_t count) {
    auto type = key_cache.scalar_type();
    auto k = with_adjacent_heads(keys, type), v = with_adjacent_heads(values, type);
    auto runs = on_device(k, copies, 3 * count, at::kLong);
    CacheRuns arguments{
        k.data_ptr(), v.data_ptr(), key_cache.data_ptr(), value_cache.data_ptr(), runs.data_ptr<int64_t>(), k.stride(0),
        v.stride(0), key_cache.size(2), static_cast<int>(k.size(2))};
    launch(kernel_name("fill_cache", type, false), {.x = count, .y = k.size(1), .threads = 512}, k, arguments);
}

void rto::cuda::choose_tokens(
    const at::Tensor &logits, const TokenRule &rule, const double *uniforms, const bool *may_stop, TokenChoice *choices) {
    TORCH_CHECK(rule.is_greedy || (rule.top_k <= 0 && rule.top_p >= 1), "the device's kernel does not filter");
    auto rows = logits.contiguous();
    int64_t count = rows.size(0);
    // Both columns in one copy.
    std::vector<double> columns(uniforms, uniforms + count);
    columns.insert(columns.end(), may_stop, may_stop + count);
    auto numbers = on_device(rows, columns.data(), 2 * count, at::kDouble);
    auto stops = on_device(rows, rule.stop_tokens, rule.stop_tokens ? rule.stop_count : 0, at::kLong);
    int64_t bytes = count * static_cast<int64_t>(sizeof(TokenChoice));
    auto found = at::empty({bytes}, rows.options().dtype(at::kByte));
    int64_t parts = std::min({(rows.size(1) + TOKENS_OF_A_PART - 1) / TOKENS_OF_A_PART, MOST_PARTS,
                              std::max<int64_t>(1, ENOUGH_BLOCKS / std::max<int64_t>(1, count))});
    auto weighed = at::empty({count * parts * static_cast<int64_t>(sizeof(WeighedPart))}, found.options());
    ChoiceRows arguments{
        rows.data_ptr<float>(), numbers.data_ptr<double>(), numbers.data_ptr<double>() + count,
        stops.numel() > 0 ? stops.data_ptr<int64_t>() : nullptr, reinterpret_cast<WeighedPart *>(weighed.data_ptr<uint8_t>()),
        reinterpret_cast<TokenChoice *>(found.data_ptr<uint8_t>()), rows.size(1), stops.numel(), rule.reported_token,
        (rows.size(1) + parts - 1) / parts, static_cast<int>(parts), static_cast<float>(rule.temperature), rule.is_greedy};
    launch("weigh_tokens", {.x = count, .y = parts}, rows, arguments);
    launch("choose_tokens", {.x = count, .threads = 1024}, rows, arguments);
    auto result = found.cpu();
    std::memcpy(choices, result.data_ptr<uint8_t>(), static_cast<size_t>(bytes));
}
