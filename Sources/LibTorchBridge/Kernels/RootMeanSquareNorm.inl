// Rows divided by their root mean square and multiplied by a weight; see RootMeanSquareNorm.cpp for the structures.

#include "Rows.inl"

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
        rows.scales[row] = scale;
        scalar *output = rows.output + base;
        for_vectors(0, rows.width, [&](int64_t i, auto extent) {
            Floats normed = rounded(load(input + i, extent) * scale, type);
            store(output + i, normed * rounded(load(rows.weight + i, extent), type), extent);
        });
    }
}

/// With n = x·s and g = upstream·weight: the input's gradient is s·(g - n·mean(g·n)), the weight's is Σ upstream·n,
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
            Floats gradient = load(upstream + i, extent), normed = rounded(load(input + i, extent) * scale, type);
            Floats share = gradient * normed;
            products = multiply_add(share, rounded(load(rows.weight + i, extent), type), products);
            store(weight_gradient + i, load(weight_gradient + i, extent) + share, extent);
        });
        float mean = sum(products) / static_cast<float>(rows.width);
        for_vectors(0, rows.width, [&](int64_t i, auto extent) {
            Floats gradient = load(upstream + i, extent) * rounded(load(rows.weight + i, extent), type);
            Floats result = scale * (gradient - load(input + i, extent) * (scale * mean));
            if (rows.sum_upstream != nullptr) result += load(rows.sum_upstream + base + i, extent);
            store(rows.gradient + base + i, result, extent);
        });
    }
}
