// Rows divided by their root mean square and multiplied by a weight; see RootMeanSquareNorm.cpp for the structures.

#include "Rows.inl"

/// The factor of a column: the weight in the type of the rows, or one more than the weight in float32.
template <typename scalar>
INLINE Floats factor(Floats weight, bool adds_one, const scalar *type) {
    return adds_one ? weight + 1.0f : rounded(weight, type);
}

/// A normalised element: rounded where its factor is, else multiplied in float32.
template <typename scalar>
INLINE Floats normed(Floats x, float scale, bool adds_one, const scalar *type) {
    return adds_one ? x * scale : rounded(x * scale, type);
}

template <typename scalar>
void normalize(const NormRows<scalar> &rows, int64_t begin, int64_t end) {
    const scalar *type = nullptr;
    for (int64_t row = begin; row < end; row++) {
        int64_t base = row * rows.width;
        const scalar *input = rows.input + base;
        Floats squares = {};
        if (rows.update != nullptr) {
            const scalar *update = rows.update + base;
            scalar *total = rows.sum + base;
            for_vectors(0, rows.width, [&](int64_t i, auto extent) {
                Floats x = rounded(load(input + i, extent) + load(update + i, extent), type);
                store(total + i, x, extent);
                squares = multiply_add(x, x, squares);
            });
            input = total;
        } else {
            for_vectors(0, rows.width, [&](int64_t i, auto extent) {
                Floats x = load(input + i, extent);
                squares = multiply_add(x, x, squares);
            });
        }
        float scale = 1.0f / std::sqrt(sum(squares) / static_cast<float>(rows.width) + rows.epsilon);
        if (rows.scales != nullptr) rows.scales[row] = scale;
        scalar *output = rows.output + base;
        for_vectors(0, rows.width, [&](int64_t i, auto extent) {
            Floats result = normed(load(input + i, extent), scale, rows.adds_one, type);
            store(output + i, result * factor(load(rows.weight + i, extent), rows.adds_one, type), extent);
        });
    }
}

/// With n = x·s and g = upstream·factor: the input's gradient is s·(g - n·mean(g·n)), the weight's is Σ upstream·n,
/// added to `weight_gradient`.
template <typename scalar>
void normalize_backward(const NormRowGradients<scalar> &rows, int64_t begin, int64_t end, float *weight_gradient) {
    const scalar *type = nullptr;
    for (int64_t row = begin; row < end; row++) {
        int64_t base = row * rows.width;
        const scalar *input = rows.input + base, *upstream = rows.upstream + base;
        float scale = rows.scales[row];
        Floats products = {};
        for_vectors(0, rows.width, [&](int64_t i, auto extent) {
            Floats gradient = load(upstream + i, extent);
            Floats share = gradient * normed(load(input + i, extent), scale, rows.adds_one, type);
            products = multiply_add(share, factor(load(rows.weight + i, extent), rows.adds_one, type), products);
            store(weight_gradient + i, load(weight_gradient + i, extent) + share, extent);
        });
        float mean = sum(products) / static_cast<float>(rows.width);
        for_vectors(0, rows.width, [&](int64_t i, auto extent) {
            Floats gradient = load(upstream + i, extent) * factor(load(rows.weight + i, extent), rows.adds_one, type);
            Floats result = scale * (gradient - load(input + i, extent) * (scale * mean));
            if (rows.sum_upstream != nullptr) result += load(rows.sum_upstream + base + i, extent);
            store(rows.gradient + base + i, result, extent);
        });
    }
}
