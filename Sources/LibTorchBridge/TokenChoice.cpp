#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "CUDA/DeviceSampling.h"
#include "HotPaths.h"
#include "Parallel.h"
#include "Processor.h"

namespace {
/// Tokens whose probabilities are summed together; a draw looks into one block only.
constexpr int64_t TOKEN_BLOCK = 512;
}  // namespace

#define KERNEL "TokenChoice.inl"
#include "Kernels/EachProcessor.inl"

namespace {

constexpr float INFINITE = std::numeric_limits<float>::infinity();

struct Candidate {
    float weight;
    int64_t token;
    bool operator<(const Candidate &other) const {
        return weight != other.weight ? weight > other.weight : token < other.token;
    }
};

/// What a thread keeps from row to row.
struct Scratch {
    std::vector<float> allowed, weights;
    std::vector<double> block_sums;
    std::vector<Candidate> candidates;
};

/// Sums over one row: w = e^(logit/temperature − largest) of each token.
struct Sums {
    float largest = 0;
    double total = 0, weighted = 0;
};

/// One row of logits with the rule by which a token of it is chosen.
struct Row {
    const float *logits;
    int64_t vocabulary;
    const TokenRule &rule;
    Scratch &scratch;

    float temperature() const { return static_cast<float>(rule.temperature); }

    Sums sums(const float *row) const {
        Sums sums;
        sums.largest = CHOOSE(largest_logit)(row, vocabulary, temperature());
        scratch.block_sums.resize((vocabulary + TOKEN_BLOCK - 1) / TOKEN_BLOCK);
        double *blocks = scratch.block_sums.data();
        sums.weighted = CHOOSE(sum_exponentials)(row, vocabulary, temperature(), sums.largest, blocks);
        for (double block : scratch.block_sums) sums.total += block;
        return sums;
    }

    /// The row with what may not be chosen at −∞.
    const float *allowed(bool may_stop) const {
        bool is_restricted = false;
        for (int64_t i = 0; i < rule.stop_count; i++)
            is_restricted |= rule.stop_tokens[i] >= 0 && rule.stop_tokens[i] < vocabulary;
        if (may_stop || !is_restricted) return logits;
        scratch.allowed.assign(logits, logits + vocabulary);
        for (int64_t i = 0; i < rule.stop_count; i++)
            if (rule.stop_tokens[i] >= 0 && rule.stop_tokens[i] < vocabulary) scratch.allowed[rule.stop_tokens[i]] = -INFINITE;
        return scratch.allowed.data();
    }

    /// The first token at which the sum of the weights exceeds `draw` times their total.
    int64_t invert(const float *row, const Sums &sums, double draw) const {
        double target = draw * sums.total, running = 0;
        size_t block = 0;
        for (; block + 1 < scratch.block_sums.size() && !(running + scratch.block_sums[block] > target); block++)
            running += scratch.block_sums[block];
        // Rounding may put the target at the very end, behind which only zeros may be left.
        while (block > 0 && scratch.block_sums[block] == 0) block--;
        int64_t begin = block * TOKEN_BLOCK, count = std::min(TOKEN_BLOCK, vocabulary - begin), last = 0;
        float weights[TOKEN_BLOCK];
        CHOOSE(exponentials)(row + begin, count, temperature(), sums.largest, weights);
        for (int64_t i = 0; i < count; i++) {
            running += weights[i];
            if (running > target) return begin + i;
            if (weights[i] > 0) last = i;
        }
        return begin + last;  // where rounding lets the block's own sum end a little lower
    }

    /// The tokens that the filters keep, likeliest first; only as many are sorted as the filters can reach.
    void filter(const float *row, const Sums &sums) const {
        int64_t most = rule.top_k > 0 ? std::min(rule.top_k, vocabulary) : vocabulary;
        auto &candidates = scratch.candidates;
        scratch.weights.resize(vocabulary);
        CHOOSE(exponentials)(row, vocabulary, temperature(), sums.largest, scratch.weights.data());
        double found = 0;
        for (float bound = 0.0625f;; bound *= 0.0625f) {
            if (bound < 1e-30f) bound = 0;
            candidates.clear();
            found = 0;
            for (int64_t token = 0; token < vocabulary; token++)
                if (float weight = scratch.weights[token]; weight >= bound) {
                    candidates.push_back({weight, token});
                    found += weight;
                }
            bool is_enough = rule.top_k > 0 ? static_cast<int64_t>(candidates.size()) >= most
                                            : found >= rule.top_p * sums.total;
            if (is_enough || bound == 0) break;
        }
        if (static_cast<int64_t>(candidates.size()) > most) {
            std::nth_element(candidates.begin(), candidates.begin() + most, candidates.end());
            candidates.resize(most);
        }
        std::sort(candidates.begin(), candidates.end());
        if (rule.top_p >= 1) return;
        double whole = sums.total;
        if (rule.top_k > 0) {
            whole = 0;
            for (const auto &candidate : candidates) whole += candidate.weight;
        }
        double before = 0;
        size_t kept = 0;
        while (kept < candidates.size() && (kept == 0 || before < rule.top_p * whole)) before += candidates[kept++].weight;
        candidates.resize(kept);
    }

    int64_t draw(const float *row, const Sums &sums, double uniform) const {
        if (!std::isfinite(sums.total)) return 0;  // logits that are no numbers
        if (rule.is_greedy) {
            for (int64_t token = 0; token < vocabulary; token++)
                if (row[token] / temperature() == sums.largest) return token;
            return 0;
        }
        if (rule.top_k <= 0 && rule.top_p >= 1) return invert(row, sums, uniform);
        filter(row, sums);
        double whole = 0, running = 0;
        for (const auto &candidate : scratch.candidates) whole += candidate.weight;
        for (const auto &candidate : scratch.candidates)
            if ((running += candidate.weight) > uniform * whole) return candidate.token;
        return scratch.candidates.back().token;
    }

    TokenChoice choose(double uniform, bool may_stop) const {
        Sums own = sums(logits), drawn = own;
        const float *row = allowed(may_stop);
        double normalizer = std::log(own.total);
        // A second look where the draw is from another distribution than the one that is reported.
        if (row != logits) drawn = sums(row);
        int64_t token = draw(row, drawn, uniform);
        auto log_probability = [&](int64_t token) {
            return static_cast<float>(double(logits[token] / temperature()) - own.largest - normalizer);
        };
        bool reports = rule.reported_token >= 0 && rule.reported_token < vocabulary;
        return {
            token, log_probability(token), static_cast<float>(normalizer - own.weighted / own.total),
            reports ? log_probability(rule.reported_token) : std::numeric_limits<float>::quiet_NaN()};
    }
};

}  // namespace

void rto::choose_tokens(
    const at::Tensor &logits, const TokenRule &rule, const double *uniforms, const bool *may_stop, TokenChoice *choices) {
    TORCH_CHECK(
        logits.dim() == 2 && logits.scalar_type() == at::kFloat && logits.size(1) > 0,
        "tokens are chosen from float32 logits [rows, vocabulary]");
    if (logits.is_cuda()) return cuda::choose_tokens(logits, rule, uniforms, may_stop, choices);
    auto rows = logits.contiguous();
    int64_t vocabulary = rows.size(1);
    const float *base = rows.data_ptr<float>();
    rto::for_ranges(rows.size(0), std::max<int64_t>(1, 32768 / vocabulary), [&](int64_t begin, int64_t end) {
        static thread_local Scratch scratch;
        for (int64_t row = begin; row < end; row++)
            choices[row] = Row{base + row * vocabulary, vocabulary, rule, scratch}.choose(uniforms[row], may_stop[row]);
    });
}
