#include "Remade.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Node;

/// The graph itself holds the node: it comes later in the backward pass than its readers.
struct Recipe : torch::CustomClassHolder {
    c10::weak_intrusive_ptr<Node> node;
    rto::Maker make;

    Recipe(const c10::intrusive_ptr<Node> &node, rto::Maker make) : node(node), make(make) {}
};

/// Only on the CPU: a device is short of bandwidth, which is what making a result again takes.
rto::Maker maker(const at::Tensor &input) {
    if (!input.is_cpu() || !input.grad_fn()) return nullptr;
    auto unit = rto::gated_unit_maker(*input.grad_fn());
    return unit ? unit : rto::norm_maker(*input.grad_fn(), input.output_nr());
}

}  // namespace

at::Tensor rto::kept(AutogradContext &context, const at::Tensor &input) {
    auto make = maker(input);
    if (make == nullptr) return input;
    context.saved_data["input"] = c10::IValue::make_capsule(c10::make_intrusive<Recipe>(input.grad_fn(), make));
    return at::Tensor();
}

at::Tensor rto::restored(AutogradContext &context, const at::Tensor &saved) {
    if (saved.defined()) return saved;
    auto capsule = context.saved_data.at("input").toCapsule();
    const auto &recipe = static_cast<const Recipe &>(*capsule);
    auto node = recipe.node.lock();
    TORCH_INTERNAL_ASSERT(node, "the node that made a product's input is gone before the product's backward pass");
    return recipe.make(*node);
}
