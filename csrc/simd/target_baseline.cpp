// Every processor of the platform the library is built for: SSE2 on x86-64, NEON on AArch64.
#include "simd/targets.hpp"

#if defined(__x86_64__)
    #include <emmintrin.h>
    #define CENOTE_X86
#endif

namespace cenote::baseline {
#include "simd/parts.hpp"
namespace {

constexpr int kBytes = 16;
#if defined(CENOTE_X86)
constexpr bool kRich = false;  // old processors get small code; the others have a target of their own
#else
constexpr bool kRich = true;
#endif
#include "simd/region.hpp"

}  // namespace

#include "simd/entries.hpp"

#if CENOTE_PART == 0
extern const Target kTarget;
    #if defined(__aarch64__)
const Target kTarget = {"neon", [] { return true; }, values, select_part, backward_part};
    #else
const Target kTarget = {"baseline", [] { return true; }, values, select_part, backward_part};
    #endif
#endif
}  // namespace cenote::baseline
