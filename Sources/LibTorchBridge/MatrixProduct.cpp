#include "MatrixProduct.h"

#include <algorithm>
#include <utility>

#include "PackedPanels.h"
#include "Processor.h"
#include "Scratch.h"

namespace {
using rto::PackedRows;
using rto::tile_sizes;
}  // namespace

#define KERNEL "MatrixProduct.inl"
#include "Kernels/EachProcessor.inl"

#if defined(__x86_64__)
namespace {
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"))), apply_to = function)
/// Once more for processors that multiply pairs of bfloat16 numbers.
namespace avx512bf16 {
#define LANES 16
#define MULTIPLIES_HALF_PAIRS
#include "Kernels/Vector.inl"
#include "Kernels/PackedProduct.inl"
#undef MULTIPLIES_HALF_PAIRS
#undef LANES
}  // namespace avx512bf16
#pragma clang attribute pop

using HalfPair = avx512bf16::HalfPair;

/// The kernel for packed panels of a type of elements.
template <typename weight, typename output>
auto chosen_product() {
    if constexpr (std::is_same_v<weight, HalfPair>)
        return &avx512bf16::multiply_packed<weight, output>;
    else
        return CHOOSE(multiply_packed<weight, output>);
}
}  // namespace
#else
namespace {
using HalfPair = baseline::HalfPair;

template <typename weight, typename output>
auto chosen_product() {
    return CHOOSE(multiply_packed<weight, output>);
}
}  // namespace
#endif

namespace {

using Half = c10::BFloat16;

/// Where a factor's element (i, j) is: data + i · row_stride + j · column_stride.
struct Factor {
    const void *data;
    bool is_half;
    int64_t row_stride, column_stride;

    explicit Factor(const at::Tensor &matrix)
        : data(matrix.const_data_ptr()), is_half(matrix.scalar_type() == at::kBFloat16), row_stride(matrix.stride(0)),
          column_stride(matrix.stride(1)) {}

    /// Contiguous rows of float32 or bfloat16.
    Factor(const void *data, at::ScalarType type, int64_t row_stride)
        : data(data), is_half(type == at::kBFloat16), row_stride(row_stride), column_stride(1) {}

    Factor from(int64_t row, int64_t column) const {
        Factor part = *this;
        int64_t offset = row * row_stride + column * column_stride;
        part.data = is_half ? static_cast<const void *>(halves() + offset) : static_cast<const void *>(floats() + offset);
        return part;
    }

    const float *floats() const { return static_cast<const float *>(data); }
    const Half *halves() const { return static_cast<const Half *>(data); }
};

int64_t round_up(int64_t count, int64_t multiple) { return (count + multiple - 1) / multiple * multiple; }

/// How many depths one packed element of a row or a panel holds.
template <typename weight>
constexpr int64_t depths_of = std::is_same_v<weight, HalfPair> ? 2 : 1;

/// Packs rows as panels of `weight` want them; the depth is counted in numbers.
template <typename weight>
void pack_rows(const Factor &a, int64_t rows, int64_t depth, float *packed) {
    if constexpr (depths_of<weight> == 2)
        CHOOSE(pack_row_pairs)(a.halves(), a.row_stride, a.column_stride, rows, depth, packed);
    else if (a.is_half)
        CHOOSE(pack_rows<Half>)(a.halves(), a.row_stride, a.column_stride, rows, depth, packed);
    else
        CHOOSE(pack_rows<float>)(a.floats(), a.row_stride, a.column_stride, rows, depth, packed);
}

/// Rows as panels of `weight` want them: a single one often lies in memory as it is wanted, else it is packed.
template <typename weight>
PackedRows packed_rows(const Factor &a, int64_t rows, int64_t depth) {
    bool is_in_order = a.column_stride == 1 && a.is_half == (depths_of<weight> == 2) && depth % depths_of<weight> == 0;
    if (rows == 1 && is_in_order) return {static_cast<const float *>(a.data), 1};
    float *packed = rto::thread_scratch(round_up(rows, tile_sizes().rows) * depth + 64);
    pack_rows<weight>(a, rows, depth, packed);
    return {packed, tile_sizes().rows};
}

/// Packs panels of float or of HalfPair; the depth is counted in numbers.
template <typename weight>
void pack_panels(const Factor &b, int64_t columns, int64_t depth, float *packed) {
    int64_t panels = round_up(columns, tile_sizes().columns) / tile_sizes().columns;
    rto::for_ranges(panels, std::max<int64_t>(1, (1 << 14) / (depth * tile_sizes().columns + 1)), [&](int64_t first, int64_t last) {
        if constexpr (depths_of<weight> == 2)
            CHOOSE(pack_panel_pairs)(b.halves(), b.row_stride, b.column_stride, columns, depth, first, last, packed);
        else if (b.is_half)
            CHOOSE(pack_panels<Half>)(b.halves(), b.row_stride, b.column_stride, columns, depth, first, last, packed);
        else
            CHOOSE(pack_panels<float>)(b.floats(), b.row_stride, b.column_stride, columns, depth, first, last, packed);
    });
}

/// Depths up to 640 in one go, deeper ones in equal parts of at most 512, so that a panel's part stays in the first cache.
/// A bfloat16 result is never rounded between parts: its depth is one part.
template <typename output>
int64_t depth_part(int64_t depth) {
    if (depth <= 640 || !std::is_same_v<output, float>) return depth;
    int64_t parts = (depth + 511) / 512;
    return round_up((depth + parts - 1) / parts, 8);
}

/// C = or += rows · panels of B on the calling thread, in parts of the depth. `depth` and `part` are in elements of the packed
/// forms.
template <typename weight, typename output>
void multiply_block(
    PackedRows rows, const weight *b, int64_t count, int64_t width, int64_t depth, int64_t part, output *c, int64_t row_stride,
    bool accumulates) {
    for (int64_t k = 0; k < depth; k += part)
        chosen_product<weight, output>()(
            count, width, std::min(part, depth - k), depth, rows.deeper(k), b + k * tile_sizes().columns, c, row_stride,
            accumulates || k > 0);
}

/// C = or += A · B for packed panels of B. `numbers` is the depth in numbers, `part` is in elements of the packed forms.
template <typename weight, typename output>
void multiply_panels(
    const Factor &a, const weight *b, int64_t rows, int64_t columns, int64_t numbers, int64_t part, output *c,
    int64_t row_stride, bool accumulates) {
    int64_t depth = (numbers + depths_of<weight> - 1) / depths_of<weight>;
    rto::PanelTasks(rows, columns, numbers)
        .run(
            [&](int64_t row, int64_t count) { return packed_rows<weight>(a.from(row, 0), count, numbers); },
            [&](PackedRows packed, int64_t row, int64_t count, int64_t column, int64_t width) {
                multiply_block(
                    packed, b + column * depth, count, width, depth, part, c + row * row_stride + column, row_stride,
                    accumulates);
            });
}

/// Deeper products are cut, so that packed rows and panels stay in a cache.
constexpr int64_t deepest_block = 4096;

/// `weight` is what panels of B hold: float, or HalfPair for two bfloat16 factors.
template <typename weight, typename output>
void multiply(
    const Factor &a, const Factor &b, int64_t rows, int64_t columns, int64_t numbers, output *c, int64_t row_stride,
    bool accumulates) {
    constexpr int64_t each = depths_of<weight>;
    int64_t depth = (numbers + each - 1) / each, part = depth_part<output>(depth), panel = tile_sizes().columns;
    int64_t block = std::min(depth, std::max<int64_t>(part, deepest_block / part * part));
    // Panels of B that are packed at a time: 4 MiB stay in a third-level cache.
    int64_t width = std::max<int64_t>(1, (1 << 20) / (block * panel)) * panel;
    auto panels = at::empty({round_up(std::min(width, columns), panel) * block}, at::kFloat);
    auto *packed = panels.mutable_data_ptr<float>();
    for (int64_t column = 0; column < columns; column += width) {
        int64_t count = std::min(width, columns - column);
        for (int64_t k = 0; k < numbers; k += block * each) {
            int64_t length = std::min(block * each, numbers - k);
            pack_panels<weight>(b.from(k, column), count, length, packed);
            multiply_panels(
                a.from(0, k), reinterpret_cast<const weight *>(packed), rows, count, length, part, c + column, row_stride,
                accumulates || k > 0);
        }
    }
}

/// Whether the processor multiplies pairs of bfloat16 numbers.
bool multiplies_pairs() {
#if defined(__x86_64__)
    static const bool found =
        rto::instruction_set() == rto::InstructionSet::avx512 && __builtin_cpu_supports("avx512bf16");
    return found;
#else
    return false;
#endif
}

/// `multiply` in pairs where both factors are bfloat16 and the processor has an instruction for that.
template <typename output>
void multiply(const at::Tensor &a, const at::Tensor &b, const at::Tensor &target, bool accumulates) {
    bool in_pairs = a.scalar_type() == at::kBFloat16 && b.scalar_type() == at::kBFloat16 && multiplies_pairs();
    auto kernel = in_pairs ? multiply<HalfPair, output> : multiply<float, output>;
    kernel(
        Factor(a), Factor(b), a.size(0), b.size(1), a.size(1), target.mutable_data_ptr<output>(), target.stride(0), accumulates);
}

}  // namespace

bool rto::has_own_product(const at::Tensor &a, const at::Tensor &b) {
    auto fits = [](const at::Tensor &x) {
        return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
    };
    return fits(a) && fits(b);
}

at::Tensor rto::product(const at::Tensor &a, const at::Tensor &b, at::ScalarType type) {
    TORCH_CHECK(a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(0), "matrices ", a.sizes(), " and ", b.sizes(), " do not fit");
    auto result = at::empty({a.size(0), b.size(1)}, a.options().dtype(type));
    product_into(result, a, b, false);
    return result;
}

void rto::product_into(const at::Tensor &target, const at::Tensor &a, const at::Tensor &b, bool adds) {
    auto type = target.scalar_type();
    int64_t rows = a.size(0), columns = b.size(1), depth = a.size(1);
    bool both_half = a.scalar_type() == at::kBFloat16 && b.scalar_type() == at::kBFloat16;
    bool is_own = has_own_product(a, b) && has_own_product(target, target) && target.stride(1) == 1;
    if (!is_own) {  // float64, or another device
        // A device sums in float32 whatever it writes: here without rounding, and into the target itself.
        if (target.is_cuda() && both_half && type == at::kFloat && target.is_contiguous()) {
            auto result = target;
            adds ? at::addmm_out(result, target, a, b, at::kFloat) : at::mm_out(result, a, b, at::kFloat);
            return;
        }
        if (!adds && a.scalar_type() == type && b.scalar_type() == type) {
            auto result = target;
            at::mm_out(result, a, b);
            return;
        }
        auto sum = both_half ? at::matmul(a, b) : at::matmul(a.to(type), b.to(type));
        adds ? target.add_(sum) : target.copy_(sum);
    } else if (rows == 0 || columns == 0 || depth == 0) {
        if (!adds) target.zero_();
    } else if (type == at::kFloat) {
        multiply<float>(a, b, target, adds);
    } else if (adds || depth > 4 * deepest_block) {
        auto sum = product(a, b, at::kFloat);
        adds ? target.add_(sum) : target.copy_(sum);
    } else {
        multiply<Half>(a, b, target, false);
    }
}

at::Tensor rto::pack_weight(const at::Tensor &weight) {
    if (!weight.is_cpu()) return weight.contiguous();  // as a device's products read it
    auto columns_first = weight.t();  // [inputs, outputs]
    int64_t depth = weight.size(1), outputs = weight.size(0), panel = tile_sizes().columns;
    Factor b(columns_first);
    auto packed = at::empty({round_up(outputs, panel) * round_up(depth, 2) + 64}, weight.options());
    if (!b.is_half) {
        pack_panels<float>(b, outputs, depth, packed.mutable_data_ptr<float>());
    } else if (multiplies_pairs()) {
        pack_panels<HalfPair>(b, outputs, depth, reinterpret_cast<float *>(packed.mutable_data_ptr<Half>()));
    } else {
        rto::for_ranges(round_up(outputs, panel) / panel, 16, [&](int64_t first, int64_t last) {
            CHOOSE(pack_half_panels)
            (b.halves(), b.row_stride, b.column_stride, outputs, depth, first, last, packed.mutable_data_ptr<Half>());
        });
    }
    return packed;
}

rto::TileSizes rto::tile_sizes() {
    static const TileSizes found = [] {
        TileSizes result;
        CHOOSE(packed_widths)(&result.rows, &result.columns);
        return result;
    }();
    return found;
}

rto::PanelTasks::PanelTasks(int64_t rows, int64_t columns, int64_t depth) : rows(rows), columns(columns) {
    // Rows of A that are packed together: with a depth of 512 they fill half a second-level cache.
    constexpr int64_t block_rows = 96;
    auto tile = tile_sizes();
    // Fetching a weight takes as long as a dozen multiplications with it.
    bool is_small = std::max(rows, tile.rows) * columns * depth < (1 << 19);
    threads = is_small ? 1 : thread_count();
    int64_t share = round_up((rows + 4 * threads - 1) / (4 * threads), tile.rows);
    height = threads == 1 ? block_rows : std::clamp<int64_t>(share, 8 * tile.rows, block_rows);
    blocks = (rows + height - 1) / height;
    // Few rows wait for memory: a thread reads panels that follow each other, so that the next ones can be fetched in time.
    int64_t tasks = rows <= 2 * tile.rows ? threads : 8 * threads, most = (columns + 4 * tile.columns - 1) / (4 * tile.columns);
    groups = threads == 1 ? 1 : std::clamp<int64_t>(tasks / blocks, 1, most);
    width = round_up((columns + groups - 1) / groups, tile.columns);
    groups = (columns + width - 1) / width;
}

namespace {

/// Calls `work` with a null pointer of what the panels of a type hold, and one of what their products are.
template <typename Work>
auto for_panels(at::ScalarType type, const Work &work) {
    if (type == at::kFloat) return work(static_cast<float *>(nullptr), static_cast<float *>(nullptr));
    if (multiplies_pairs()) return work(static_cast<HalfPair *>(nullptr), static_cast<Half *>(nullptr));
    return work(static_cast<Half *>(nullptr), static_cast<Half *>(nullptr));
}

}  // namespace

PackedRows rto::PackedPanels::rows(const void *first, int64_t row_stride, int64_t count) const {
    return for_panels(type, [&](auto *weight, auto *) {
        return packed_rows<std::remove_pointer_t<decltype(weight)>>(Factor(first, type, row_stride), count, depth);
    });
}

void rto::PackedPanels::multiply(
    PackedRows rows, int64_t count, int64_t column, int64_t width, void *c, int64_t row_stride, bool accumulates) const {
    for_panels(type, [&](auto *weight, auto *output) {
        using element = std::remove_pointer_t<decltype(weight)>;
        using result = std::remove_pointer_t<decltype(output)>;
        int64_t elements = (depth + depths_of<element> - 1) / depths_of<element>;
        multiply_block(
            rows, static_cast<const element *>(data) + column * elements, count, width, elements, depth_part<result>(elements),
            static_cast<result *>(c), row_stride, accumulates);
    });
}
