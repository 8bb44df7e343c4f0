#include "Checkpoint.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "Handles.h"

using namespace rto::handles;

namespace {

/// A Swift closure from tensor to tensor, freed with its last owner.
struct Closure : torch::CustomClassHolder {
    const void *(*body)(void *, const void *);
    void *context;
    void (*destroy)(void *);
    ~Closure() override { destroy(context); }
    at::Tensor operator()(const at::Tensor &input) const {
        return at::Tensor(c10::intrusive_ptr<c10::TensorImpl>::reclaim(implementation(body(context, give(input)))));
    }
};

/// Gradient checkpointing: keeps only the input, and computes the body a second time in the backward pass.
struct Checkpoint : torch::autograd::Function<Checkpoint> {
    static at::Tensor forward(
        torch::autograd::AutogradContext *context, const at::Tensor &input, const c10::intrusive_ptr<Closure> &closure) {
        context->saved_data["closure"] = c10::IValue::make_capsule(closure);
        context->save_for_backward({input});
        at::NoGradGuard no_gradient;
        return (*closure)(input);
    }

    static torch::autograd::variable_list backward(
        torch::autograd::AutogradContext *context, torch::autograd::variable_list gradients) {
        auto capsule = context->saved_data["closure"].toCapsule();
        auto input = context->get_saved_variables()[0].detach().set_requires_grad(true);
        at::AutoGradMode enable(true);
        auto output = (*static_cast<Closure *>(capsule.get()))(input);
        torch::autograd::backward({output}, {gradients[0]});
        return {input.grad(), at::Tensor()};
    }
};

}  // namespace

at::Tensor rto::checkpoint(
    const at::Tensor &input, const void *(*body)(void *, const void *), void *context, void (*destroy)(void *)) {
    auto closure = c10::make_intrusive<Closure>();
    closure->body = body;
    closure->context = context;
    closure->destroy = destroy;
    return Checkpoint::apply(input, closure);
}
