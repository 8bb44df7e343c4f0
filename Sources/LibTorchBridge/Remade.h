// Results that are made again in the backward pass instead of being kept for it.
//
// A product keeps its input for the gradient of its weight. Where that input is the result of a norm or of a gated unit, which
// keep their own inputs anyway and take about a hundredth of the product's time, the product keeps nothing and asks the node
// that made its input to make it again. The result is the same bit for bit.
#pragma once

#include <torch/csrc/autograd/custom_function.h>

namespace rto {

/// Makes the result of a node again.
using Maker = at::Tensor (*)(torch::autograd::Node &node);

/// The maker of a gated unit's or a norm's result, null for nodes and results of another kind.
Maker gated_unit_maker(const torch::autograd::Node &node);
Maker norm_maker(const torch::autograd::Node &node, uint32_t result);

/// The maker for the node of a `Function`, which has a static `result(context)` and calls `forget_result` in its backward pass.
/// Its readers share what is made, from the backward pass of the first to that of the node itself.
template <typename Function>
Maker maker_of(const torch::autograd::Node &node) {
    using Node = torch::autograd::CppNode<Function>;
    if (dynamic_cast<const Node *>(&node) == nullptr) return nullptr;
    return [](torch::autograd::Node &any) {
        auto &context = static_cast<Node &>(any).ctx_;
        auto &result = context.saved_data["result"];
        if (!result.isTensor()) result = Function::result(context);
        return result.toTensor();
    };
}

inline void forget_result(torch::autograd::AutogradContext &context) { context.saved_data["result"] = c10::IValue(); }

/// What a node saves of its first input for its backward pass: the input, or nothing where it can be made again.
at::Tensor kept(const at::Tensor &input);

/// The first input in the backward pass, given what was saved.
at::Tensor restored(const at::Tensor &saved);

}  // namespace rto
