#include "MatrixProduct.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "Parallel.h"
#include "Processor.h"
#include "Scratch.h"

namespace {
/// Rows of A as the kernels read them: element (row, k) is at data[k · step + row], in blocks of so many rows as fill a tile.
struct PackedRows {
    const float *data;
    int64_t step;

    PackedRows from(int64_t row, int64_t depth) const { return {data + row * depth, step}; }
    PackedRows deeper(int64_t k) const { return {data + k * step, step}; }
};
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

    Factor from(int64_t row, int64_t column) const {
        Factor part = *this;
        int64_t offset = row * row_stride + column * column_stride;
        part.data = is_half ? static_cast<const void *>(halves() + offset) : static_cast<const void *>(floats() + offset);
        return part;
    }

    const float *floats() const { return static_cast<const float *>(data); }
    const Half *halves() const { return static_cast<const Half *>(data); }
};

struct Widths {
    int64_t rows, columns;
};

Widths widths() {
    static const Widths found = [] {
        Widths result;
        CHOOSE(packed_widths)(&result.rows, &result.columns);
        return result;
    }();
    return found;
}

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
    float *packed = rto::thread_scratch(round_up(rows, widths().rows) * depth + 64);
    pack_rows<weight>(a, rows, depth, packed);
    return {packed, widths().rows};
}

/// Packs panels of float or of HalfPair; the depth is counted in numbers.
template <typename weight>
void pack_panels(const Factor &b, int64_t columns, int64_t depth, float *packed) {
    int64_t panels = round_up(columns, widths().columns) / widths().columns;
    rto::for_ranges(panels, std::max<int64_t>(1, (1 << 14) / (depth * widths().columns + 1)), [&](int64_t first, int64_t last) {
        if constexpr (depths_of<weight> == 2)
            CHOOSE(pack_panel_pairs)(b.halves(), b.row_stride, b.column_stride, columns, depth, first, last, packed);
        else if (b.is_half)
            CHOOSE(pack_panels<Half>)(b.halves(), b.row_stride, b.column_stride, columns, depth, first, last, packed);
        else
            CHOOSE(pack_panels<float>)(b.floats(), b.row_stride, b.column_stride, columns, depth, first, last, packed);
    });
}

/// Rows of A that are packed together: with a depth of 512 they fill half a second-level cache.
constexpr int64_t block_rows = 96;

/// Depths up to 640 in one go, deeper ones in equal parts of at most 512, so that a panel's part stays in the first cache.
/// A bfloat16 result is never rounded between parts: its depth is one part.
template <typename output>
int64_t depth_part(int64_t depth) {
    if (depth <= 640 || !std::is_same_v<output, float>) return depth;
    int64_t parts = (depth + 511) / 512;
    return round_up((depth + parts - 1) / parts, 8);
}

/// C = or += A · B for packed panels of B, in parts of the depth. Tasks are blocks of rows and groups of panels, claimed by
/// whichever thread is free: who computes an element does not change it. `numbers` is the depth in numbers, `part` is in
/// elements of the packed forms.
template <typename weight, typename output>
void multiply_panels(
    const Factor &a, const weight *b, int64_t rows, int64_t columns, int64_t numbers, int64_t part, output *c,
    int64_t row_stride, bool accumulates) {
    int64_t depth = (numbers + depths_of<weight> - 1) / depths_of<weight>;
    // Fetching a weight takes as long as a dozen multiplications with it.
    bool is_small = std::max(rows, widths().rows) * columns * numbers < (1 << 19);
    int64_t threads = is_small ? 1 : rto::thread_count(), panel = widths().columns;
    int64_t share = round_up((rows + 4 * threads - 1) / (4 * threads), widths().rows);
    int64_t height = threads == 1 ? block_rows : std::clamp<int64_t>(share, 8 * widths().rows, block_rows);
    int64_t blocks = (rows + height - 1) / height;
    // Few rows wait for memory: a thread reads panels that follow each other, so that the next ones can be fetched in time.
    int64_t tasks = rows <= 2 * widths().rows ? threads : 8 * threads;
    int64_t groups = threads == 1 ? 1 : std::clamp<int64_t>(tasks / blocks, 1, (columns + 4 * panel - 1) / (4 * panel));
    int64_t width = round_up((columns + groups - 1) / groups, panel);
    groups = (columns + width - 1) / width;
    std::atomic<int64_t> next{0};
    rto::in_parallel(std::min(threads, blocks * groups), [&](int64_t) {
        PackedRows packed{};
        int64_t packed_block = -1;
        for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < blocks * groups;) {
            int64_t block = task / groups, row = block * height, count = std::min(height, rows - row);
            int64_t column = task % groups * width;
            if (block != packed_block) packed = packed_rows<weight>(a.from(row, 0), count, numbers);
            packed_block = block;
            for (int64_t k = 0; k < depth; k += part)
                chosen_product<weight, output>()(
                    count, std::min(width, columns - column), std::min(part, depth - k), depth, packed.deeper(k),
                    b + column * depth + k * panel, c + row * row_stride + column, row_stride, accumulates || k > 0);
        }
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
    int64_t depth = (numbers + each - 1) / each, part = depth_part<output>(depth), panel = widths().columns;
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
    bool is_own = has_own_product(a, b) && has_own_product(target, target) && target.stride(1) == 1;
    int64_t rows = a.size(0), columns = b.size(1), depth = a.size(1);
    if (!is_own) {  // float64, or another device
        bool both_half = a.scalar_type() == at::kBFloat16 && b.scalar_type() == at::kBFloat16;
        // A device sums in float32 whatever it writes: here without rounding, and into the target itself.
        if (target.is_cuda() && both_half && type == at::kFloat && target.is_contiguous()) {
            auto result = target;
            adds ? at::addmm_out(result, target, a, b, at::kFloat) : at::mm_out(result, a, b, at::kFloat);
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
    int64_t depth = weight.size(1), outputs = weight.size(0), panel = widths().columns;
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

namespace {

template <typename weight, typename output>
void multiply_weight(const at::Tensor &x, const at::Tensor &packed, int64_t outputs, at::Tensor &result) {
    int64_t depth = (x.size(1) + depths_of<weight> - 1) / depths_of<weight>;
    multiply_panels(
        Factor(x), static_cast<const weight *>(packed.const_data_ptr()), x.size(0), outputs, x.size(1),
        depth_part<output>(depth), result.mutable_data_ptr<output>(), outputs, false);
}

}  // namespace

at::Tensor rto::packed_linear(const at::Tensor &x, const at::Tensor &packed, int64_t outputs) {
    TORCH_CHECK(
        x.scalar_type() == packed.scalar_type(), "rows of ", x.scalar_type(), " meet a packed weight of ", packed.scalar_type());
    if (!x.is_cpu()) return at::linear(x, packed);
    auto result = at::empty({x.size(0), outputs}, x.options());
    if (x.size(0) == 0) return result;
    if (x.scalar_type() == at::kFloat)
        multiply_weight<float, float>(x, packed, outputs, result);
    else if (multiplies_pairs())
        multiply_weight<HalfPair, Half>(x, packed, outputs, result);
    else
        multiply_weight<Half, Half>(x, packed, outputs, result);
    return result;
}
