#include <torch/csrc/autograd/custom_function.h>

#include "CUDA/Launcher.h"
#include "FusedKernel.h"
#include "HotPaths.h"
#include "Processor.h"
#include "Remade.h"
#include "RowKernels.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Contiguous rows of gate and up, `stride` elements apart.
template <typename scalar>
struct GatedRows {
    const scalar *gate, *up;
    scalar *output;
    int64_t gate_stride, up_stride, width;
    bool is_gelu;
};

template <typename scalar>
struct GatedRowGradients {
    const scalar *gate, *up, *upstream;
    scalar *gate_gradient, *up_gradient;
    int64_t gate_stride, up_stride, width;
    bool is_gelu;
};

}  // namespace

#define KERNEL "GatedUnit.inl"
#include "Kernels/EachProcessor.inl"

namespace {

/// Runs a kernel of a device over rows, each in stretches of a block.
template <typename Rows>
void launch_rows(const char *kernel, const at::Tensor &place, int64_t count, int64_t elements, const Rows &rows) {
    rto::cuda::Grid grid{.x = count};
    grid.y = (rows.width + grid.threads * elements - 1) / (grid.threads * elements);
    rto::cuda::launch(rto::cuda::kernel_name(kernel, place.scalar_type(), elements > 1), grid, place, rows);
}

/// silu(gate)·up or gelu(gate)·up (Shazeer, arXiv 2002.05202), of contiguous rows.
at::Tensor gated(const at::Tensor &gate, const at::Tensor &up, bool is_gelu) {
    int64_t count = gate.size(0), width = gate.size(1);
    auto output = at::empty({count, width}, gate.options());
    rto::for_element_type(gate.scalar_type(), [&](auto *type) {
        using scalar = std::remove_pointer_t<decltype(type)>;
        GatedRows<scalar> rows{
            gate.data_ptr<scalar>(), up.data_ptr<scalar>(), output.data_ptr<scalar>(), gate.stride(0), up.stride(0), width,
            is_gelu};
        if (gate.is_cuda()) {
            int64_t elements = rto::cuda::vector_width(
                gate.scalar_type(), width, {rows.gate, rows.up, rows.output}, {rows.gate_stride, rows.up_stride});
            return launch_rows("gate_rows", gate, count, elements, rows);
        }
        auto kernel = is_gelu ? CHOOSE(gate_rows<true, scalar>) : CHOOSE(gate_rows<false, scalar>);
        rto::for_ranges(count, rto::rows_per_thread(width), [&](int64_t begin, int64_t end) { kernel(rows, begin, end); });
    });
    return output;
}

/// Keeps nothing but its inputs.
struct GatedUnit : torch::autograd::Function<GatedUnit> {
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &gate_input, const at::Tensor &up_input, bool is_gelu) {
        auto gate = rto::with_contiguous_rows(gate_input), up = rto::with_contiguous_rows(up_input);
        context->save_for_backward({gate, up});
        context->saved_data["is_gelu"] = is_gelu;
        return gated(gate, up, is_gelu);
    }

    static at::Tensor result(AutogradContext &context) {
        auto saved = context.get_saved_variables();
        return gated(saved[0], saved[1], context.saved_data["is_gelu"].toBool());
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        rto::forget_result(*context);
        auto saved = context->get_saved_variables();
        const auto &gate = saved[0], &up = saved[1];
        auto upstream = gradients[0].contiguous();
        auto gate_gradient = at::empty_like(upstream), up_gradient = at::empty_like(upstream);
        int64_t count = gate.size(0), width = gate.size(1);
        bool is_gelu = context->saved_data["is_gelu"].toBool();
        rto::for_element_type(gate.scalar_type(), [&](auto *type) {
            using scalar = std::remove_pointer_t<decltype(type)>;
            GatedRowGradients<scalar> rows{
                gate.data_ptr<scalar>(), up.data_ptr<scalar>(), upstream.data_ptr<scalar>(), gate_gradient.data_ptr<scalar>(),
                up_gradient.data_ptr<scalar>(), gate.stride(0), up.stride(0), width, is_gelu};
            if (gate.is_cuda()) {
                int64_t elements = rto::cuda::vector_width(
                    gate.scalar_type(), width, {rows.gate, rows.up, rows.upstream, rows.gate_gradient, rows.up_gradient},
                    {rows.gate_stride, rows.up_stride});
                return launch_rows("gate_rows_backward", gate, count, elements, rows);
            }
            auto kernel = is_gelu ? CHOOSE(gate_rows_backward<true, scalar>) : CHOOSE(gate_rows_backward<false, scalar>);
            rto::for_ranges(count, rto::rows_per_thread(width), [&](int64_t begin, int64_t end) { kernel(rows, begin, end); });
        });
        return {gate_gradient, up_gradient, at::Tensor()};
    }
};

}  // namespace

rto::Maker rto::gated_unit_maker(const torch::autograd::Node &node) { return maker_of<GatedUnit>(node); }

at::Tensor rto::gated_unit(const at::Tensor &gate, const at::Tensor &up, bool is_gelu) {
    TORCH_CHECK(gate.dim() == 2 && gate.sizes() == up.sizes() && gate.scalar_type() == up.scalar_type(), "gate and up differ");
    if (!is_recorded({gate, up})) return gated(with_contiguous_rows(gate), with_contiguous_rows(up), is_gelu);
    return GatedUnit::apply(gate, up, is_gelu);
}

void rto::gate_row(const void *gate, const void *up, void *output, at::ScalarType type, int64_t width, bool is_gelu) {
    for_element_type(type, [&](auto *element) {
        using scalar = std::remove_pointer_t<decltype(element)>;
        GatedRows<scalar> rows{
            static_cast<const scalar *>(gate), static_cast<const scalar *>(up), static_cast<scalar *>(output), 0, 0, width,
            is_gelu};
        (is_gelu ? CHOOSE(gate_rows<true, scalar>) : CHOOSE(gate_rows<false, scalar>))(rows, 0, 1);
    });
}
