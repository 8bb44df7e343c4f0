// Compiles the kernel file KERNEL once for every instruction set, in a namespace each; CHOOSE(function) is then the one for
// the processor at hand. Vector code is written once, in terms of Vector.inl, whose LANES is the width of a vector.
//
//     #define KERNEL "RaggedAttention.inl"
//     #include "Kernels/EachProcessor.inl"
//
// Headers that a kernel needs are included before, so that nothing of theirs is compiled for a processor that may be absent.

#include <ATen/Version.h>
#include <c10/util/BFloat16.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#define INLINE static inline __attribute__((always_inline))

namespace {

namespace baseline {
#define LANES 4
#include "Vector.inl"
#include KERNEL
#undef LANES
}  // namespace baseline

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
namespace avx2 {
#define LANES 8
#include "Vector.inl"
#include KERNEL
#undef LANES
}  // namespace avx2
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
namespace avx512 {
#define LANES 16
#include "Vector.inl"
#include KERNEL
#undef LANES
}  // namespace avx512
#pragma clang attribute pop

#define CHOOSE(...) rto::chosen(baseline::__VA_ARGS__, avx2::__VA_ARGS__, avx512::__VA_ARGS__)
#else
#define CHOOSE(...) (&baseline::__VA_ARGS__)
#endif

}  // namespace
