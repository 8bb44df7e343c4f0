// Kernels of our own on an NVIDIA device: their source is compiled for the card at hand when one of a file is first launched, with
// the run-time compiler that a CUDA build of PyTorch brings. No header of CUDA is needed to build, and nothing is linked.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

namespace rto::cuda {

/// How many blocks and threads run a kernel.
struct Grid {
    int64_t x = 1, y = 1, z = 1;
    int64_t threads = 256;
};

/// Threads that take a row of a width between them, each so many elements at a time.
inline int64_t threads_for(int64_t width, int64_t elements) {
    int64_t threads = (width / std::max<int64_t>(1, elements) + 31) / 32 * 32;
    return std::clamp<int64_t>(threads, 32, 1024);
}

/// Runs a kernel of `Source/` on the device and the current stream of a tensor's device. Every kernel takes one structure by
/// value, which must be laid out alike here and there. Throws where there is no compiler or the launch fails.
void launch(const std::string &kernel, const Grid &grid, const at::Tensor &place, void *arguments);

template <typename Arguments>
void launch(const std::string &kernel, const Grid &grid, const at::Tensor &place, Arguments arguments) {
    launch(kernel, grid, place, static_cast<void *>(&arguments));
}

/// The compute capability of a device, 90 for 9.0.
int capability(int device);

/// The name of a kernel for an element type: float32 or bfloat16, in vectors of 16 bytes or element by element.
std::string kernel_name(const char *base, at::ScalarType type, bool is_wide);

/// Elements in 16 bytes where rows of a width can be read so from all these addresses and strides, else 1.
int64_t vector_width(
    at::ScalarType type, int64_t width, std::initializer_list<const void *> addresses,
    std::initializer_list<int64_t> strides = {});

}  // namespace rto::cuda
