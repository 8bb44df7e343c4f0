// The C boundary to LibTorch: one table of functions, implemented in LibTorchBridge and opened at run time.
//
// Every tensor, generator and operator is an opaque pointer. A function that can fail returns a status (0 is success) or
// a null pointer, and leaves one sentence in `last_error`. Tensors handed out are owned by the caller, who gives them back
// with `release`; tensors handed in are borrowed.
#ifndef CLIBTORCH_H
#define CLIBTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBTORCH_INTERFACE_VERSION 20

/// Bytes of logits, or of log-probabilities, that a forward pass may keep for its backward pass, which computes the others again.
#define KEPT_LOGIT_BYTES (64 << 20)

#ifndef __clang__
#define _Nonnull
#define _Nullable
#endif

typedef const void *_Nonnull TensorPointer;
typedef const void *_Nullable OptionalTensorPointer;
typedef const void *_Nonnull GeneratorPointer;
typedef const void *_Nonnull OperatorPointer;
typedef const char *_Nonnull CText;
typedef const int64_t *_Nullable IntegerPointer;
typedef TensorPointer (*_Nonnull TensorFunction)(void *_Nonnull context, TensorPointer input);

/// How tokens are chosen from rows of logits; filters come in the order temperature, top-k, top-p.
typedef struct TokenRule {
    double temperature;
    int64_t top_k;  // 0 keeps all
    double top_p;   // 1 keeps all
    bool is_greedy;
    IntegerPointer stop_tokens;  // what a row that may not stop does not choose
    int64_t stop_count;
    int64_t reported_token;  // whose log-probability is wanted too, -1 for none
} TokenRule;

/// A token with the numbers of the distribution at the rule's temperature, without filters.
typedef struct TokenChoice {
    int64_t token;
    float log_probability;
    float entropy;  // in nats
    float reported_log_probability;
} TokenChoice;

/// How queries look at keys: a score is scale · q·k, then cap · tanh(score / cap) where there is a cap.
typedef struct AttentionRule {
    double scale;
    int64_t window;   // the latest keys that a query sees, its own included; 0 for all
    double soft_cap;  // 0 for none
} AttentionRule;

/// A root-mean-square norm of rows: its weight in float32, contiguous.
typedef struct RowNorm {
    TensorPointer weight;
    double epsilon;
    bool adds_one;  // whether 1 + weight stands for the weight
} RowNorm;

/// Where the heads of a new token lie in rows of projections, queries first, and what is done to queries and keys on the way to
/// where they are used: with a norm each head is normalised, and with a table then turned.
typedef struct ProjectedHeads {
    int64_t query_width, key_column, value_column;
    OptionalTensorPointer cosine, sine;  // [rows, 1, turned dimensions]
    const RowNorm *_Nullable query_norm, *_Nullable key_norm;
} ProjectedHeads;

typedef struct LibTorchInterface {
    int32_t version;
    CText (*_Nonnull last_error)(void);
    CText (*_Nonnull torch_version)(void);
    CText (*_Nonnull build_configuration)(void);

    // Operators: push the arguments in the order of the schema, call, pop the results last first. Missing trailing arguments
    // take the schema's defaults.
    const void *_Nullable (*_Nonnull find_operator)(CText name, CText overload);
    void (*_Nonnull push_tensor)(TensorPointer tensor);
    void (*_Nonnull push_tensor_list)(const TensorPointer *_Nullable tensors, int64_t count);
    void (*_Nonnull push_int)(int64_t value);
    void (*_Nonnull push_double)(double value);
    void (*_Nonnull push_bool)(bool value);
    void (*_Nonnull push_int_list)(IntegerPointer values, int64_t count);
    void (*_Nonnull push_string)(CText value);
    void (*_Nonnull push_device)(int32_t type, int32_t index);
    void (*_Nonnull push_generator)(GeneratorPointer generator);
    void (*_Nonnull push_none)(void);
    int32_t (*_Nonnull call_operator)(OperatorPointer op, int32_t argument_count);
    TensorPointer (*_Nonnull pop_tensor)(void);
    int64_t (*_Nonnull pop_tensor_list)(OptionalTensorPointer *_Nullable tensors, int64_t capacity);

    // Tensors.
    TensorPointer (*_Nonnull retain)(TensorPointer tensor);
    void (*_Nonnull release)(TensorPointer tensor);
    OptionalTensorPointer (*_Nonnull tensor_from_bytes)(
        const void *_Nullable bytes, int64_t byte_count, IntegerPointer shape, int32_t rank, int32_t dtype);
    int32_t (*_Nonnull copy_bytes)(TensorPointer tensor, void *_Nullable destination, int64_t byte_count);
    int32_t (*_Nonnull rank)(TensorPointer tensor);
    int64_t (*_Nonnull dimension)(TensorPointer tensor, int32_t axis);
    int32_t (*_Nonnull dtype)(TensorPointer tensor);
    int32_t (*_Nonnull device_type)(TensorPointer tensor);
    int32_t (*_Nonnull device_index)(TensorPointer tensor);

    // Gradients. `checkpoint` runs the body without keeping its graph, and again in the backward pass; it frees the context.
    // The body takes over its input and hands over its result.
    bool (*_Nonnull set_gradient_enabled)(bool enabled);  // returns what it was
    void *_Nonnull (*_Nonnull enter_inference)(void);     // left on the same thread, the last one first
    void (*_Nonnull leave_inference)(void *_Nonnull mode);
    bool (*_Nonnull requires_gradient)(TensorPointer tensor);
    void (*_Nonnull set_requires_gradient)(TensorPointer tensor, bool requires_gradient);
    OptionalTensorPointer (*_Nonnull gradient)(TensorPointer tensor);
    void (*_Nonnull set_gradient)(TensorPointer tensor, OptionalTensorPointer gradient);
    int32_t (*_Nonnull backward)(TensorPointer tensor, OptionalTensorPointer gradient);
    OptionalTensorPointer (*_Nonnull checkpoint)(
        TensorPointer input, TensorFunction body, void *_Nonnull context, void (*_Nonnull destroy)(void *_Nonnull context));

    // Generators of random numbers (Mersenne Twister on the CPU).
    const void *_Nullable (*_Nonnull create_generator)(uint64_t seed);
    void (*_Nonnull release_generator)(GeneratorPointer generator);
    OptionalTensorPointer (*_Nonnull generator_state)(GeneratorPointer generator);
    int32_t (*_Nonnull set_generator_state)(GeneratorPointer generator, TensorPointer state);

    // Memory of large tensors on the CPU: see TensorMemory.h.
    int64_t (*_Nonnull used_memory)(void);
    void (*_Nonnull return_spare_memory)(void);
    bool (*_Nonnull set_huge_pages)(bool are_wanted);  // of the calling thread; returns what it was

    // Threads and devices.
    void (*_Nonnull set_threads)(int32_t count);
    int32_t (*_Nonnull threads)(void);
    int32_t (*_Nonnull open_cuda)(CText library);
    int32_t (*_Nonnull cuda_device_count)(void);
    int32_t (*_Nonnull cuda_capability)(int32_t device);  // 90 for 9.0, 0 where it cannot be told

    // CUDA graphs: see CUDA/Graph.h. The body is called before `record_graph` returns.
    void *_Nullable (*_Nonnull record_graph)(
        int32_t device, void (*_Nonnull body)(void *_Nonnull context), void *_Nonnull context);
    int32_t (*_Nonnull replay_graph)(void *_Nonnull graph);
    void (*_Nonnull release_graph)(void *_Nonnull graph);

    // Hot paths of our own: see HotPaths.h, and CUDA/DeviceSampling.h for `cached_attention`. Segments are triples (start,
    // length, index of the parent or -1).
    OptionalTensorPointer (*_Nonnull ragged_attention)(
        TensorPointer queries, TensorPointer keys, TensorPointer values, IntegerPointer segments, int64_t segment_count,
        const AttentionRule *_Nonnull rule);
    OptionalTensorPointer (*_Nonnull decode_attention)(
        TensorPointer queries, TensorPointer keys, TensorPointer values, TensorPointer key_cache, TensorPointer value_cache,
        IntegerPointer slots, IntegerPointer lengths, const AttentionRule *_Nonnull rule);
    OptionalTensorPointer (*_Nonnull decode_projected)(
        TensorPointer projected, const ProjectedHeads *_Nonnull heads, TensorPointer key_cache, TensorPointer value_cache,
        IntegerPointer slots, IntegerPointer lengths, const AttentionRule *_Nonnull rule);
    OptionalTensorPointer (*_Nonnull cached_attention)(
        TensorPointer queries, TensorPointer keys, TensorPointer values, TensorPointer key_cache, TensorPointer value_cache,
        TensorPointer places, TensorPointer arrivals, const AttentionRule *_Nonnull rule);
    int32_t (*_Nonnull fill_cache)(
        TensorPointer keys, TensorPointer values, TensorPointer key_cache, TensorPointer value_cache, IntegerPointer copies,
        int64_t count);
    int32_t (*_Nonnull choose_tokens)(
        TensorPointer logits, const TokenRule *_Nonnull rule, const double *_Nonnull uniforms, const bool *_Nonnull may_stop,
        TokenChoice *_Nonnull choices);
    OptionalTensorPointer (*_Nonnull token_log_probabilities)(
        TensorPointer hidden, TensorPointer weight, TensorPointer targets, double temperature, double soft_cap,
        int64_t chunk_rows);
    OptionalTensorPointer (*_Nonnull token_log_probabilities_and_entropies)(
        TensorPointer hidden, TensorPointer weight, TensorPointer targets, double temperature, double soft_cap,
        int64_t chunk_rows, OptionalTensorPointer *_Nonnull entropies);
    int32_t (*_Nonnull token_distributions)(
        TensorPointer states, TensorPointer weight, double soft_cap, TensorPointer reference_states,
        TensorPointer reference_weight, double reference_soft_cap, TensorPointer targets, int64_t chunk_rows,
        OptionalTensorPointer *_Nonnull results);  // four
    OptionalTensorPointer (*_Nonnull root_mean_square_norm)(
        TensorPointer input, TensorPointer weight, double epsilon, bool adds_one);
    OptionalTensorPointer (*_Nonnull residual_norm)(
        TensorPointer input, TensorPointer update, TensorPointer weight, double epsilon, bool adds_one,
        OptionalTensorPointer *_Nonnull sum);
    OptionalTensorPointer (*_Nonnull rotary)(TensorPointer input, TensorPointer cosine, TensorPointer sine);
    OptionalTensorPointer (*_Nonnull gated_unit)(TensorPointer gate, TensorPointer up, bool is_gelu);

    // Matrix products of our own: see MatrixProduct.h. Packed weights are opaque.
    OptionalTensorPointer (*_Nonnull linear)(TensorPointer input, TensorPointer weight, OptionalTensorPointer bias);
    OptionalTensorPointer (*_Nonnull pack_weight)(TensorPointer weight);
    OptionalTensorPointer (*_Nonnull packed_linear)(
        TensorPointer input, TensorPointer packed, int64_t outputs, const RowNorm *_Nullable norm);
    int32_t (*_Nonnull add_packed_linear)(TensorPointer target, TensorPointer input, TensorPointer packed);
    OptionalTensorPointer (*_Nonnull packed_gated_unit)(
        TensorPointer input, TensorPointer packed, int64_t width, int64_t up_column, const RowNorm *_Nullable norm, bool is_gelu);
} LibTorchInterface;

/// Opens the bridge library and returns its table, or NULL with one sentence in `error`.
const LibTorchInterface *_Nullable libtorch_open(CText path, char *_Nonnull error, size_t error_capacity);

#endif
