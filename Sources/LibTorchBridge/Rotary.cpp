#include <torch/csrc/autograd/custom_function.h>

#include "CUDA/Launcher.h"
#include "FusedKernel.h"
#include "HotPaths.h"
#include "Processor.h"
#include "RowKernels.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Tokens of contiguous heads; `direction` is 1 or, to turn back, -1. The table's second half repeats the first.
template <typename scalar>
struct Rotation {
    const scalar *input, *cosine, *sine;
    scalar *output;
    int64_t token_stride, table_stride, heads, half;
    float direction;
};

}  // namespace

#define KERNEL "Rotary.inl"
#include "Kernels/EachProcessor.inl"

namespace {

at::Tensor turned(const at::Tensor &input, const at::Tensor &cosine, const at::Tensor &sine, float direction) {
    int64_t tokens = input.size(0), heads = input.size(1), dimension = input.size(2);
    auto x = rto::has_contiguous_heads(input) ? input : input.contiguous();
    auto output = at::empty({tokens, heads, dimension}, x.options());
    rto::for_element_type(x.scalar_type(), [&](auto *type) {
        using scalar = std::remove_pointer_t<decltype(type)>;
        Rotation<scalar> rotation{
            x.data_ptr<scalar>(), cosine.data_ptr<scalar>(), sine.data_ptr<scalar>(), output.data_ptr<scalar>(), x.stride(0),
            dimension, heads, dimension / 2, direction};
        if (x.is_cuda()) {
            bool is_wide = rto::cuda::vector_width(
                               x.scalar_type(), dimension / 2,
                               {rotation.input, rotation.cosine, rotation.sine, rotation.output}, {x.stride(0)}) > 1;
            auto name = rto::cuda::kernel_name("rotate_tokens", x.scalar_type(), is_wide);
            return rto::cuda::launch(name, {.x = tokens}, x, rotation);
        }
        auto kernel = CHOOSE(rotate_tokens<scalar>);
        rto::for_ranges(
            tokens, rto::rows_per_thread(heads * dimension), [&](int64_t begin, int64_t end) { kernel(rotation, begin, end); });
    });
    return output;
}

/// The gradient of a rotation is the rotation by the negative angle.
struct Rotary : torch::autograd::Function<Rotary> {
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &input, const at::Tensor &cosine, const at::Tensor &sine) {
        context->save_for_backward({cosine, sine});
        return turned(input, cosine, sine, 1);
    }

    static variable_list backward(AutogradContext *context, variable_list upstream) {
        auto saved = context->get_saved_variables();
        return {turned(upstream[0], saved[0], saved[1], -1), at::Tensor(), at::Tensor()};
    }
};

}  // namespace

at::Tensor rto::rotary(const at::Tensor &input, const at::Tensor &cosine, const at::Tensor &sine) {
    TORCH_CHECK(
        cosine.is_contiguous() && sine.is_contiguous() && cosine.scalar_type() == input.scalar_type() &&
            sine.scalar_type() == input.scalar_type() && cosine.numel() == input.size(0) * input.size(2) &&
            sine.numel() == cosine.numel() && input.size(2) % 2 == 0,
        "the rotary table does not fit the heads");
    return is_recorded({input}) ? Rotary::apply(input, cosine, sine) : turned(input, cosine, sine, 1);
}

void rto::rotate_head(void *head, const void *cosine, const void *sine, at::ScalarType type, int64_t half) {
    for_element_type(type, [&](auto *element) {
        using scalar = std::remove_pointer_t<decltype(element)>;
        auto *place = static_cast<scalar *>(head);
        // Both halves of a vector are read before one is written.
        Rotation<scalar> rotation{
            place, static_cast<const scalar *>(cosine), static_cast<const scalar *>(sine), place, 0, 0, 1, half, 1};
        CHOOSE(rotate_tokens<scalar>)(rotation, 0, 1);
    });
}
