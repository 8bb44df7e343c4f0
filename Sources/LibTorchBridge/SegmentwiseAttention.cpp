#include <torch/csrc/autograd/custom_function.h>

#include <limits>

#include "SegmentwiseAttention.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Segment {
    int64_t start, length, parent;
};

std::vector<Segment> parse(const std::vector<int64_t> &triples) {
    std::vector<Segment> segments;
    for (size_t i = 0; i + 2 < triples.size(); i += 3) segments.push_back({triples[i], triples[i + 1], triples[i + 2]});
    return segments;
}

/// Rows of a segment as [key-value heads, group, length, dimension]: a group of query heads shares one key-value head,
/// so that keys are broadcast along `group` with stride zero instead of being repeated.
at::Tensor query_view(const at::Tensor &flat, const Segment &segment, int64_t key_value_heads) {
    auto rows = flat.narrow(0, segment.start, segment.length);
    return rows.view({segment.length, key_value_heads, flat.size(1) / key_value_heads, flat.size(2)}).permute({1, 2, 0, 3});
}

at::Tensor key_view(const at::Tensor &flat, const Segment &segment, int64_t group) {
    auto rows = flat.narrow(0, segment.start, segment.length).permute({1, 0, 2}).unsqueeze(1);
    return rows.expand({rows.size(0), group, rows.size(2), rows.size(3)});
}

std::tuple<at::Tensor, at::Tensor> flash(
    const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, bool causal, double scale) {
    return at::_scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, causal, {}, scale);
}

/// One autograd node for all segments, LibTorch's flash kernel for each. Attention to a parent is merged with attention to oneself by their log-sum-exps;
/// given the merged output and log-sum-exp, the backward kernel of each part yields exactly its share of the gradients.
struct SegmentwiseAttention : torch::autograd::Function<SegmentwiseAttention> {
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values,
        const std::vector<int64_t> &triples, double scale) {
        auto q = queries.contiguous(), k = keys.contiguous(), v = values.contiguous();
        auto output = at::empty_like(q);
        auto segments = parse(triples);
        int64_t heads = k.size(1), group = q.size(1) / heads;
        // [key-value heads, group, tokens]: the log-sum-exp of every query
        auto sums = at::empty({heads, group, q.size(0)}, q.options().dtype(q.scalar_type() == at::kDouble ? at::kDouble : at::kFloat));
        for (const auto &segment : segments) {
            if (segment.length == 0) continue;
            auto rows = query_view(q, segment, heads);
            auto [own, own_sum] = flash(rows, key_view(k, segment, group), key_view(v, segment, group), true, scale);
            auto target = query_view(output, segment, heads);
            auto target_sum = sums.narrow(2, segment.start, segment.length);
            if (segment.parent < 0 || segments[segment.parent].length == 0) {
                target.copy_(own);
                target_sum.copy_(own_sum);
                continue;
            }
            const auto &parent = segments[segment.parent];
            auto [prefix, prefix_sum] = flash(rows, key_view(k, parent, group), key_view(v, parent, group), false, scale);
            auto total = at::logaddexp(own_sum, prefix_sum);
            target.copy_(own * (own_sum - total).exp().unsqueeze(3) + prefix * (prefix_sum - total).exp().unsqueeze(3));
            target_sum.copy_(total);
        }
        context->save_for_backward({q, k, v, output, sums});
        context->saved_data["segments"] = triples;
        context->saved_data["scale"] = scale;
        return output;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const auto &q = saved[0], &k = saved[1], &v = saved[2], &output = saved[3], &sums = saved[4];
        auto segments = parse(context->saved_data["segments"].toIntVector());
        double scale = context->saved_data["scale"].toDouble();
        auto upstream = gradients[0].contiguous();
        int64_t heads = k.size(1), group = q.size(1) / heads;
        auto q_gradient = at::zeros_like(q), k_gradient = at::zeros_like(k), v_gradient = at::zeros_like(v);
        for (const auto &segment : segments) {
            if (segment.length == 0) continue;
            auto part = [&](const Segment &source, bool causal) {
                auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
                    query_view(upstream, segment, heads), query_view(q, segment, heads), key_view(k, source, group),
                    key_view(v, source, group), query_view(output, segment, heads),
                    sums.narrow(2, segment.start, segment.length), 0.0, causal, {}, scale);
                query_view(q_gradient, segment, heads).add_(dq);
                k_gradient.narrow(0, source.start, source.length).add_(dk.sum(1).permute({1, 0, 2}));
                v_gradient.narrow(0, source.start, source.length).add_(dv.sum(1).permute({1, 0, 2}));
            };
            part(segment, true);
            if (segment.parent >= 0 && segments[segment.parent].length > 0) part(segments[segment.parent], false);
        }
        return {q_gradient, k_gradient, v_gradient, at::Tensor(), at::Tensor()};
    }
};

}  // namespace

at::Tensor rto::segmentwise_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, std::vector<int64_t> segments, double scale) {
    return SegmentwiseAttention::apply(queries, keys, values, segments, scale);
}
