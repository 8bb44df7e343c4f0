#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>

#include "HotPaths.h"
#include "Parallel.h"
#include "Processor.h"
#include "RaggedPlan.h"
#include "SegmentwiseAttention.h"

namespace {

using namespace rto::ragged;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// [tokens, heads, dimension] with adjacent elements of a head.
template <typename scalar>
struct Rows {
    scalar *data;
    int64_t token_stride, head_stride;
};

/// What all slices of a pass share; the backward pass fills in the last line.
template <typename scalar>
struct Call {
    Rows<const scalar> queries, keys, values;
    int64_t dimension, heads, key_value_heads, group, window;
    /// The soft cap is zero for none.
    float scale, soft_cap;
    /// [tokens, heads, dimension], and the softmax statistics [tokens, heads]: largest exponent of two, reciprocal of the sum.
    scalar *output;
    float *largest, *reciprocals;
    Rows<const scalar> upstream;
    scalar *query_gradient, *key_gradient, *value_gradient;
};

}  // namespace

#define KERNEL "RaggedAttention.inl"
#include "Kernels/EachProcessor.inl"

namespace {

/// Fewer scores than this in all are not worth a second thread.
constexpr int64_t SERIAL_COST = 1 << 13;

template <typename scalar>
Rows<const scalar> rows(const at::Tensor &tensor) {
    return {tensor.data_ptr<scalar>(), tensor.stride(0), tensor.stride(1)};
}

/// Calls `work(slice, head, scratch)` for each slice and key-value head, the costliest first, each thread taking the next one
/// when done. Which thread takes which makes no difference to results.
template <typename Work>
void for_slices(const Plan &plan, int64_t heads, int64_t dimension, const Work &work) {
    std::vector<int64_t> order(plan.slices.size() * heads);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return plan.slices[a / heads].cost > plan.slices[b / heads].cost;
    });
    int64_t total = 0, count = static_cast<int64_t>(order.size());
    for (const auto &slice : plan.slices) total += slice.cost * heads;
    int64_t parts = total < SERIAL_COST ? std::min<int64_t>(count, 1) : std::min(count, rto::thread_count());
    auto scratch = at::empty({parts, rounded_up(CHOOSE(scratch_floats)(plan.most_rows, dimension), 16)}, at::kFloat);
    float *memory = scratch.data_ptr<float>();
    int64_t stride = scratch.size(1);
    std::atomic<int64_t> next(0);
    rto::in_parallel(parts, [&](int64_t part) {
        for (int64_t i = next++; i < count; i = next++) work(order[i] / heads, order[i] % heads, memory + part * stride);
    });
}

template <typename scalar>
void attend(const Plan &plan, const Call<scalar> &call) {
    auto *kernel = CHOOSE(attend_slice<scalar>);
    for_slices(plan, call.key_value_heads, call.dimension, [&](int64_t slice, int64_t head, float *scratch) {
        kernel(call, plan.slices[slice], head, scratch);
    });
}

/// Writes the gradients of a family's keys and values in one head: `sums` of its slices, added in their order.
template <typename scalar>
void finish(const Plan &plan, const Call<scalar> &call, const Family &family, int64_t head, float *const *sums) {
    auto *kernel = CHOOSE(finish_row<scalar>);
    for (size_t i = 0; i < family.runs.size(); i++)
        for (int64_t j = 0; j < family.runs[i].length; j++) {
            float *seeing[MOST_SLICES];
            int64_t found = 0;
            for (int64_t n = 0; n < family.slice_count; n++)
                if (plan.slices[family.first_slice + n].keys_used(static_cast<int64_t>(i)) > j) seeing[found++] = sums[n];
            kernel(call, seeing, found, family.rows, family.runs[i].row + j, family.runs[i].start + j, head);
        }
}

/// Where the slices of families that have several keep their sums, for each head, until all are done.
struct KeptSums {
    at::Tensor memory;
    /// For each slice, in floats; -1 if it is its family's only one.
    std::vector<int64_t> places;
    int64_t width;

    KeptSums(const Plan &plan, int64_t heads, int64_t width) : width(width) {
        int64_t total = 0;
        for (const auto &family : plan.families)
            for (int64_t n = 0; n < family.slice_count; n++) {
                places.push_back(family.slice_count > 1 ? total : -1);
                if (family.slice_count > 1) total += heads * 2 * family.rows * width;
            }
        memory = at::empty({total}, at::kFloat);
    }

    float *operator()(const Plan &plan, int64_t slice, int64_t head) const {
        if (places[slice] < 0) return nullptr;
        return memory.data_ptr<float>() + places[slice] + head * 2 * plan.slices[slice].rows * width;
    }
};

template <typename scalar>
void differentiate(const Plan &plan, const Call<scalar> &call) {
    auto *kernel = CHOOSE(differentiate_slice<scalar>);
    int64_t heads = call.key_value_heads;
    KeptSums kept(plan, heads, CHOOSE(padded_width)(call.dimension));
    for_slices(plan, heads, call.dimension, [&](int64_t slice, int64_t head, float *scratch) {
        float *sums = kernel(call, plan.slices[slice], head, scratch, kept(plan, slice, head));
        if (kept.places[slice] < 0) finish(plan, call, plan.families[plan.slices[slice].family], head, &sums);
    });
    for (const auto &family : plan.families) {
        if (family.slice_count <= 1) continue;
        rto::for_ranges(heads, 1, [&](int64_t begin, int64_t end) {
            for (int64_t head = begin; head < end; head++) {
                float *sums[MOST_SLICES];
                for (int64_t n = 0; n < family.slice_count; n++) sums[n] = kept(plan, family.first_slice + n, head);
                finish(plan, call, family, head, sums);
            }
        });
    }
}

template <typename scalar>
Call<scalar> prepared(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, const at::Tensor &output,
    const at::Tensor &statistics, const AttentionRule &rule) {
    float *largest = statistics.data_ptr<float>();
    return {rows<scalar>(queries), rows<scalar>(keys), rows<scalar>(values), queries.size(2), queries.size(1), keys.size(1),
            queries.size(1) / keys.size(1), rule.window, static_cast<float>(rule.scale), static_cast<float>(rule.soft_cap), output.data_ptr<scalar>(), largest,
            largest + queries.size(0) * queries.size(1), {}, nullptr, nullptr, nullptr};
}

/// The tensor itself if the elements of a head are adjacent: a part of a fused projection is read where it is.
at::Tensor readable(const at::Tensor &tensor) { return tensor.stride(2) == 1 ? tensor : tensor.contiguous(); }

/// `kernel(float())` or `kernel(BFloat16())`, by the tensor's type.
template <typename Kernel>
void for_type(const at::Tensor &tensor, const Kernel &kernel) {
    tensor.scalar_type() == at::kFloat ? kernel(float()) : kernel(c10::BFloat16());
}

/// One autograd node for all segments. Saves the softmax statistics, from which the backward pass computes the weights again.
struct RaggedAttention : torch::autograd::Function<RaggedAttention> {
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values,
        const std::vector<int64_t> &triples, double scale, int64_t window, double soft_cap) {
        auto q = readable(queries), k = readable(keys), v = readable(values);
        AttentionRule rule{scale, window, soft_cap};
        Plan plan(triples, q.size(0), q.size(1) / k.size(1), window);
        auto output = plan.covers_all ? at::empty(q.sizes(), q.options()) : at::zeros(q.sizes(), q.options());
        auto statistics = at::empty({2, q.size(0), q.size(1)}, q.options().dtype(at::kFloat));
        for_type(q, [&](auto zero) { attend(plan, prepared<decltype(zero)>(q, k, v, output, statistics, rule)); });
        context->save_for_backward({q, k, v, output, statistics});
        context->saved_data["segments"] = triples;
        context->saved_data["scale"] = scale;
        context->saved_data["window"] = window;
        context->saved_data["soft_cap"] = soft_cap;
        return output;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const auto &q = saved[0], &k = saved[1], &v = saved[2];
        auto upstream = readable(gradients[0]);
        AttentionRule rule{
            context->saved_data["scale"].toDouble(), context->saved_data["window"].toInt(),
            context->saved_data["soft_cap"].toDouble()};
        Plan plan(context->saved_data["segments"].toIntVector(), q.size(0), q.size(1) / k.size(1), rule.window);
        auto gradient = [&](const at::Tensor &of) {
            return plan.covers_all ? at::empty(of.sizes(), of.options()) : at::zeros(of.sizes(), of.options());
        };
        auto q_gradient = gradient(q), k_gradient = gradient(k), v_gradient = gradient(v);
        for_type(q, [&](auto zero) {
            using scalar = decltype(zero);
            auto call = prepared<scalar>(q, k, v, saved[3], saved[4], rule);
            call.upstream = rows<scalar>(upstream);
            call.query_gradient = q_gradient.template data_ptr<scalar>();
            call.key_gradient = k_gradient.template data_ptr<scalar>();
            call.value_gradient = v_gradient.template data_ptr<scalar>();
            differentiate(plan, call);
        });
        return {q_gradient, k_gradient, v_gradient, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

bool taken(const at::Tensor &tensor) { return tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16; }

}  // namespace

at::Tensor rto::ragged_attention(
    const at::Tensor &queries, const at::Tensor &keys, const at::Tensor &values, std::vector<int64_t> segments,
    const AttentionRule &rule) {
    if (taken(queries)) {
        int64_t window = rule.window > 0 ? std::min(rule.window, NO_WINDOW) : NO_WINDOW;
        return RaggedAttention::apply(queries, keys, values, segments, rule.scale, window, rule.soft_cap);
    }
    TORCH_CHECK(rule.window == 0 && rule.soft_cap == 0, "windows and soft caps take float32 or bfloat16");
    return segmentwise_attention(queries, keys, values, segments, rule.scale);
}
