// Passes over one row of logits. Included by EachProcessor.inl.

typedef double Doubles __attribute__((vector_size(8 * LANES)));

/// Logits over the temperature; lanes from `count` on have no probability.
INLINE Floats tempered(const float *logits, int64_t count, float temperature) {
    if (count >= LANES) return load(logits) / temperature;
    float lanes[LANES];
    for (int i = 0; i < LANES; i++) lanes[i] = i < count ? logits[i] : -__builtin_inff();
    return load(lanes) / temperature;
}

/// The largest of logits over the temperature.
static float largest_logit(const float *logits, int64_t count, float temperature) {
    Floats top = broadcast(-__builtin_inff());
    for (int64_t i = 0; i < count; i += LANES) top = larger(tempered(logits + i, count - i, temperature), top);
    return largest(top);
}

/// e^(logit/temperature − largest) of each.
static void exponentials(const float *logits, int64_t count, float temperature, float largest, float *results) {
    for (int64_t i = 0; i < count; i += LANES) {
        Floats weight = exponential(tempered(logits + i, count - i, temperature) - largest);
        if (i + LANES <= count) store(results + i, weight);
        else store_part(results + i, weight, count - i);
    }
}

/// Sums of w = e^x with x = logit/temperature − largest, in float64: of w for every TOKEN_BLOCK tokens, and of w·x over all.
static double sum_exponentials(
    const float *logits, int64_t count, float temperature, float largest, double *block_sums) {
    double weighted = 0;
    for (int64_t begin = 0; begin < count; begin += TOKEN_BLOCK) {
        int64_t end = std::min(count, begin + TOKEN_BLOCK);
        Doubles total = {};
        Floats products = {};
        for (int64_t i = begin; i < end; i += LANES) {
            Floats x = tempered(logits + i, end - i, temperature) - largest;
            Floats weight = exponential(x);
            total += __builtin_convertvector(weight, Doubles);
            // Where the weight is zero the exponent may be infinite.
            products = multiply_add(weight, larger(x, broadcast(-100.0f)), products);
        }
        double block = 0;
        for (int i = 0; i < LANES; i++) block += total[i];
        block_sums[begin / TOKEN_BLOCK] = block;
        weighted += sum(products);
    }
    return weighted;
}
