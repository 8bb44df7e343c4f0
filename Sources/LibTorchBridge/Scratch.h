// Memory that a thread works with and keeps.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace rto {

/// What a thread's memory is for: one use does not disturb another. A kernel works in its own, which packed rows share; rows that
/// are made ready for a kernel have theirs, and so has a tile of results that are not final.
enum class ScratchUse { kernel, rows, tile };

/// Room for `count` floats of the calling thread, aligned to 64 bytes: allocates only where more is asked for than ever
/// before. What was in it is lost with the next call for the same use. Where there is no memory, a parallel region ends the process.
template <ScratchUse use = ScratchUse::kernel>
inline float *thread_scratch(int64_t count) {
    thread_local std::unique_ptr<float[], decltype(&std::free)> memory(nullptr, &std::free);
    thread_local int64_t capacity = 0;
    if (count > capacity) {
        memory.reset(static_cast<float *>(std::aligned_alloc(64, (count * 4 + 63) / 64 * 64)));
        if (memory == nullptr) throw std::bad_alloc();
        capacity = count;
    }
    return memory.get();
}

}  // namespace rto
