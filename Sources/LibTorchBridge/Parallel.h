// Work shared among LibTorch's own threads.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>

// LibTorch's operators run on the threads of libgomp, which it brings along. Clang's own OpenMP would start a second set of
// threads beside them, so regions are opened through libgomp's entry points; the loader finds them where LibTorch's are.
extern "C" {
__attribute__((weak)) void GOMP_parallel(void (*body)(void *), void *context, unsigned threads, unsigned flags);
__attribute__((weak)) int omp_get_thread_num(void);
__attribute__((weak)) int omp_in_parallel(void);
}

namespace rto {

/// How many parts `work(part)` would be split into: the threads LibTorch may use, one inside a parallel region.
inline int64_t thread_count() {
    return GOMP_parallel == nullptr || omp_in_parallel() ? 1 : at::get_num_threads();
}

/// Calls `work(part)` for each part in [0, parts) at once, one thread each; `parts` is at most `thread_count()`.
/// The work must not throw.
template <typename Work>
void in_parallel(int64_t parts, const Work &work) {
    if (parts <= 1) {
        if (parts == 1) work(int64_t(0));
        return;
    }
    GOMP_parallel(
        [](void *context) { (*static_cast<const Work *>(context))(int64_t(omp_get_thread_num())); },
        const_cast<void *>(static_cast<const void *>(&work)), static_cast<unsigned>(parts), 0);
}

/// Calls `work(begin, end)` on consecutive ranges of [0, count), none shorter than `grain` unless all is. The ranges
/// depend on the count, the grain and the number of threads only, so results are the same in every run.
template <typename Work>
void for_ranges(int64_t count, int64_t grain, const Work &work) {
    if (count <= 0) return;
    int64_t parts = std::clamp<int64_t>(count / std::max<int64_t>(grain, 1), 1, thread_count());
    int64_t size = (count + parts - 1) / parts;
    in_parallel(parts, [&](int64_t part) {
        int64_t begin = part * size, end = std::min(count, begin + size);
        if (begin < end) work(begin, end);
    });
}

}  // namespace rto
