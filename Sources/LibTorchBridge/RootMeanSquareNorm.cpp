#include <torch/csrc/autograd/custom_function.h>

#include "CUDA/Launcher.h"
#include "FusedKernel.h"
#include "Handles.h"
#include "HotPaths.h"
#include "Processor.h"
#include "Remade.h"
#include "RowKernels.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Contiguous rows; with an update, the row is input + update, which is written to `sum`. Scales may be null.
template <typename scalar>
struct NormRows {
    const scalar *input, *update;
    const float *weight;
    scalar *sum, *output;
    float *scales;
    int64_t width;
    float epsilon;
    bool adds_one;
};

/// The sum's own upstream gradient, if there is one, is added to the result.
template <typename scalar>
struct NormRowGradients {
    const scalar *input, *upstream, *sum_upstream;
    const float *weight, *scales;
    scalar *gradient;
    int64_t width;
    bool adds_one;
};

/// The same on a device, where each block sums the weight's gradient over its rows in a row of `weight_gradients`.
template <typename scalar>
struct DeviceRowGradients {
    NormRowGradients<scalar> common;
    int64_t rows;
    float *weight_gradients;
};

}  // namespace

#define KERNEL "RootMeanSquareNorm.inl"
#include "Kernels/EachProcessor.inl"

namespace {

struct Normalized {
    at::Tensor sum, output, scales;
};

Normalized normalized(
    const at::Tensor &input, const at::Tensor &update, const at::Tensor &weight, double epsilon, bool adds_one) {
    auto x = input.contiguous(), wide = weight.to(at::kFloat).contiguous();
    auto added = update.defined() ? update.contiguous() : at::Tensor();
    int64_t rows = x.size(0), width = x.size(1);
    Normalized result{added.defined() ? at::empty_like(x) : x, at::empty_like(x), at::empty({rows}, wide.options())};
    rto::for_element_type(x.scalar_type(), [&](auto *type) {
        using scalar = std::remove_pointer_t<decltype(type)>;
        NormRows<scalar> kernel_rows{
            x.data_ptr<scalar>(), added.defined() ? added.data_ptr<scalar>() : nullptr, wide.data_ptr<float>(),
            result.sum.data_ptr<scalar>(), result.output.data_ptr<scalar>(), result.scales.data_ptr<float>(), width,
            static_cast<float>(epsilon), adds_one};
        if (x.is_cuda()) {
            int64_t elements = rto::cuda::vector_width(
                x.scalar_type(), width,
                {kernel_rows.input, kernel_rows.update, kernel_rows.weight, kernel_rows.sum, kernel_rows.output});
            auto name = rto::cuda::kernel_name("normalize", x.scalar_type(), elements > 1);
            rto::cuda::Grid grid{.x = rows, .threads = rto::cuda::threads_for(width, elements)};
            return rto::cuda::launch(name, grid, x, kernel_rows);
        }
        auto kernel = CHOOSE(normalize<scalar>);
        rto::for_ranges(rows, rto::rows_per_thread(width), [&](int64_t begin, int64_t end) { kernel(kernel_rows, begin, end); });
    });
    return result;
}

/// Rows of which the weight's gradient is summed by one block of a device, and the most blocks.
constexpr int64_t ROWS_PER_BLOCK = 8, MOST_BLOCKS = 512;

/// The gradients of the row that was normalised and of the weight. Each thread, or block of a device, sums the weight's over its
/// own rows, and the sums are added in their order.
std::tuple<at::Tensor, at::Tensor> gradients_of(
    const at::Tensor &row, const at::Tensor &scales, const at::Tensor &weight, const at::Tensor &upstream,
    const at::Tensor &sum_upstream, bool adds_one) {
    auto wide = weight.to(at::kFloat).contiguous(), outer = upstream.contiguous();
    auto other = sum_upstream.defined() ? sum_upstream.contiguous() : at::Tensor();
    int64_t rows = row.size(0), width = row.size(1);
    int64_t parts = row.is_cuda() ? std::clamp<int64_t>(rows / ROWS_PER_BLOCK, 1, MOST_BLOCKS)
                                  : std::clamp<int64_t>(rows / rto::rows_per_thread(width), 1, rto::thread_count());
    auto gradient = at::empty_like(row), weight_gradients = at::zeros({parts, width}, wide.options());
    rto::for_element_type(row.scalar_type(), [&](auto *type) {
        using scalar = std::remove_pointer_t<decltype(type)>;
        NormRowGradients<scalar> kernel_rows{
            row.data_ptr<scalar>(), outer.data_ptr<scalar>(), other.defined() ? other.data_ptr<scalar>() : nullptr,
            wide.data_ptr<float>(), scales.data_ptr<float>(), gradient.data_ptr<scalar>(), width, adds_one};
        float *partial = weight_gradients.data_ptr<float>();
        if (row.is_cuda()) {
            bool is_wide = rto::cuda::vector_width(
                               row.scalar_type(), width,
                               {kernel_rows.input, kernel_rows.upstream, kernel_rows.sum_upstream, kernel_rows.weight,
                                kernel_rows.gradient, partial}) > 1;
            DeviceRowGradients<scalar> arguments{kernel_rows, rows, partial};
            auto name = rto::cuda::kernel_name("normalize_backward", row.scalar_type(), is_wide);
            return rto::cuda::launch(name, {.x = rows > 0 ? parts : 0}, row, arguments);
        }
        auto kernel = CHOOSE(normalize_backward<scalar>);
        rto::in_parallel(parts, [&](int64_t part) {
            kernel(kernel_rows, rows * part / parts, rows * (part + 1) / parts, partial + part * width);
        });
    });
    return {gradient, weight_gradients.sum(0).to(weight.scalar_type())};
}

/// What both norms keep: the row that is normalised, the weight and the scales.
void keep(AutogradContext *context, const Normalized &result, const at::Tensor &weight, double epsilon, bool adds_one) {
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["adds_one"] = adds_one;
    context->save_for_backward({result.sum, weight, result.scales});
}

/// The norm once more, from what is kept.
at::Tensor normalized_again(AutogradContext &context) {
    auto saved = context.get_saved_variables();
    auto epsilon = context.saved_data["epsilon"].toDouble();
    return normalized(saved[0], at::Tensor(), saved[1], epsilon, context.saved_data["adds_one"].toBool()).output;
}

struct RootMeanSquareNorm : torch::autograd::Function<RootMeanSquareNorm> {
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &input, const at::Tensor &weight, double epsilon, bool adds_one) {
        auto result = normalized(input, at::Tensor(), weight, epsilon, adds_one);
        keep(context, result, weight, epsilon, adds_one);
        return result.output;
    }

    static at::Tensor result(AutogradContext &context) { return normalized_again(context); }

    static variable_list backward(AutogradContext *context, variable_list upstream) {
        rto::forget_result(*context);
        auto saved = context->get_saved_variables();
        auto [input, weight] = gradients_of(
            saved[0], saved[2], saved[1], upstream[0], at::Tensor(), context->saved_data["adds_one"].toBool());
        return {input, weight, at::Tensor(), at::Tensor()};
    }
};

struct ResidualNorm : torch::autograd::Function<ResidualNorm> {
    static variable_list forward(
        AutogradContext *context, const at::Tensor &input, const at::Tensor &update, const at::Tensor &weight, double epsilon,
        bool adds_one) {
        auto result = normalized(input, update, weight, epsilon, adds_one);
        keep(context, result, weight, epsilon, adds_one);
        return {result.sum, result.output};
    }

    static at::Tensor result(AutogradContext &context) { return normalized_again(context); }

    static variable_list backward(AutogradContext *context, variable_list upstream) {
        rto::forget_result(*context);
        auto saved = context->get_saved_variables();
        auto [sum, weight] = gradients_of(
            saved[0], saved[2], saved[1], upstream[1], upstream[0], context->saved_data["adds_one"].toBool());
        return {sum, sum, weight, at::Tensor(), at::Tensor()};
    }
};

}  // namespace

rto::Maker rto::norm_maker(const torch::autograd::Node &node, uint32_t result) {
    if (auto maker = maker_of<RootMeanSquareNorm>(node)) return maker;
    // Its other result is the sum.
    return result == 1 ? maker_of<ResidualNorm>(node) : nullptr;
}

at::Tensor rto::root_mean_square_norm(
    const at::Tensor &input, const at::Tensor &weight, double epsilon, bool adds_one) {
    if (!is_recorded({input, weight})) return normalized(input, at::Tensor(), weight, epsilon, adds_one).output;
    return RootMeanSquareNorm::apply(input, weight, epsilon, adds_one);
}

std::tuple<at::Tensor, at::Tensor> rto::residual_norm(
    const at::Tensor &input, const at::Tensor &update, const at::Tensor &weight, double epsilon, bool adds_one) {
    if (!is_recorded({input, update, weight})) {
        auto result = normalized(input, update, weight, epsilon, adds_one);
        return {result.sum, result.output};
    }
    auto results = ResidualNorm::apply(input, update, weight, epsilon, adds_one);
    return {results[0], results[1]};
}

void rto::normalize_rows(
    const void *input, void *output, at::ScalarType type, int64_t rows, int64_t width, const NormFactors &factors) {
    for_element_type(type, [&](auto *element) {
        using scalar = std::remove_pointer_t<decltype(element)>;
        NormRows<scalar> kernel_rows{
            static_cast<const scalar *>(input), nullptr, factors.weight, nullptr, static_cast<scalar *>(output),
            nullptr, width, factors.epsilon, factors.adds_one};
        CHOOSE(normalize<scalar>)(kernel_rows, 0, rows);
    });
}

std::optional<rto::NormFactors> rto::norm_factors(const RowNorm *norm, int64_t width) {
    if (norm == nullptr) return std::nullopt;
    auto weight = handles::borrow(norm->weight);
    TORCH_CHECK(
        weight.is_cpu() && weight.scalar_type() == at::kFloat && weight.is_contiguous() && weight.numel() == width,
        "a norm's weight of shape ", weight.sizes(), " meets rows of ", width);
    return NormFactors{weight.const_data_ptr<float>(), static_cast<float>(norm->epsilon), norm->adds_one};
}
