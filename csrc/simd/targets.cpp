#include "simd/targets.hpp"

#include <atomic>

namespace cenote {

namespace baseline {
extern const Target kTarget;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Target kTarget;
}
    #if !defined(CENOTE_WITHOUT_AVX512)
namespace avx512 {
extern const Target kTarget;
}
    #endif
#endif

const std::vector<Target>& targets() {
    static const std::vector<Target> all = {
        baseline::kTarget,
#if defined(__x86_64__)
        avx2::kTarget,
    #if !defined(CENOTE_WITHOUT_AVX512)
        avx512::kTarget,
    #endif
#endif
    };
    return all;
}

namespace {

const Target* best() {
    const Target* found = nullptr;
    for (const Target& t : targets())
        if (t.usable()) found = &t;
    return found;
}

std::atomic<const Target*>& chosen() {
    static std::atomic<const Target*> target{best()};
    return target;
}

}  // namespace

const Target& target() { return *chosen().load(std::memory_order_acquire); }

bool choose_target(const std::string& name) {
    for (const Target& t : targets())
        if (t.name == name && t.usable()) {
            chosen().store(&t, std::memory_order_release);
            return true;
        }
    return false;
}

}  // namespace cenote
