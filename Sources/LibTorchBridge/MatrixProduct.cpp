#include "MatrixProduct.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "Parallel.h"
#include "Processor.h"
#include "Scratch.h"

#define KERNEL "MatrixProduct.inl"
#include "Kernels/EachProcessor.inl"

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
        part.data = is_half ? static_cast<const void *>(static_cast<const Half *>(data) + offset)
                            : static_cast<const void *>(static_cast<const float *>(data) + offset);
        return part;
    }
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

void pack_rows(const Factor &a, int64_t rows, int64_t depth, float *packed) {
    if (a.is_half)
        CHOOSE(pack_rows<Half>)(static_cast<const Half *>(a.data), a.row_stride, a.column_stride, rows, depth, packed);
    else
        CHOOSE(pack_rows<float>)(static_cast<const float *>(a.data), a.row_stride, a.column_stride, rows, depth, packed);
}

void pack_panels(const Factor &b, int64_t columns, int64_t depth, float *packed) {
    int64_t panels = round_up(columns, widths().columns) / widths().columns;
    rto::for_ranges(panels, std::max<int64_t>(1, (1 << 14) / (depth * widths().columns + 1)), [&](int64_t first, int64_t last) {
        if (b.is_half)
            CHOOSE(pack_panels<Half>)
        (static_cast<const Half *>(b.data), b.row_stride, b.column_stride, columns, depth, first, last, packed);
        else CHOOSE(pack_panels<float>)(
            static_cast<const float *>(b.data), b.row_stride, b.column_stride, columns, depth, first, last, packed);
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
/// whichever thread is free: who computes an element does not change it.
template <typename weight, typename output>
void multiply_panels(
    const Factor &a, const weight *b, int64_t rows, int64_t columns, int64_t depth, int64_t part, output *c,
    int64_t row_stride, bool accumulates) {
    int64_t threads = 2 * rows * columns * depth < (1 << 19) ? 1 : rto::thread_count(), panel = widths().columns;
    int64_t share = round_up((rows + 4 * threads - 1) / (4 * threads), widths().rows);
    int64_t height = threads == 1 ? block_rows : std::clamp<int64_t>(share, 8 * widths().rows, block_rows);
    int64_t blocks = (rows + height - 1) / height;
    int64_t groups = threads == 1 ? 1 : std::clamp<int64_t>(8 * threads / blocks, 1, (columns + 4 * panel - 1) / (4 * panel));
    int64_t width = round_up((columns + groups - 1) / groups, panel);
    groups = (columns + width - 1) / width;
    std::atomic<int64_t> next{0};
    rto::in_parallel(std::min(threads, blocks * groups), [&](int64_t) {
        float *packed = rto::thread_scratch(round_up(height, widths().rows) * depth + 64);
        int64_t packed_block = -1;
        for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < blocks * groups;) {
            int64_t block = task / groups, row = block * height, count = std::min(height, rows - row);
            int64_t column = task % groups * width;
            if (block != packed_block) pack_rows(a.from(row, 0), count, depth, packed);
            packed_block = block;
            for (int64_t k = 0; k < depth; k += part)
                CHOOSE(multiply_packed<weight, output>)
            (count, std::min(width, columns - column), std::min(part, depth - k), depth, packed + k * widths().rows,
             b + column * depth + k * panel, c + row * row_stride + column, row_stride, accumulates || k > 0);
        }
    });
}

/// Deeper products are cut, so that packed rows and panels stay in a cache.
constexpr int64_t deepest_block = 4096;

template <typename output>
void multiply(
    const Factor &a, const Factor &b, int64_t rows, int64_t columns, int64_t depth, output *c, int64_t row_stride,
    bool accumulates) {
    int64_t part = depth_part<output>(depth), panel = widths().columns;
    int64_t block = std::min(depth, std::max<int64_t>(part, deepest_block / part * part));
    // Panels of B that are packed at a time: 4 MiB stay in a third-level cache.
    int64_t width = std::max<int64_t>(1, (1 << 20) / (block * panel)) * panel;
    auto panels = at::empty({round_up(std::min(width, columns), panel) * block}, at::kFloat);
    for (int64_t column = 0; column < columns; column += width) {
        int64_t count = std::min(width, columns - column);
        for (int64_t k = 0; k < depth; k += block) {
            int64_t length = std::min(block, depth - k);
            pack_panels(b.from(k, column), count, length, panels.mutable_data_ptr<float>());
            multiply_panels(
                a.from(0, k), panels.const_data_ptr<float>(), rows, count, length, std::min(part, length), c + column,
                row_stride, accumulates || k > 0);
        }
    }
}

}  // namespace

bool rto::multiplies_halves() {
#if defined(__x86_64__)
    static const bool found = instruction_set() == InstructionSet::avx512 && __builtin_cpu_supports("avx512bf16");
    return found;
#else
    return false;
#endif
}

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
    bool both_half = a.scalar_type() == at::kBFloat16 && b.scalar_type() == at::kBFloat16;
    bool is_own = has_own_product(a, b) && has_own_product(target, target) && target.stride(1) == 1;
    int64_t rows = a.size(0), columns = b.size(1), depth = a.size(1);
    if (!is_own || (both_half && multiplies_halves())) {
        // float64, another device, or a processor with instructions for bfloat16
        auto sum = both_half ? at::matmul(a, b) : at::matmul(a.to(type), b.to(type));
        adds ? target.add_(sum) : target.copy_(sum);
    } else if (rows == 0 || columns == 0 || depth == 0) {
        if (!adds) target.zero_();
    } else if (type == at::kFloat) {
        multiply(Factor(a), Factor(b), rows, columns, depth, target.mutable_data_ptr<float>(), target.stride(0), adds);
    } else if (adds || depth > 4 * deepest_block) {
        auto sum = product(a, b, at::kFloat);
        adds ? target.add_(sum) : target.copy_(sum);
    } else {
        multiply(Factor(a), Factor(b), rows, columns, depth, target.mutable_data_ptr<Half>(), target.stride(0), false);
    }
}

at::Tensor rto::pack_weight(const at::Tensor &weight) {
    auto columns_first = weight.t();  // [inputs, outputs]
    int64_t depth = weight.size(1), outputs = weight.size(0), panel = widths().columns;
    Factor b(columns_first);
    auto packed = at::empty({round_up(outputs, panel) * depth + 64}, weight.options());
    if (!b.is_half) {
        pack_panels(b, outputs, depth, packed.mutable_data_ptr<float>());
        return packed;
    }
    rto::for_ranges(round_up(outputs, panel) / panel, 16, [&](int64_t first, int64_t last) {
        CHOOSE(pack_half_panels)
        (static_cast<const Half *>(b.data), b.row_stride, b.column_stride, outputs, depth, first, last,
         packed.mutable_data_ptr<Half>());
    });
    return packed;
}

namespace {

template <typename weight, typename output>
void multiply_weight(const at::Tensor &x, const at::Tensor &packed, int64_t outputs, at::Tensor &result) {
    multiply_panels(
        Factor(x), packed.const_data_ptr<weight>(), x.size(0), outputs, x.size(1), depth_part<output>(x.size(1)),
        result.mutable_data_ptr<output>(), outputs, false);
}

}  // namespace

at::Tensor rto::packed_linear(const at::Tensor &x, const at::Tensor &packed, int64_t outputs) {
    auto result = at::empty({x.size(0), outputs}, x.options());
    if (x.size(0) == 0) return result;
    bool half_weight = packed.scalar_type() == at::kBFloat16, half_output = x.scalar_type() == at::kBFloat16;
    if (half_weight && half_output) multiply_weight<Half, Half>(x, packed, outputs, result);
    if (half_weight && !half_output) multiply_weight<Half, float>(x, packed, outputs, result);
    if (!half_weight && half_output) multiply_weight<float, Half>(x, packed, outputs, result);
    if (!half_weight && !half_output) multiply_weight<float, float>(x, packed, outputs, result);
    return result;
}
