// Every processor of the platform the library is built for: SSE2 on x86-64, NEON on AArch64.
#include "simd/targets.hpp"

#if defined(__x86_64__)
    #include <emmintrin.h>
    #define CENOTE_X86
#endif

namespace cenote::baseline {
namespace {

constexpr int kBytes = 16;
#if defined(CENOTE_X86)
constexpr bool kRich = false;  // old processors get small code; the others have a target of their own
#else
constexpr bool kRich = true;
#endif
#include "simd/region.hpp"

}  // namespace

extern const Target kTarget;
#if defined(__aarch64__)
const Target kTarget = {"neon", [] { return true; }, values, select, backward};
#else
const Target kTarget = {"baseline", [] { return true; }, values, select, backward};
#endif

}  // namespace cenote::baseline
