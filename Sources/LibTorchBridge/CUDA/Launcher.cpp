#include "Launcher.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <map>
#include <mutex>
#include <vector>

namespace {

const char *const numbers =
#include "Source/Numbers.inl"
    ;

/// A file of kernels, which is compiled behind `numbers`, and what the names of its kernels start with.
struct File {
    std::vector<std::string> prefixes;
    const char *source;
};

const File files[] = {
    {{"normalize"},
#include "Source/RootMeanSquareNorm.inl"
    },
    {{"rotate_tokens"},
#include "Source/Rotary.inl"
    },
    {{"gate_rows"},
#include "Source/GatedUnit.inl"
    },
    {{"summarize_logits", "differentiate_logits"},
#include "Source/TokenLogProbabilities.inl"
    },
    {{"weigh_tokens", "choose_tokens"},
#include "Source/TokenChoice.inl"
    },
    {{"attend_cached", "fill_cache"},
#include "Source/CachedAttention.inl"
    },
};

/// The file of a kernel.
const File &file_of(const std::string &kernel) {
    for (const auto &file : files)
        for (const auto &prefix : file.prefixes)
            if (kernel.compare(0, prefix.size(), prefix) == 0) return file;
    TORCH_CHECK(false, "no file has the kernel ", kernel);
}

using Status = int;
using Program = void *;
using Module = void *;
using Function = void *;

/// What is used of the run-time compiler and of the driver, both plain C interfaces.
struct Interface {
    void *library;
    Status (*create_program)(Program *, const char *, const char *, int, const char *const *, const char *const *);
    Status (*compile_program)(Program, int, const char *const *);
    Status (*log_size)(Program, size_t *);
    Status (*log)(Program, char *);
    Status (*code_size)(Program, size_t *);
    Status (*code)(Program, char *);
    Status (*destroy_program)(Program *);
    Status (*device_attribute)(int *, int, int);
    Status (*load_module)(Module *, const void *);
    Status (*find_function)(Function *, Module, const char *);
    Status (*launch_kernel)(
        Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **);
    Status (*error_text)(Status, const char **);

    template <typename Pointer>
    void find(Pointer &pointer, const char *name) const {
        pointer = reinterpret_cast<Pointer>(dlsym(library, name));
        TORCH_CHECK(pointer, "the CUDA libraries have no function ", name);
    }

    Interface() {
        // A library of PyTorch's that brings the compiler and the driver with it.
        library = dlopen("libcaffe2_nvrtc.so", RTLD_NOW | RTLD_GLOBAL);
        TORCH_CHECK(library, "CUDA's run-time compiler was not found: ", dlerror());
        find(create_program, "nvrtcCreateProgram");
        find(compile_program, "nvrtcCompileProgram");
        find(log_size, "nvrtcGetProgramLogSize");
        find(log, "nvrtcGetProgramLog");
        find(code_size, "nvrtcGetCUBINSize");
        find(code, "nvrtcGetCUBIN");
        find(destroy_program, "nvrtcDestroyProgram");
        find(device_attribute, "cuDeviceGetAttribute");
        find(load_module, "cuModuleLoadData");
        find(find_function, "cuModuleGetFunction");
        find(launch_kernel, "cuLaunchKernel");
        find(error_text, "cuGetErrorString");
    }

    void check(Status status, const std::string &what) const {
        if (status == 0) return;
        const char *text = nullptr;
        error_text(status, &text);
        TORCH_CHECK(false, what, ": ", text ? text : "unknown error");
    }
};

Interface &interface() {
    static Interface found;
    return found;
}

std::vector<char> compiled(const File &file, int capability) {
    auto &cuda = interface();
    Program program = nullptr;
    auto source = std::string(numbers) + file.source;
    TORCH_CHECK(cuda.create_program(&program, source.c_str(), "rto.cu", 0, nullptr, nullptr) == 0, "CUDA's compiler does not start");
    auto architecture = "--gpu-architecture=sm_" + std::to_string(capability);
    const char *options[] = {architecture.c_str(), "--std=c++17", "--device-as-default-execution-space"};
    Status status = cuda.compile_program(program, 3, options);
    size_t size = 0;
    cuda.log_size(program, &size);
    std::string words(size, ' ');
    cuda.log(program, words.data());
    TORCH_CHECK(status == 0, "the kernels do not compile for compute capability ", capability, ": ", words);
    std::vector<char> code;
    TORCH_CHECK(cuda.code_size(program, &size) == 0, "the compiled kernels have no size");
    code.resize(size);
    TORCH_CHECK(cuda.code(program, code.data()) == 0, "the compiled kernels cannot be read");
    cuda.destroy_program(&program);
    return code;
}

/// The kernels of one device.
struct Kernels {
    int capability;
    std::map<const File *, Module> modules;
    std::map<std::string, Function> functions;

    explicit Kernels(int device) {
        auto &cuda = interface();
        int major = 0, minor = 0;
        constexpr int capability_major = 75, capability_minor = 76;
        cuda.check(cuda.device_attribute(&major, capability_major, device), "the device's capability");
        cuda.check(cuda.device_attribute(&minor, capability_minor, device), "the device's capability");
        capability = 10 * major + minor;
    }

    Function function(const std::string &name) {
        auto &found = functions[name];
        if (found) return found;
        auto &cuda = interface();
        const auto &file = file_of(name);
        auto &module = modules[&file];
        if (!module) {
            auto code = compiled(file, capability);
            cuda.check(cuda.load_module(&module, code.data()), "loading the kernels");
        }
        cuda.check(cuda.find_function(&found, module, name.c_str()), "the kernel " + name);
        return found;
    }
};

/// The kernels of a device; backward passes run on a thread of their own.
std::mutex kernels_mutex;
std::map<int, Kernels> kernels_of_devices;

Kernels &kernels(int device) { return kernels_of_devices.try_emplace(device, device).first->second; }

}  // namespace

int rto::cuda::capability(int device) {
    std::lock_guard<std::mutex> lock(kernels_mutex);
    return kernels(device).capability;
}

void rto::cuda::launch(const std::string &kernel, const Grid &grid, const at::Tensor &place, void *arguments) {
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    auto device = place.device();
    c10::DeviceGuard guard(device);
    c10::impl::VirtualGuardImpl streams(device.type());
    Function function;
    {
        std::lock_guard<std::mutex> lock(kernels_mutex);
        function = kernels(device.index()).function(kernel);
    }
    void *parameters[] = {arguments};
    Status status = interface().launch_kernel(
        function, grid.x, grid.y, grid.z, grid.threads, 1, 1, 0, streams.getStreamNativeHandle(streams.getStream(device)),
        parameters, nullptr);
    interface().check(status, "launching " + kernel);
}

std::string rto::cuda::kernel_name(const char *base, at::ScalarType type, bool is_wide) {
    TORCH_CHECK(type == at::kFloat || type == at::kBFloat16, "a fused kernel takes float32 or bfloat16, not ", type);
    return std::string(base) + (type == at::kFloat ? "_float32" : "_bfloat16") + (is_wide ? "_wide" : "");
}

int64_t rto::cuda::vector_width(
    at::ScalarType type, int64_t width, std::initializer_list<const void *> addresses, std::initializer_list<int64_t> strides) {
    int64_t elements = 16 / static_cast<int64_t>(c10::elementSize(type));
    bool fits = width % elements == 0;
    for (auto *address : addresses) fits = fits && reinterpret_cast<uintptr_t>(address) % 16 == 0;
    for (auto stride : strides) fits = fits && stride % elements == 0;
    return fits ? elements : 1;
}
