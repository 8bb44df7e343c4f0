#include <torch/csrc/autograd/custom_function.h>

#include "CUDA/Launcher.h"
#include "FusedKernel.h"
#include "HotPaths.h"
#include "MatrixProduct.h"
#include "Processor.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Contiguous rows of logits; `factor` is one over the temperature, `cap` is zero for none, `entropies` may be null.
template <typename scalar>
struct LogitRows {
    const scalar *logits;
    const int64_t *targets;
    float *results, *largest, *log_sums, *entropies;
    int64_t vocabulary;
    float factor, cap;
};

template <typename scalar>
struct LogitRowGradients {
    scalar *logits;
    const int64_t *targets;
    const float *upstream, *largest, *log_sums;
    int64_t vocabulary;
    float factor, cap;
};

}  // namespace

#define KERNEL "TokenLogProbabilities.inl"
#include "Kernels/EachProcessor.inl"

namespace {

/// What the head is asked for, with contiguous tensors.
struct Head : rto::HeadQuery {
    int64_t tokens() const { return hidden.size(0); }
    at::ScalarType precision() const { return hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }
    bool is_fused() const {
        return (hidden.is_cpu() || hidden.is_cuda()) &&
               (hidden.scalar_type() == at::kFloat || hidden.scalar_type() == at::kBFloat16);
    }
    at::Tensor rows(const at::Tensor &all, int64_t start) const {
        return all.narrow(0, start, std::min(chunk_rows, tokens() - start));
    }

    /// Logits of the chunk that starts at a row, before cap and temperature, in the type of the hidden states; `buffer` is
    /// memory that may be used for them.
    at::Tensor logits(int64_t start, at::Tensor &buffer) const {
        auto states = rows(hidden, start);
        if (!buffer.defined()) buffer = at::empty({std::min(chunk_rows, tokens()), weight.size(0)}, hidden.options());
        auto result = buffer.narrow(0, 0, states.size(0));
        rto::product_into(result, states, weight.t(), false);
        return result;
    }

    /// tanh(logits / cap) in the precision of the results; undefined without a cap.
    at::Tensor squashed(const at::Tensor &logits) const {
        return soft_cap > 0 ? (logits.to(precision()) / soft_cap).tanh() : at::Tensor();
    }

    /// Logits with cap and temperature.
    at::Tensor scaled(const at::Tensor &logits, const at::Tensor &squashed) const {
        return (squashed.defined() ? squashed * soft_cap : logits.to(precision())) / temperature;
    }
};

/// The kernels trust the targets they are given.
Head checked_head(const rto::HeadQuery &query) {
    Head head{{query.hidden.contiguous(), query.weight.contiguous(), query.targets.contiguous(), query.temperature,
               query.soft_cap, query.chunk_rows}};
    TORCH_CHECK(head.targets.device() == head.hidden.device(), "targets lie elsewhere than the states");
    // Those of a device are looked at where they are used.
    if (!head.is_fused() || head.targets.is_cuda()) return head;
    const auto *ids = head.targets.data_ptr<int64_t>();
    for (int64_t i = 0; i < head.tokens(); i++)
        TORCH_CHECK_INDEX(ids[i] >= 0 && ids[i] < head.weight.size(0), "target ", ids[i], " is not in the vocabulary");
    return head;
}

/// What the forward pass finds for each token: log-probability, entropy where wanted, and softmax's terms.
struct Summary {
    at::Tensor results, largest, log_sums, entropies;
};

/// The plain form, for float64 and other types.
void summarize_plainly(const Head &head, const at::Tensor &logits, int64_t start, const Summary &summary) {
    auto scaled = head.scaled(logits, head.squashed(logits));
    auto largest = std::get<0>(scaled.max(1, true));
    auto distances = scaled - largest, shares = distances.exp(), total = shares.sum(1, true), log_sum = total.log();
    auto chosen = distances.gather(1, head.rows(head.targets, start).unsqueeze(1));
    head.rows(summary.results, start).copy_((chosen - log_sum).squeeze(1));
    head.rows(summary.largest, start).copy_(largest.squeeze(1));
    head.rows(summary.log_sums, start).copy_(log_sum.squeeze(1));
    if (!summary.entropies.defined()) return;
    auto weighted = (shares * distances).masked_fill(shares == 0, 0).sum(1, true);
    head.rows(summary.entropies, start).copy_((log_sum - weighted / total).squeeze(1));
}

void summarize(const Head &head, const at::Tensor &logits, int64_t start, const Summary &summary) {
    if (!head.is_fused()) return summarize_plainly(head, logits, start, summary);
    rto::for_element_type(logits.scalar_type(), [&](auto *type) {
        using scalar = std::remove_pointer_t<decltype(type)>;
        LogitRows<scalar> rows{
            logits.data_ptr<scalar>(),
            head.targets.data_ptr<int64_t>() + start,
            summary.results.data_ptr<float>() + start,
            summary.largest.data_ptr<float>() + start,
            summary.log_sums.data_ptr<float>() + start,
            summary.entropies.defined() ? summary.entropies.data_ptr<float>() + start : nullptr,
            logits.size(1),
            static_cast<float>(1 / head.temperature),
            static_cast<float>(head.soft_cap)};
        if (logits.is_cuda()) {
            bool is_wide = rto::cuda::vector_width(logits.scalar_type(), rows.vocabulary, {rows.logits}) > 1;
            auto name = rto::cuda::kernel_name("summarize_logits", logits.scalar_type(), is_wide);
            return rto::cuda::launch(name, {.x = logits.size(0), .threads = 1024}, logits, rows);
        }
        auto kernel =
            head.soft_cap > 0 ? CHOOSE(summarize_logits<true, scalar>) : CHOOSE(summarize_logits<false, scalar>);
        rto::for_ranges(
            logits.size(0), rto::rows_per_thread(logits.size(1)), [&](int64_t begin, int64_t end) { kernel(rows, begin, end); });
    });
}

/// (onehot - softmax) · upstream / temperature, times the cap's slope 1 - tanh², in the type of the logits, whose memory it may take.
at::Tensor differentiated(
    const Head &head, const at::Tensor &logits, int64_t start, const Summary &summary, const at::Tensor &upstream) {
    if (!head.is_fused()) {
        auto column = [&](const at::Tensor &all) { return head.rows(all, start).unsqueeze(1); };
        auto squashed = head.squashed(logits), share = column(upstream) / head.temperature;
        auto distances = head.scaled(logits, squashed) - column(summary.largest) - column(summary.log_sums);
        auto result = distances.exp_().mul_(share.neg()).scatter_add_(1, column(head.targets), share);
        if (squashed.defined()) result.mul_(1 - squashed.square());
        return result.to(logits.scalar_type());
    }
    rto::for_element_type(logits.scalar_type(), [&](auto *type) {
        using scalar = std::remove_pointer_t<decltype(type)>;
        LogitRowGradients<scalar> rows{
            logits.data_ptr<scalar>(),
            head.targets.data_ptr<int64_t>() + start,
            upstream.data_ptr<float>() + start,
            summary.largest.data_ptr<float>() + start,
            summary.log_sums.data_ptr<float>() + start,
            logits.size(1),
            static_cast<float>(1 / head.temperature),
            static_cast<float>(head.soft_cap)};
        if (logits.is_cuda()) {
            int64_t elements = rto::cuda::vector_width(logits.scalar_type(), rows.vocabulary, {rows.logits});
            rto::cuda::Grid grid{.x = logits.size(0)};
            grid.y = std::min<int64_t>(16, (rows.vocabulary + grid.threads * elements - 1) / (grid.threads * elements));
            auto name = rto::cuda::kernel_name("differentiate_logits", logits.scalar_type(), elements > 1);
            return rto::cuda::launch(name, grid, logits, rows);
        }
        auto kernel =
            head.soft_cap > 0 ? CHOOSE(differentiate_logits<true, scalar>) : CHOOSE(differentiate_logits<false, scalar>);
        rto::for_ranges(
            logits.size(0), rto::rows_per_thread(logits.size(1)), [&](int64_t begin, int64_t end) { kernel(rows, begin, end); });
    });
    return logits;
}

/// One pass over the chunks; the first of them are kept in `kept` as far as `room` bytes reach.
Summary summarized(const Head &head, bool with_entropies, int64_t room, std::vector<at::Tensor> &kept) {
    auto options = head.hidden.options().dtype(head.precision());
    auto column = [&] { return at::empty({head.tokens()}, options); };
    Summary summary{column(), column(), column(), with_entropies ? column() : at::Tensor()};
    at::Tensor buffer;
    for (int64_t start = 0; start < head.tokens(); start += head.chunk_rows) {
        auto logits = head.logits(start, buffer);
        summarize(head, logits, start, summary);
        room -= static_cast<int64_t>(logits.nbytes());
        if (room < 0) continue;
        kept.push_back(logits);
        buffer.reset();
    }
    return summary;
}

struct TokenLogProbabilities : torch::autograd::Function<TokenLogProbabilities> {
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &hidden, const at::Tensor &weight, const at::Tensor &targets,
        double temperature, double soft_cap, int64_t chunk_rows, bool keeps_logits) {
        auto head = checked_head({hidden, weight, targets, temperature, soft_cap, chunk_rows});
        std::vector<at::Tensor> kept;
        auto summary = summarized(head, false, keeps_logits ? KEPT_LOGIT_BYTES : 0, kept);
        context->save_for_backward({head.hidden, head.weight, head.targets, summary.largest, summary.log_sums});
        context->saved_data["temperature"] = temperature;
        context->saved_data["soft_cap"] = soft_cap;
        context->saved_data["chunk_rows"] = chunk_rows;
        context->saved_data["logits"] = kept;
        return summary.results;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        Head head{{saved[0], saved[1], saved[2], context->saved_data["temperature"].toDouble(),
                   context->saved_data["soft_cap"].toDouble(), context->saved_data["chunk_rows"].toInt()}};
        Summary summary{at::Tensor(), saved[3], saved[4], at::Tensor()};
        // Their memory is used up here: a second backward pass computes them again.
        auto kept = context->saved_data["logits"].toTensorVector();
        context->saved_data["logits"] = std::vector<at::Tensor>();
        bool wants_weight = context->needs_input_grad(1);
        auto upstream = gradients[0].contiguous();
        auto hidden_gradient = at::empty_like(head.hidden);
        // Chunks are summed in float32, also under bfloat16.
        auto weight_gradient =
            wants_weight ? at::zeros(head.weight.sizes(), head.weight.options().dtype(head.precision())) : at::Tensor();
        at::Tensor buffer;
        for (int64_t start = 0; start < head.tokens(); start += head.chunk_rows) {
            size_t chunk = start / head.chunk_rows;
            auto logits = chunk < kept.size() ? std::move(kept[chunk]) : head.logits(start, buffer);
            auto slope = differentiated(head, logits, start, summary, upstream);
            rto::product_into(head.rows(hidden_gradient, start), slope, head.weight, false);
            if (wants_weight) rto::product_into(weight_gradient, slope.t(), head.rows(head.hidden, start), start > 0);
        }
        if (wants_weight) weight_gradient = weight_gradient.to(head.weight.scalar_type());
        return {hidden_gradient, weight_gradient, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

}  // namespace

at::Tensor rto::token_log_probabilities(const HeadQuery &query) {
    bool is_differentiated =
        at::GradMode::is_enabled() && (query.hidden.requires_grad() || query.weight.requires_grad());
    return TokenLogProbabilities::apply(
        query.hidden, query.weight, query.targets, query.temperature, query.soft_cap, query.chunk_rows, is_differentiated);
}

std::tuple<at::Tensor, at::Tensor> rto::token_log_probabilities_and_entropies(const HeadQuery &query) {
    at::NoGradGuard no_gradient;
    std::vector<at::Tensor> none;
    auto summary = summarized(checked_head(query), true, 0, none);
    return {summary.results, summary.entropies};
}
