#include <torch/csrc/autograd/custom_function.h>

#include "MatrixProduct.h"
#include "Remade.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Keeps the wide weight, from which the rounded one is made again in the backward pass, and what the weight's gradient takes of
/// the input: nothing for a frozen weight.
struct Linear : torch::autograd::Function<Linear> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight) {
        context->save_for_backward({weight.requires_grad() ? rto::kept(x) : at::Tensor(), weight});
        return rto::product(x, weight.to(x.scalar_type()).t(), x.scalar_type());
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const auto &weight = saved[1], &upstream = gradients[0];
        auto type = upstream.scalar_type();
        at::Tensor x_gradient, weight_gradient;
        if (context->needs_input_grad(1)) {
            weight_gradient = rto::product(upstream.t(), rto::restored(saved[0]), weight.scalar_type());
        }
        if (context->needs_input_grad(0)) x_gradient = rto::product(upstream, weight.to(type), type);
        return {x_gradient, weight_gradient};
    }
};

}  // namespace

at::Tensor rto::linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias) {
    auto type = x.scalar_type();
    // LibTorch would round the gradient of a master weight, and keep the rounded weight.
    bool is_master = x.is_cuda() && type == at::kBFloat16 && weight.scalar_type() == at::kFloat;
    if (x.dim() != 2 || !(has_own_product(x, weight) || is_master))
        return at::linear(x, weight.to(type), bias.has_value() ? bias->to(type) : bias);
    bool is_trained = at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad());
    auto result = is_trained ? Linear::apply(x, weight) : product(x, weight.to(type).t(), type);
    return bias.has_value() ? result.add(bias->to(type)) : result;
}
