#include <torch/csrc/autograd/custom_function.h>

#include "HotPaths.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Logits of `count` rows from `start`, in float32 (float64 stays), divided by the temperature.
at::Tensor logits(const at::Tensor &hidden, const at::Tensor &weight, int64_t start, int64_t count, double temperature) {
    auto rows = at::matmul(hidden.narrow(0, start, count), weight.t());
    if (rows.scalar_type() != at::kDouble) rows = rows.to(at::kFloat);
    return temperature == 1.0 ? rows : rows.div_(temperature);
}

/// The backward pass computes each chunk of logits again: [tokens, vocabulary] never exists.
struct TokenLogProbabilities : torch::autograd::Function<TokenLogProbabilities> {
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &hidden, const at::Tensor &weight, const at::Tensor &targets,
        double temperature, int64_t chunk_rows) {
        auto precision = hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
        int64_t tokens = hidden.size(0);
        auto result = at::empty({tokens}, hidden.options().dtype(precision));
        auto normalizers = at::empty_like(result);
        for (int64_t start = 0; start < tokens; start += chunk_rows) {
            int64_t count = std::min(chunk_rows, tokens - start);
            auto chunk = logits(hidden, weight, start, count, temperature);
            auto normalizer = chunk.logsumexp(1);
            auto chosen = chunk.gather(1, targets.narrow(0, start, count).unsqueeze(1)).squeeze(1);
            result.narrow(0, start, count).copy_(chosen - normalizer);
            normalizers.narrow(0, start, count).copy_(normalizer);
        }
        context->save_for_backward({hidden, weight, targets, normalizers});
        context->saved_data["temperature"] = temperature;
        context->saved_data["chunk_rows"] = chunk_rows;
        return result;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const auto &hidden = saved[0], &weight = saved[1], &targets = saved[2], &normalizers = saved[3];
        double temperature = context->saved_data["temperature"].toDouble();
        int64_t chunk_rows = context->saved_data["chunk_rows"].toInt(), tokens = hidden.size(0);
        bool wants_weight = context->needs_input_grad(1);
        auto upstream = gradients[0].div(temperature);
        auto hidden_gradient = at::empty_like(hidden);
        // Chunks are summed in float32, also under bfloat16.
        auto weight_gradient = wants_weight ? at::zeros(weight.sizes(), weight.options().dtype(normalizers.dtype())) : at::Tensor();
        for (int64_t start = 0; start < tokens; start += chunk_rows) {
            int64_t count = std::min(chunk_rows, tokens - start);
            auto chunk = logits(hidden, weight, start, count, temperature);
            auto share = upstream.narrow(0, start, count).unsqueeze(1);
            chunk.sub_(normalizers.narrow(0, start, count).unsqueeze(1)).exp_().mul_(share.neg());
            chunk.scatter_add_(1, targets.narrow(0, start, count).unsqueeze(1), share);
            auto narrow = chunk.to(hidden.scalar_type());
            hidden_gradient.narrow(0, start, count).copy_(at::matmul(narrow, weight));
            if (wants_weight) weight_gradient.add_(at::matmul(narrow.t(), hidden.narrow(0, start, count)));
        }
        if (wants_weight) weight_gradient = weight_gradient.to(weight.scalar_type());
        return {hidden_gradient, weight_gradient, at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

}  // namespace

at::Tensor rto::token_log_probabilities(
    const at::Tensor &hidden, const at::Tensor &weight, const at::Tensor &targets, double temperature, int64_t chunk_rows) {
    return TokenLogProbabilities::apply(hidden, weight, targets, temperature, chunk_rows);
}
