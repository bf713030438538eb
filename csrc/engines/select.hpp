// Forward with positions: the winning tap of every window, taken in row-major order, and its very bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engines/walk.hpp"
#include "reducers/common.hpp"
#include "threads/parallel.hpp"

namespace cenote {

// The winners of n windows side by side: their values and their marks.
template <class Reducer, class Acc>
class SelectEngine {
public:
    SelectEngine(const Reducer& reducer, DType in) : r_(reducer), in_(in) {}

    // A box without taps has no winner; the caller keeps such a box to itself.
    bool winners(const Box& box, int n, Acc* best, int64_t* marks, Ticker& ticker) const {
        return n == 1 ? along(box, best, marks, ticker) : side_by_side(box, n, best, marks, ticker);
    }

private:
    bool side_by_side(const Box& box, int n, Acc* best, int64_t* marks, Ticker& ticker) const {
        fetch(box.x, box.lane, n, best);
        std::fill(marks, marks + n, int64_t{0});
        for (int64_t d = 0; d < box.d; ++d)
            for (int64_t h = 0; h < box.h; ++h) {
                const char* at = box.x + d * box.step_d + h * box.step_h;
                int64_t mark = d * box.mark_d + h * box.mark_h;
                const bool first_row = d == 0 && h == 0;  // whose first tap is the best to begin with
                if (first_row) at += box.step_w, mark += box.mark_w;
                for (int64_t w = first_row; w < box.w; ++w, at += box.step_w, mark += box.mark_w) {
                    Acc next[kLanes];
                    fetch(at, box.lane, n, next);
                    for (int i = 0; i < n; ++i) {
                        const bool wins = Reducer::wins(next[i], best[i]);
                        best[i] = wins ? next[i] : best[i];
                        marks[i] = wins ? mark : marks[i];
                    }
                }
                if (!ticker.go_on(box.w * n)) return false;
            }
        return true;
    }

    // One window: 16 taps of a row are fetched at a time.
    bool along(const Box& box, Acc* best, int64_t* mark, Ticker& ticker) const {
        fetch(box.x, box.step_w, 1, best);
        *mark = 0;
        for (int64_t d = 0; d < box.d; ++d)
            for (int64_t h = 0; h < box.h; ++h)
                for (int64_t w = 0; w < box.w; w += kLanes) {
                    Acc next[kLanes];
                    const int m = static_cast<int>(std::min<int64_t>(kLanes, box.w - w));
                    fetch(box.x + d * box.step_d + h * box.step_h + w * box.step_w, box.step_w, m, next);
                    // the very first tap meets itself here; a NaN then wins over itself, at the same place
                    for (int i = 0; i < m; ++i)
                        if (Reducer::wins(next[i], *best)) {
                            *best = next[i];
                            *mark = d * box.mark_d + h * box.mark_h + (w + i) * box.mark_w;
                        }
                    if (!ticker.go_on(m)) return false;
                }
        return true;
    }

    void fetch(const char* at, int64_t stride, int n, Acc* out) const {
        load(in_, at, stride, n, out);
        if constexpr (requires { r_.lift(out, n); }) r_.lift(out, n);
    }

    Reducer r_;
    DType in_;
};

// Arrays: 0 = x, 1 = y, 2 = positions. `y.data` may be null: positions alone.
template <class Reducer, class Acc>
void forward_select(const Reducer& reducer, const Geometry& g, const Layout& layout, DType in, DType position_type,
                    Position position, int threads, Control& control) {
    const SelectEngine<Reducer, Acc> engine(reducer, in);
    const Acc identity = reducer.identity;
    const bool indices = position == Position::indices;
    const int64_t row_cells = g.axis[2].in, plane_cells = g.axis[1].in * row_cells;
    const int64_t box_h = std::max<int64_t>(1, g.axis[1].most_taps), box_w = std::max<int64_t>(1, g.axis[2].most_taps);
    char *const y = layout.array[1].data, *const o = layout.array[2].data;

    each_block(g, layout, threads, control, [&](const Block& block, Ticker& ticker) {
        const auto d = static_cast<size_t>(block.d), h = static_cast<size_t>(block.h), w = static_cast<size_t>(block.w);
        Acc best[kLanes];
        int64_t marks[kLanes];
        if (block.empty()) {
            std::fill(best, best + block.n, identity);
            std::fill(marks, marks + block.n, indices ? int64_t{-1} : int64_t{0});
            if (!ticker.go_on(block.n)) return false;
        } else {
            Box box = block.box;
            box.mark_d = indices ? g.axis[0].step[d] * plane_cells : box_h * box_w;
            box.mark_h = indices ? g.axis[1].step[h] * row_cells : box_w;
            box.mark_w = indices ? g.axis[2].step[w] : 1;
            if (!engine.winners(box, block.n, best, marks, ticker)) return false;
            if (indices) {  // marks count from the window's first tap
                const int64_t first =
                    g.axis[0].start[d] * plane_cells + g.axis[1].start[h] * row_cells + g.axis[2].start[w];
                for (int i = 0; i < block.n; ++i) marks[i] += first + i * block.distance;
            }
        }
        // the accumulator holds the tap itself, so the very bits found there are stored
        if (y != nullptr) store(in, y + block.at[1], block.lane[1], block.n, best);
        store(position_type, o + block.at[2], block.lane[2], block.n, marks);
        return true;
    });
}

}  // namespace cenote
