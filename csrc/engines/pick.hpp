// Picking: the cell that a saved offset names, for every window. The linear map whose transpose is the gradient of a
// selecting operator: what such an operator does to a small change of its input.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dtype.hpp"
#include "engines/walk.hpp"
#include "threads/parallel.hpp"

namespace cenote {

// Arrays: 0 = x, 1 = y, 2 = offsets. A window without taps gives zero bytes, and so does an offset that names none of
// the window's taps: offsets come from outside.
inline void pick(const Geometry& g, const Layout& layout, DType type, DType offset_type, int threads,
                 Control& control) {
    const int64_t size = item_size(type);
    const auto box_h = static_cast<uint64_t>(std::max<int64_t>(1, g.axis[1].most_taps));
    const auto box_w = static_cast<uint64_t>(std::max<int64_t>(1, g.axis[2].most_taps));
    constexpr char zero[16] = {};
    char* const y = layout.array[1].data;
    const char* const o = layout.array[2].data;
    each_block(g, layout, threads, control, [&](const Block& block, Ticker& ticker) {
        const Box& box = block.box;
        int64_t codes[kLanes];
        load(offset_type, o + block.at[2], block.lane[2], block.n, codes);
        for (int i = 0; i < block.n; ++i) {
            const auto code = static_cast<uint64_t>(codes[i]);
            const uint64_t row = code / box_w, w = code % box_w, d = row / box_h, h = row % box_h;
            const bool found = d < static_cast<uint64_t>(box.d) && h < static_cast<uint64_t>(box.h) &&
                               w < static_cast<uint64_t>(box.w);
            // The address only of a tap that exists: an offset from outside times a step may leave what an int64 holds.
            const char* from = zero;
            if (found)
                from = box.x + i * box.lane + static_cast<int64_t>(d) * box.step_d +
                       static_cast<int64_t>(h) * box.step_h + static_cast<int64_t>(w) * box.step_w;
            copy_item(y + block.at[1] + i * block.lane[1], from, size);
        }
        return ticker.go_on(4 * block.n);
    });
}

}  // namespace cenote
