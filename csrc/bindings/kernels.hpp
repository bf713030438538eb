// The kernels as another extension module calls them: function pointers that _core hands out in a capsule, so that the
// process has one copy of the kernels, one pool of threads and one set of buffers. Nothing here knows Python.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "calls.hpp"

namespace cenote {

constexpr const char* kKernelsCapsule = "cenote.kernels";

// How many threads a call may use, as Python's set_num_threads and get_num_threads last said: who runs without Python
// cannot ask. 0: nobody has said yet.
inline std::atomic<int> threads_said{0};

// Each returns false, with the reason in `why`, instead of throwing: exceptions stay on their side of the border.
// Both sides are compiled from one source tree; `same_build` refuses what is not.
struct Kernels {
    static constexpr uint32_t kVersion = 1;

    uint32_t version = kVersion;
    size_t sizes[4] = {sizeof(Kernels), sizeof(ForwardCall), sizeof(Geometry), sizeof(Layout)};
    const char* build = CENOTE_VERSION;

    // How many threads to use for about so many taps; small calls use one.
    int (*threads)(int64_t taps) noexcept = nullptr;
    bool (*forward)(const ForwardCall&, const Geometry&, const Layout&, std::string& why) noexcept = nullptr;
    bool (*select)(const ForwardCall&, const Geometry&, const Layout&, DType position_type, Position,
                   std::string& why) noexcept = nullptr;
    bool (*backward)(const ForwardCall&, const Geometry&, const Layout&, DType g_type, DType other_type,
                     std::string& why) noexcept = nullptr;
    bool (*pick)(const Geometry&, const Layout&, DType type, DType offset_type, int threads,
                 std::string& why) noexcept = nullptr;
    // Whole numbers that fit into 32 bits, from 64.
    bool (*narrow)(const int64_t* from, char* to, int64_t n, int threads, std::string& why) noexcept = nullptr;
    // For measurements: memory written once, by as many threads as would pool it.
    bool (*fill)(char* data, int64_t bytes, int byte, int threads, std::string& why) noexcept = nullptr;

    bool same_build() const {
        const Kernels mine;
        if (version != mine.version || std::string(build) != mine.build) return false;
        for (size_t i = 0; i < 4; ++i)
            if (sizes[i] != mine.sizes[i]) return false;
        return true;
    }
};

}  // namespace cenote
