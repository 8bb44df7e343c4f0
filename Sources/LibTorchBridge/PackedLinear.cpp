// Products with packed weights, and what a decoder layer computes right before and after them, in one go: with few rows the time
// between kernels counts as much as the kernels.
#include "HotPaths.h"
#include "MatrixProduct.h"
#include "PackedPanels.h"
#include "RowKernels.h"
#include "Scratch.h"

namespace {

using rto::PackedRows;
using rto::ScratchUse;

/// Rows of x as a product reads them, normalised first where there are factors: by each thread that reads them, as waiting for
/// one takes longer.
struct InputRows {
    const char *data;
    at::ScalarType type;
    int64_t row_stride, width, element_size;
    const rto::PackedPanels &panels;
    std::optional<rto::NormFactors> norm;

    InputRows(const at::Tensor &x, const rto::PackedPanels &panels, const std::optional<rto::NormFactors> &norm)
        : data(static_cast<const char *>(x.const_data_ptr())), type(x.scalar_type()), row_stride(x.stride(0)), width(x.size(1)),
          element_size(x.element_size()), panels(panels), norm(norm) {}

    PackedRows operator()(int64_t row, int64_t count) const {
        const char *first = data + row * row_stride * element_size;
        if (!norm) return panels.rows(first, row_stride, count);
        float *normed = rto::thread_scratch<ScratchUse::rows>(count * width);
        for (int64_t i = 0; i < count; i++) {
            char *target = reinterpret_cast<char *>(normed) + i * width * element_size;
            rto::normalize_rows(first + i * row_stride * element_size, target, type, 1, width, *norm);
        }
        return panels.rows(normed, width, count);
    }
};

rto::PackedPanels panels_of(const at::Tensor &x, const at::Tensor &packed) {
    TORCH_CHECK(
        x.scalar_type() == packed.scalar_type(), "rows of ", x.scalar_type(), " meet a packed weight of ", packed.scalar_type());
    TORCH_CHECK(x.is_cpu() && x.dim() == 2 && x.stride(1) == 1, "a packed weight meets contiguous rows on the CPU");
    return {packed.const_data_ptr(), packed.scalar_type(), x.size(1)};
}

/// target = or += x · weightᵀ.
void multiply_into(
    const at::Tensor &target, const at::Tensor &x, const at::Tensor &packed, const std::optional<rto::NormFactors> &norm,
    bool adds) {
    auto panels = panels_of(x, packed);
    int64_t stride = target.stride(0), size = target.element_size();
    auto *result = static_cast<char *>(target.mutable_data_ptr());
    rto::PanelTasks(x.size(0), target.size(1), x.size(1))
        .run(
            InputRows(x, panels, norm), [&](PackedRows rows, int64_t row, int64_t count, int64_t column, int64_t width) {
                panels.multiply(rows, count, column, width, result + (row * stride + column) * size, stride, adds);
            });
}

}  // namespace

at::Tensor rto::packed_linear(
    const at::Tensor &x, const at::Tensor &packed, int64_t outputs, const std::optional<NormFactors> &norm) {
    if (!x.is_cpu()) {
        TORCH_CHECK(!norm, "a device normalises in a call of its own");
        return at::linear(x, packed);
    }
    auto rows = x.stride(1) == 1 ? x : x.contiguous();
    auto result = at::empty({x.size(0), outputs}, x.options());
    if (x.size(0) > 0) multiply_into(result, rows, packed, norm, false);
    return result;
}

void rto::add_packed_linear(const at::Tensor &target, const at::Tensor &x, const at::Tensor &packed) {
    TORCH_CHECK(
        target.is_cpu() && target.dim() == 2 && target.stride(1) == 1 && target.size(0) == x.size(0) &&
            target.scalar_type() == x.scalar_type(),
        "a product is added to contiguous rows of its type");
    if (x.size(0) > 0) multiply_into(target, x, packed, std::nullopt, true);
}

at::Tensor rto::packed_gated_unit(
    const at::Tensor &x, const at::Tensor &packed, int64_t width, int64_t up_column, const std::optional<NormFactors> &norm,
    bool is_gelu) {
    auto panels = panels_of(x, packed);
    TORCH_CHECK(up_column % tile_sizes().columns == 0 && up_column >= width, "the second weight begins a panel");
    auto result = at::empty({x.size(0), width}, x.options());
    if (x.size(0) == 0) return result;
    int64_t size = x.element_size(), panel = tile_sizes().columns;
    auto *target = static_cast<char *>(result.mutable_data_ptr());
    PanelTasks(x.size(0), width, 2 * x.size(1))
        .run(InputRows(x, panels, norm), [&](PackedRows rows, int64_t row, int64_t count, int64_t column, int64_t columns) {
            // Many panels in a row, as memory is read ahead, but no more than a cache holds of both products.
            int64_t step = std::min(columns, std::max<int64_t>(4, (1 << 14) / (count * panel)) * panel);
            auto *tile = reinterpret_cast<char *>(thread_scratch<ScratchUse::tile>(2 * count * step));
            for (int64_t end = column + columns; column < end; column += step) {
                int64_t part = std::min(step, end - column);
                panels.multiply(rows, count, column, part, tile, 2 * step, false);
                panels.multiply(rows, count, up_column + column, part, tile + step * size, 2 * step, false);
                for (int64_t i = 0; i < count; i++) {
                    const char *gate = tile + i * 2 * step * size;
                    char *place = target + ((row + i) * width + column) * size;
                    gate_row(gate, gate + step * size, place, x.scalar_type(), part, is_gelu);
                }
            }
        });
    return result;
}
