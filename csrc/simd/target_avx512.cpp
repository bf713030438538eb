// x86-64 with AVX-512 F, BW, DQ and VL: server processors since 2017.
#if defined(__x86_64__)
    #include <immintrin.h>

    #include "simd/targets.hpp"

    #define CENOTE_X86
    #define CENOTE_AVX512

namespace cenote::avx512 {
    #include "simd/parts.hpp"
}

    // After all includes: what is shared with other targets must not be compiled for this one.
    #if defined(__clang__)
        #pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c"))), \
                                     apply_to = function)
    #else
        #pragma GCC push_options
        #pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c")
    #endif

namespace cenote::avx512 {
namespace {

constexpr int kBytes = 64;
constexpr bool kRich = true;
    #include "simd/region.hpp"

}  // namespace
}  // namespace cenote::avx512

    #if defined(__clang__)
        #pragma clang attribute pop
    #else
        #pragma GCC pop_options
    #endif

namespace cenote::avx512 {
    #include "simd/entries.hpp"

    #if CENOTE_PART == 0
extern const Target kTarget;
const Target kTarget = {"avx512", [] {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("f16c");
}, values, select_part, backward_part};
    #endif
}  // namespace cenote::avx512
#endif
