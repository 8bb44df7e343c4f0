// The C table of CLibTorch.h: dispatcher, autograd and generators here, hot paths in files of their own.

#include "LibTorchBridge.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/version.h>

#include <string>
#include <unordered_map>

#include "CLibTorch.h"
#include "CUDA/DeviceSampling.h"
#include "CUDA/Graph.h"
#include "CUDA/Launcher.h"
#include "Checkpoint.h"
#include "Handles.h"
#include "HotPaths.h"
#include "LayerHandles.h"
#include "TensorMemory.h"

using namespace rto::handles;

namespace {

thread_local torch::jit::Stack stack;

const at::Generator &generator(const void *handle) { return *static_cast<const at::Generator *>(handle); }

// MARK: Operators

const void *find_operator(const char *name, const char *overload) {
    return guarded<const void *>(nullptr, [&]() -> const void * {
        auto found = c10::Dispatcher::singleton().findSchema({name, overload});
        TORCH_CHECK(found.has_value(), "LibTorch has no operator ", name, ".", overload);
        return new c10::OperatorHandle(*found);  // lives as long as the process: operators are looked up once
    });
}

void push_tensor(const void *tensor) { stack.emplace_back(borrow(tensor)); }

void push_tensor_list(const void *const *tensors, int64_t count) {
    c10::List<at::Tensor> list;
    list.reserve(count);
    for (int64_t i = 0; i < count; i++) list.push_back(borrow(tensors[i]));
    stack.emplace_back(std::move(list));
}

void push_int(int64_t value) { stack.emplace_back(value); }
void push_double(double value) { stack.emplace_back(value); }
void push_bool(bool value) { stack.emplace_back(value); }
void push_string(const char *value) { stack.emplace_back(std::string(value)); }
void push_none() { stack.emplace_back(); }
void push_generator(const void *handle) { stack.emplace_back(generator(handle)); }

void push_int_list(const int64_t *values, int64_t count) {
    c10::List<int64_t> list;
    list.reserve(count);
    for (int64_t i = 0; i < count; i++) list.push_back(values[i]);
    stack.emplace_back(std::move(list));
}

c10::Device device(int32_t type, int32_t index) {
    return {static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index)};
}

void push_device(int32_t type, int32_t index) { stack.emplace_back(device(type, index)); }

int32_t call_operator(const void *op, int32_t argument_count) {
    const auto &handle = *static_cast<const c10::OperatorHandle *>(op);
    int32_t status = guarded<int32_t>(1, [&] {
        const auto &arguments = handle.schema().arguments();
        for (size_t i = argument_count; i < arguments.size(); i++) {
            const auto &fallback = arguments[i].default_value();
            TORCH_CHECK(fallback.has_value(), "argument '", arguments[i].name(), "' is missing");
            stack.push_back(*fallback);
        }
        handle.callBoxed(stack);
        return 0;
    });
    if (status != 0) stack.clear();
    return status;
}

const void *pop_tensor() {
    at::Tensor tensor = std::move(stack.back()).toTensor();
    stack.pop_back();
    return give(std::move(tensor));
}

int64_t pop_tensor_list(const void **tensors, int64_t capacity) {
    auto list = std::move(stack.back()).toTensorVector();
    stack.pop_back();
    for (int64_t i = 0; i < std::min<int64_t>(capacity, list.size()); i++) tensors[i] = give(std::move(list[i]));
    return list.size();
}

// MARK: Tensors

const void *retain(const void *tensor) { return give(borrow(tensor)); }

void release(const void *tensor) {
    c10::intrusive_ptr<c10::TensorImpl>::reclaim(implementation(tensor));
}

const void *tensor_from_bytes(
    const void *bytes, int64_t byte_count, const int64_t *shape, int32_t rank, int32_t dtype) {
    return guarded<const void *>(nullptr, [&] {
        auto tensor = at::empty({shape, static_cast<size_t>(rank)}, static_cast<c10::ScalarType>(dtype));
        TORCH_CHECK(
            static_cast<int64_t>(tensor.nbytes()) == byte_count, "the shape asks for ", tensor.nbytes(), " bytes, given are ",
            byte_count);
        if (byte_count > 0) std::memcpy(tensor.data_ptr(), bytes, byte_count);
        return give(std::move(tensor));
    });
}

int32_t copy_bytes(const void *handle, void *destination, int64_t byte_count) {
    return guarded<int32_t>(1, [&] {
        auto tensor = borrow(handle).detach().cpu().contiguous();
        TORCH_CHECK(
            static_cast<int64_t>(tensor.nbytes()) == byte_count, "the tensor holds ", tensor.nbytes(), " bytes, asked for are ",
            byte_count);
        if (byte_count > 0) std::memcpy(destination, tensor.data_ptr(), byte_count);
        return 0;
    });
}

int32_t rank(const void *tensor) { return implementation(tensor)->dim(); }
int64_t dimension(const void *tensor, int32_t axis) { return implementation(tensor)->size(axis); }
int32_t dtype(const void *tensor) { return static_cast<int32_t>(borrow(tensor).scalar_type()); }
int32_t device_type(const void *tensor) { return static_cast<int32_t>(implementation(tensor)->device().type()); }
int32_t device_index(const void *tensor) { return implementation(tensor)->device().index(); }

// MARK: Gradients

bool set_gradient_enabled(bool enabled) {
    bool before = at::GradMode::is_enabled();
    at::GradMode::set_enabled(enabled);
    return before;
}

bool requires_gradient(const void *tensor) { return borrow(tensor).requires_grad(); }

void set_requires_gradient(const void *tensor, bool requires_grad) { borrow(tensor).set_requires_grad(requires_grad); }

const void *gradient(const void *tensor) {
    auto gradient = borrow(tensor).grad();
    return gradient.defined() ? give(std::move(gradient)) : nullptr;
}

void set_gradient(const void *tensor, const void *value) {
    borrow(tensor).mutable_grad() = value ? borrow(value) : at::Tensor();
}

int32_t backward(const void *tensor, const void *seed) {
    return guarded<int32_t>(1, [&] {
        torch::autograd::backward({borrow(tensor)}, {seed ? borrow(seed) : at::Tensor()});
        return 0;
    });
}

const void *checkpoint(
    const void *input, const void *(*body)(void *, const void *), void *context, void (*destroy)(void *)) {
    return guarded<const void *>(nullptr, [&] { return give(rto::checkpoint(borrow(input), body, context, destroy)); });
}

// MARK: Generators

const void *create_generator(uint64_t seed) {
    return guarded<const void *>(nullptr, [&] { return new at::Generator(at::detail::createCPUGenerator(seed)); });
}

void release_generator(const void *handle) { delete static_cast<const at::Generator *>(handle); }

const void *generator_state(const void *handle) {
    return guarded<const void *>(nullptr, [&] { return give(generator(handle).get_state()); });
}

int32_t set_generator_state(const void *handle, const void *state) {
    return guarded<int32_t>(1, [&] {
        auto target = generator(handle);
        target.set_state(borrow(state));
        return 0;
    });
}

// MARK: Threads and devices

int32_t open_cuda(const char *library) {
    if (!dlopen(library, RTLD_NOW | RTLD_GLOBAL)) {
        remember(dlerror());
        return 1;
    }
    return guarded<int32_t>(1, [&] {
        at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
        return 0;
    });
}

int32_t cuda_device_count() {
    return guarded<int32_t>(0, [&]() -> int32_t { return at::detail::getCUDAHooks().deviceCount(); });
}

int32_t cuda_capability(int32_t device) {
    return guarded<int32_t>(0, [&]() -> int32_t { return rto::cuda::capability(device); });
}

void *record_graph(int32_t device, void (*body)(void *), void *context) {
    return guarded<void *>(nullptr, [&] { return rto::cuda::record(device, body, context); });
}

int32_t replay_graph(void *graph) {
    return guarded<int32_t>(1, [&] { return rto::cuda::replay(static_cast<rto::cuda::Graph *>(graph)), 0; });
}

void release_graph(void *graph) { rto::cuda::destroy(static_cast<rto::cuda::Graph *>(graph)); }

// MARK: Hot paths

const void *ragged_attention(
    const void *queries, const void *keys, const void *values, const int64_t *segments, int64_t count,
    const AttentionRule *rule) {
    return guarded<const void *>(nullptr, [&] {
        return give(rto::ragged_attention(borrow(queries), borrow(keys), borrow(values), {segments, segments + 3 * count}, *rule));
    });
}

const void *cached_attention(
    const void *queries, const void *keys, const void *values, const void *key_cache, const void *value_cache,
    const void *places, const void *arrivals, const AttentionRule *rule) {
    return guarded<const void *>(nullptr, [&] {
        return give(rto::cuda::cached_attention(
            borrow(queries), borrow(keys), borrow(values), borrow(key_cache), borrow(value_cache), borrow(places),
            borrow(arrivals), *rule));
    });
}

int32_t fill_cache(
    const void *keys, const void *values, const void *key_cache, const void *value_cache, const int64_t *copies,
    int64_t count) {
    return guarded<int32_t>(1, [&] {
        rto::fill_cache(borrow(keys), borrow(values), borrow(key_cache), borrow(value_cache), copies, count);
        return 0;
    });
}

int32_t choose_tokens(
    const void *logits, const TokenRule *rule, const double *uniforms, const bool *may_stop, TokenChoice *choices) {
    return guarded<int32_t>(1, [&] {
        rto::choose_tokens(borrow(logits), *rule, uniforms, may_stop, choices);
        return 0;
    });
}

const void *token_log_probabilities(
    const void *hidden, const void *weight, const void *targets, double temperature, double soft_cap, int64_t chunk_rows) {
    return guarded<const void *>(nullptr, [&] {
        return give(rto::token_log_probabilities(
            {borrow(hidden), borrow(weight), borrow(targets), temperature, soft_cap, chunk_rows}));
    });
}

const void *token_log_probabilities_and_entropies(
    const void *hidden, const void *weight, const void *targets, double temperature, double soft_cap, int64_t chunk_rows,
    const void **entropies) {
    return guarded<const void *>(nullptr, [&] {
        auto [values, spread] = rto::token_log_probabilities_and_entropies(
            {borrow(hidden), borrow(weight), borrow(targets), temperature, soft_cap, chunk_rows});
        *entropies = give(std::move(spread));
        return give(std::move(values));
    });
}

const LibTorchInterface table = {
    .version = LIBTORCH_INTERFACE_VERSION,
    .last_error = [] { return last_error_message.c_str(); },
    .torch_version = [] { return TORCH_VERSION; },
    .build_configuration = [] {
        static const std::string text = at::show_config();
        return text.c_str();
    },
    .find_operator = find_operator,
    .push_tensor = push_tensor,
    .push_tensor_list = push_tensor_list,
    .push_int = push_int,
    .push_double = push_double,
    .push_bool = push_bool,
    .push_int_list = push_int_list,
    .push_string = push_string,
    .push_device = push_device,
    .push_generator = push_generator,
    .push_none = push_none,
    .call_operator = call_operator,
    .pop_tensor = pop_tensor,
    .pop_tensor_list = pop_tensor_list,
    .retain = retain,
    .release = release,
    .tensor_from_bytes = tensor_from_bytes,
    .copy_bytes = copy_bytes,
    .rank = rank,
    .dimension = dimension,
    .dtype = dtype,
    .device_type = device_type,
    .device_index = device_index,
    .set_gradient_enabled = set_gradient_enabled,
    .enter_inference = []() -> void * { return new c10::InferenceMode(true); },
    .leave_inference = [](void *mode) { delete static_cast<c10::InferenceMode *>(mode); },
    .requires_gradient = requires_gradient,
    .set_requires_gradient = set_requires_gradient,
    .gradient = gradient,
    .set_gradient = set_gradient,
    .backward = backward,
    .checkpoint = checkpoint,
    .create_generator = create_generator,
    .release_generator = release_generator,
    .generator_state = generator_state,
    .set_generator_state = set_generator_state,
    .used_memory = rto::used_memory,
    .return_spare_memory = rto::return_spare_memory,
    .set_huge_pages = rto::set_huge_pages,
    .set_threads = [](int32_t count) { at::set_num_threads(count); },
    .threads = [] { return static_cast<int32_t>(at::get_num_threads()); },
    .open_cuda = open_cuda,
    .cuda_device_count = cuda_device_count,
    .cuda_capability = cuda_capability,
    .record_graph = record_graph,
    .replay_graph = replay_graph,
    .release_graph = release_graph,
    .ragged_attention = ragged_attention,
    .decode_attention = rto::handles::decode_attention,
    .decode_projected = rto::handles::decode_projected,
    .cached_attention = cached_attention,
    .fill_cache = fill_cache,
    .choose_tokens = choose_tokens,
    .token_log_probabilities = token_log_probabilities,
    .token_log_probabilities_and_entropies = token_log_probabilities_and_entropies,
    .token_distributions = rto::token_distributions,
    .root_mean_square_norm = rto::handles::root_mean_square_norm,
    .residual_norm = rto::handles::residual_norm,
    .rotary = rto::handles::rotary,
    .gated_unit = rto::handles::gated_unit,
    .linear = rto::handles::linear,
    .pack_weight = rto::handles::pack_weight,
    .packed_linear = rto::handles::packed_linear,
    .add_packed_linear = rto::handles::add_packed_linear,
    .packed_gated_unit = rto::handles::packed_gated_unit,
};

}  // namespace

extern "C" const LibTorchInterface *libtorch_interface(void) {
    rto::install_tensor_memory();
    return &table;
}
