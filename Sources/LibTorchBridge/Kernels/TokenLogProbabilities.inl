// Log-softmax of rows of logits at one target each; see TokenLogProbabilities.cpp for the structures.

#include "Rows.inl"

/// The largest of a row; NaN is passed over here and comes back in the sum of exponentials.
template <typename scalar>
INLINE float largest_of(const scalar *row, int64_t width) {
    Floats found = broadcast(-__builtin_inff());
    int64_t i = 0;
    for (; i + LANES <= width; i += LANES) found = larger(load(row + i), found);
    float result = largest(found);
    for (; i < width; i++) result = std::fmax(result, static_cast<float>(row[i]));
    return result;
}

/// How many elements are added up in one vector before they join the total: sums of sums lose less to rounding.
constexpr int64_t block = 64 * LANES;

/// cap · tanh(x / cap).
INLINE Floats capped(Floats x, float cap) { return hyperbolic_tangent(x * (1.0f / cap)) * cap; }

/// The same for one logit.
template <bool has_cap>
INLINE float logit(float x, float cap) {
    return has_cap ? capped(broadcast(x), cap)[0] : x;
}

template <bool has_cap, typename scalar>
void summarize_logits(const LogitRows<scalar> &rows, int64_t begin, int64_t end) {
    float factor = rows.factor, cap = rows.cap;
    for (int64_t row = begin; row < end; row++) {
        const scalar *logits = rows.logits + row * rows.vocabulary;
        float top = logit<has_cap>(largest_of(logits, rows.vocabulary), cap), total = 0, weighted = 0;
        for (int64_t start = 0; start < rows.vocabulary; start += block) {
            Floats sums = {}, products = {};
            for_vectors(start, std::min(rows.vocabulary, start + block), [&](int64_t i, auto extent) {
                Floats x = load(logits + i, extent);
                Floats distance = ((has_cap ? capped(x, cap) : x) - top) * factor;
                Floats share = only(exponential(distance), extent);
                sums += share;
                // A token of probability zero adds nothing, also where its logit is -infinity.
                products += share == 0.0f ? Floats{} : share * distance;
            });
            total += sum(sums);
            weighted += sum(products);
        }
        float target = logit<has_cap>(static_cast<float>(logits[rows.targets[row]]), cap);
        float logarithm = std::log(total), chosen = (target - top) * factor;
        rows.largest[row] = top;
        rows.log_sums[row] = logarithm;
        rows.results[row] = chosen - logarithm;
        if (rows.entropies != nullptr) rows.entropies[row] = logarithm - weighted / total;
    }
}

/// Writes (onehot - softmax)·share·slope over the logits, where slope is 1 - tanh² of a cap.
template <bool has_cap, typename scalar>
void differentiate_logits(const LogitRowGradients<scalar> &rows, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
        scalar *logits = rows.logits + row * rows.vocabulary;
        float top = rows.largest[row], logarithm = rows.log_sums[row], share = rows.upstream[row] * rows.factor;
        int64_t target = rows.targets[row];
        float raw = static_cast<float>(logits[target]), own = logit<has_cap>(raw, rows.cap);
        float chosen = std::exp((own - top) * rows.factor - logarithm);
        for_vectors(0, rows.vocabulary, [&](int64_t i, auto extent) {
            Floats x = load(logits + i, extent), slope = broadcast(1.0f);
            if (has_cap) {
                Floats t = hyperbolic_tangent(x * (1.0f / rows.cap));
                x = t * rows.cap;
                slope -= t * t;
            }
            Floats distance = (x - top) * rows.factor - logarithm;
            store(logits + i, exponential(distance) * -share * slope, extent);
        });
        float slope = has_cap ? 1.0f - own / rows.cap * (own / rows.cap) : 1.0f;
        logits[target] = static_cast<scalar>((1.0f - chosen) * share * slope);
    }
}
