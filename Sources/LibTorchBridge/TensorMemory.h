// The memory of large tensors on the CPU.
#pragma once

#include <cstdint>

namespace rto {

/// Has LibTorch take the memory of tensors from here, once for the process.
void install_tensor_memory();

/// Bytes of the pages that tensors use now.
int64_t used_memory();

/// Whether large tensors of this thread are made of huge pages from now on; returns whether they were.
bool set_huge_pages(bool are_wanted);

/// Gives pages that no tensor uses back to the system.
void return_spare_memory();

}  // namespace rto
