// x86-64 with AVX2 and 16-bit float conversions: processors since 2013.
#if defined(__x86_64__)
    #include <immintrin.h>

    #include "simd/targets.hpp"

    #define CENOTE_X86
    #define CENOTE_AVX2

namespace cenote::avx2 {
    #include "simd/parts.hpp"
}

    // After all includes: what is shared with other targets must not be compiled for this one.
    #if defined(__clang__)
        #pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
    #else
        #pragma GCC push_options
        #pragma GCC target("avx2,f16c")
    #endif

namespace cenote::avx2 {
namespace {

constexpr int kBytes = 32;
constexpr bool kRich = true;
    #include "simd/region.hpp"

}  // namespace
}  // namespace cenote::avx2

    #if defined(__clang__)
        #pragma clang attribute pop
    #else
        #pragma GCC pop_options
    #endif

namespace cenote::avx2 {
    #include "simd/entries.hpp"

    #if CENOTE_PART == 0
extern const Target kTarget;
const Target kTarget = {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c"); }, values,
                        select_part, backward_part};
    #endif
}  // namespace cenote::avx2
#endif
