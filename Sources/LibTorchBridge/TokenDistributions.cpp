#include <torch/csrc/autograd/custom_function.h>

#include "Handles.h"
#include "HotPaths.h"
#include "MatrixProduct.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// A model's last layer: states [tokens, width], head [vocabulary, width], and what its logits are capped by, or zero.
struct Head {
    at::Tensor states, weight;
    double soft_cap;

    int64_t tokens() const { return states.size(0); }
    at::ScalarType precision() const { return states.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

    /// log softmax of the logits of some rows, [rows, vocabulary]; with a cap, its derivative 1 - tanh² goes to `cap_slope`.
    at::Tensor log_probabilities(int64_t start, int64_t count, at::Tensor *cap_slope = nullptr) const {
        auto logits = at::empty({count, weight.size(0)}, states.options());
        rto::product_into(logits, states.narrow(0, start, count), weight.t(), false);
        if (soft_cap == 0) return at::log_softmax(logits, 1, precision());
        auto squashed = (logits.to(precision()) / soft_cap).tanh_();
        if (cap_slope) *cap_slope = 1 - squashed.square();
        return at::log_softmax(squashed.mul_(soft_cap), 1);
    }
};

/// What both models say of some rows, and what the rows are asked for.
struct Chunk {
    int64_t start, count;
    at::Tensor policy_slope, policy, reference;

    Chunk(const Head &policy_head, const Head &reference_head, int64_t start, int64_t chunk_rows)
        : start(start),
          count(std::min(chunk_rows, policy_head.tokens() - start)),
          policy(policy_head.log_probabilities(start, count, &policy_slope)),
          reference(reference_head.log_probabilities(start, count).to(policy_head.precision())) {}

    /// A chunk that was kept.
    Chunk(int64_t start, at::Tensor policy, at::Tensor reference)
        : start(start), count(policy.size(0)), policy(std::move(policy)), reference(std::move(reference)) {}

    at::Tensor rows(const at::Tensor &all) const { return all.narrow(0, start, count); }
    int64_t bytes() const { return static_cast<int64_t>(policy.nbytes() + reference.nbytes()); }

    /// Log-probabilities under both models at the targets, divergence and the reference's entropy, into [4, tokens].
    void summarize(const at::Tensor &targets, const at::Tensor &results) const {
        auto ids = rows(targets).unsqueeze(1);
        auto write = [&](int64_t row, const at::Tensor &values) { rows(results[row]).copy_(values); };
        write(0, policy.gather(1, ids).squeeze(1));
        write(1, reference.gather(1, ids).squeeze(1));
        auto shares = reference.exp();
        // A token that the reference never says adds nothing, also where a logarithm is -infinity.
        auto never = shares == 0;
        auto expectation = [&](at::Tensor values) { return values.mul_(shares).masked_fill_(never, 0).sum(1); };
        write(2, expectation(reference - policy));
        write(3, expectation(-reference));
    }

    /// The gradient of the logits: (onehot - p)·(upstream of log p) + (p - q)·(upstream of the divergence). It takes the memory
    /// of both log-probabilities.
    at::Tensor slope(const at::Tensor &targets, const at::Tensor &of_logarithm, const at::Tensor &of_divergence) {
        auto first = rows(of_logarithm).unsqueeze(1), second = rows(of_divergence).unsqueeze(1);
        auto result = policy.exp_().mul_(second - first).sub_(reference.exp_().mul_(second));
        result.scatter_add_(1, rows(targets).unsqueeze(1), first);
        return policy_slope.defined() ? result.mul_(policy_slope) : result;
    }
};

struct TokenDistributions : torch::autograd::Function<TokenDistributions> {
    static variable_list forward(
        AutogradContext *context, const at::Tensor &states, const at::Tensor &weight, double soft_cap,
        const at::Tensor &reference_states, const at::Tensor &reference_weight, double reference_soft_cap,
        const at::Tensor &targets, int64_t chunk_rows, bool keeps) {
        Head policy{states.contiguous(), weight.contiguous(), soft_cap};
        Head reference{reference_states.contiguous(), reference_weight.contiguous(), reference_soft_cap};
        auto results = at::empty({4, policy.tokens()}, policy.states.options().dtype(policy.precision()));
        std::vector<at::Tensor> kept;
        // The cap's slope does not follow from log-probabilities.
        int64_t room = keeps && soft_cap == 0 ? KEPT_LOGIT_BYTES : 0;
        for (int64_t start = 0; start < policy.tokens(); start += chunk_rows) {
            Chunk chunk(policy, reference, start, chunk_rows);
            chunk.summarize(targets, results);
            room -= chunk.bytes();
            if (room >= 0) kept.insert(kept.end(), {chunk.policy, chunk.reference});
        }
        context->save_for_backward({policy.states, policy.weight, reference.states, reference.weight, targets});
        context->saved_data["chunk_rows"] = chunk_rows;
        context->saved_data["soft_caps"] = std::vector<double>{soft_cap, reference_soft_cap};
        context->saved_data["kept"] = kept;
        // Tensors of their own: views of one result could not be told apart by autograd.
        variable_list outputs;
        for (int64_t row = 0; row < 4; row++) outputs.push_back(results[row].clone());
        context->mark_non_differentiable({outputs[1], outputs[3]});
        return outputs;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        auto soft_caps = context->saved_data["soft_caps"].toDoubleVector();
        Head policy{saved[0], saved[1], soft_caps[0]}, reference{saved[2], saved[3], soft_caps[1]};
        auto targets = saved[4];
        int64_t chunk_rows = context->saved_data["chunk_rows"].toInt();
        // Their memory is used up here: a second backward pass computes them again.
        auto kept = context->saved_data["kept"].toTensorVector();
        context->saved_data["kept"] = std::vector<at::Tensor>();
        bool wants_weight = context->needs_input_grad(1);
        auto states_gradient = at::empty_like(policy.states);
        // Chunks are summed in float32, also under bfloat16.
        auto weight_gradient =
            wants_weight ? at::zeros(policy.weight.sizes(), policy.weight.options().dtype(policy.precision())) : at::Tensor();
        for (int64_t start = 0; start < policy.tokens(); start += chunk_rows) {
            size_t place = 2 * (start / chunk_rows);
            auto chunk = place < kept.size() ? Chunk(start, std::move(kept[place]), std::move(kept[place + 1]))
                                             : Chunk(policy, reference, start, chunk_rows);
            auto slope = chunk.slope(targets, gradients[0], gradients[2]).to(policy.states.scalar_type());
            rto::product_into(chunk.rows(states_gradient), slope, policy.weight, false);
            if (wants_weight) rto::product_into(weight_gradient, slope.t(), chunk.rows(policy.states), start > 0);
        }
        if (wants_weight) weight_gradient = weight_gradient.to(policy.weight.scalar_type());
        return {states_gradient, weight_gradient, {}, {}, {}, {}, {}, {}, {}};
    }
};

}  // namespace

int32_t rto::token_distributions(
    const void *states, const void *weight, double soft_cap, const void *reference_states, const void *reference_weight,
    double reference_soft_cap, const void *targets, int64_t chunk_rows, const void **results) {
    using namespace rto::handles;
    return guarded<int32_t>(1, [&] {
        auto hidden = borrow(states), head = borrow(weight), other = borrow(reference_weight);
        TORCH_CHECK(
            head.size(0) == other.size(0), "vocabularies of ", head.size(0), " and ", other.size(0), " cannot be compared");
        bool keeps = at::GradMode::is_enabled() && (hidden.requires_grad() || head.requires_grad());
        auto found = TokenDistributions::apply(
            hidden, head, soft_cap, borrow(reference_states), other, reference_soft_cap, borrow(targets), chunk_rows, keeps);
        for (auto &result : found) *results++ = give(std::move(result));
        return 0;
    });
}
