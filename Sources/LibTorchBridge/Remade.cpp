#include "Remade.h"

namespace {

using torch::autograd::AutogradContext;

/// The maker of a node's result, null where it is to be kept. Only on the CPU: a device is short of bandwidth, which is what making
/// a result again takes.
rto::Maker maker(torch::autograd::Node &node, uint32_t result) {
    auto unit = rto::gated_unit_maker(node);
    return unit ? unit : rto::norm_maker(node, result);
}

}  // namespace

at::Tensor rto::kept(const at::Tensor &input) {
    bool is_made_again = input.is_cpu() && input.grad_fn() && maker(*input.grad_fn(), input.output_nr());
    return is_made_again ? at::Tensor() : input;
}

at::Tensor rto::restored(const at::Tensor &saved) {
    if (saved.defined()) return saved;
    // The node that runs now was given the input first of all; who made that runs after it.
    auto edge = torch::autograd::get_current_node()->next_edge(0);
    auto make = maker(*edge.function, edge.input_nr);
    TORCH_INTERNAL_ASSERT(make, "a product's input was not kept, and nobody makes it again");
    return make(*edge.function);
}
