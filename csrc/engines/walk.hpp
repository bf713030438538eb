// The walk of a forward pass: every window once, up to kLanes of them side by side, rows shared out to threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engines/layout.hpp"
#include "geometry.hpp"
#include "threads/parallel.hpp"

namespace cenote {

// The taps of one window (or of n windows side by side) at the first byte `x`.
struct Box {
    const char* x;
    int64_t d, h, w;                 // taps per axis
    int64_t step_d, step_h, step_w;  // bytes between taps
    int64_t skip_d, skip_h, skip_w;  // numbers of the first taps within the window, padding counted
    int64_t lane;                    // bytes between windows side by side
    // The mark of tap (d, h, w), for engines that say where a value was found, is the sum of d * mark_d and so on.
    int64_t mark_d, mark_h, mark_w;
};

// Windows side by side, and where their results go.
struct Block {
    Box box;
    int n;
    int64_t d, h, w;   // the first window's place among the outputs
    int64_t distance;  // input cells along W from one window to the next; 0 when they lie along another axis
    std::array<int64_t, kMostArrays> at, lane;  // of array 1 and up: byte offset of the first result, bytes to the next

    bool empty() const { return box.d == 0 || box.h == 0 || box.w == 0; }
};

// Calls each(block, ticker) for every block; false from it ends the walk. Array 0 is the input.
template <class Each>
void each_block(const Geometry& g, Layout layout, int threads, Control& control, const Each& each) {
    layout.choose_lane();
    const bool along_w = layout.lane.extent == 1;
    const std::vector<Run> runs = runs_along(g.axis[2], along_w ? kLanes : 1);
    const auto total_runs = static_cast<int64_t>(runs.size());
    const Rows rows{layout.outer_total(), g.axis[0].out(), g.axis[1].out(), (total_runs + kSegment - 1) / kSegment};
    const Array& x = layout.array[0];

    const auto row = [&](const RowAt& at, Ticker& ticker) {
        const auto d = static_cast<size_t>(at.d), h = static_cast<size_t>(at.h);
        Block block{};
        block.d = at.d, block.h = at.h;
        block.box.d = g.axis[0].count[d], block.box.h = g.axis[1].count[h];
        block.box.step_d = g.axis[0].step[d] * x.stride[0], block.box.step_h = g.axis[1].step[h] * x.stride[1];
        block.box.skip_d = g.axis[0].skipped[d], block.box.skip_h = g.axis[1].skipped[h];
        const char* const x_row =
            x.data + layout.offset(at.outer, 0) + g.axis[0].start[d] * x.stride[0] + g.axis[1].start[h] * x.stride[1];
        std::array<int64_t, kMostArrays> row_at{};
        for (int a = 1; a < kMostArrays; ++a) {
            const Array& y = layout.array[static_cast<size_t>(a)];
            row_at[static_cast<size_t>(a)] = layout.offset(at.outer, a) + at.d * y.stride[0] + at.h * y.stride[1];
        }
        const int64_t last = std::min(total_runs, (at.segment + 1) * kSegment);
        for (int64_t k = at.segment * kSegment; k < last; ++k) {
            const Run& run = runs[static_cast<size_t>(k)];
            const auto w = static_cast<size_t>(run.first);
            const int64_t width = along_w ? run.n : layout.lane.extent;
            block.w = run.first;
            block.distance = along_w ? run.distance : 0;
            block.box.w = g.axis[2].count[w];
            block.box.step_w = g.axis[2].step[w] * x.stride[2];
            block.box.skip_w = g.axis[2].skipped[w];
            block.box.lane = along_w ? run.distance * x.stride[2] : layout.lane.stride[0];
            for (int64_t first = 0; first < width; first += kLanes) {  // a run has at most kLanes windows: one round
                block.n = static_cast<int>(std::min<int64_t>(kLanes, width - first));
                block.box.x = x_row + g.axis[2].start[w] * x.stride[2] + first * block.box.lane;
                for (size_t a = 1; a < kMostArrays; ++a) {
                    const int64_t along = layout.array[a].stride[2];
                    block.lane[a] = along_w ? along : layout.lane.stride[a];
                    block.at[a] = row_at[a] + run.first * along + first * block.lane[a];
                }
                if (!each(block, ticker)) return false;
            }
        }
        return true;
    };
    parallel_for(rows.total(), taps_in_all(g, rows.outer, layout.lane.extent), threads, control,
                 [&](int64_t begin, int64_t end, Ticker& ticker) {
        for (int64_t unit = begin; unit < end; ++unit)
            if (!row(row_at(rows, unit), ticker)) return;
    });
}

}  // namespace cenote
