// Forward with positions: the winning tap of every window, taken in row-major order, and its very bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engines/layout.hpp"
#include "engines/window.hpp"
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
void forward_select(const Reducer& reducer, const Geometry& g, Layout layout, DType in, DType position_type,
                    Position position, int threads, Control& control) {
    layout.choose_lane();
    const bool along_w = layout.lane.extent == 1;
    const std::vector<Run> runs = runs_along(g.axis[2], along_w ? kLanes : 1);
    const int64_t segments = (static_cast<int64_t>(runs.size()) + kSegment - 1) / kSegment;
    const Rows rows{layout.outer_total(), g.axis[0].out(), g.axis[1].out(), segments};
    const int64_t outputs = rows.outer * rows.d * rows.h * g.axis[2].out() * layout.lane.extent;
    const int64_t taps = static_cast<int64_t>(std::min<uint64_t>(g.box(), 1 << 20));
    const int64_t box_h = std::max<int64_t>(1, g.axis[1].most_taps), box_w = std::max<int64_t>(1, g.axis[2].most_taps);
    const Array &x = layout.array[0], &y = layout.array[1], &o = layout.array[2];
    const SelectEngine<Reducer, Acc> engine(reducer, in);
    const Acc identity = reducer.identity;

    parallel_for(rows.total(), outputs > (int64_t{1} << 40) ? int64_t{1} << 60 : outputs * taps, threads, control,
                 [&](int64_t begin, int64_t end, Ticker& ticker) {
        for (int64_t unit = begin; unit < end; ++unit) {
            const RowAt at = row_at(rows, unit);
            const auto d = static_cast<size_t>(at.d), h = static_cast<size_t>(at.h);
            const int64_t start_d = g.axis[0].start[d], start_h = g.axis[1].start[h];
            const char* x_row = x.data + layout.offset(at.outer, 0) + start_d * x.stride[0] + start_h * x.stride[1];
            const int64_t y_row = layout.offset(at.outer, 1) + at.d * y.stride[0] + at.h * y.stride[1];
            char* o_row = o.data + layout.offset(at.outer, 2) + at.d * o.stride[0] + at.h * o.stride[1];
            Box box{};
            box.d = g.axis[0].count[d], box.h = g.axis[1].count[h];
            box.step_d = g.axis[0].step[d] * x.stride[0], box.step_h = g.axis[1].step[h] * x.stride[1];
            const bool indices = position == Position::indices;
            const int64_t row_cells = g.axis[2].in, plane_cells = g.axis[1].in * row_cells;
            box.mark_d = indices ? g.axis[0].step[d] * plane_cells : box_h * box_w;
            box.mark_h = indices ? g.axis[1].step[h] * row_cells : box_w;
            const int64_t last = std::min<int64_t>(static_cast<int64_t>(runs.size()), (at.segment + 1) * kSegment);
            for (int64_t k = at.segment * kSegment; k < last; ++k) {
                const Run& run = runs[static_cast<size_t>(k)];
                const auto w = static_cast<size_t>(run.first);
                const int64_t start_w = g.axis[2].start[w];
                box.x = x_row + start_w * x.stride[2];
                box.w = g.axis[2].count[w];
                box.step_w = g.axis[2].step[w] * x.stride[2];
                box.mark_w = indices ? g.axis[2].step[w] : 1;
                box.lane = along_w ? run.distance * x.stride[2] : layout.lane.stride[0];
                const int64_t y_lane = along_w ? y.stride[2] : layout.lane.stride[1];
                const int64_t o_lane = along_w ? o.stride[2] : layout.lane.stride[2];
                const int64_t width = along_w ? run.n : layout.lane.extent;
                // flat position of the first tap, and how it moves from one window to the next
                const int64_t base = indices ? start_d * plane_cells + start_h * row_cells + start_w : 0;
                const int64_t base_lane = indices && along_w ? run.distance : 0;
                const bool empty = box.d == 0 || box.h == 0 || box.w == 0;
                for (int64_t first = 0; first < width; first += kLanes) {
                    const int n = static_cast<int>(std::min<int64_t>(kLanes, width - first));
                    Acc best[kLanes];
                    int64_t marks[kLanes];
                    if (empty) {
                        std::fill(best, best + n, identity);
                        std::fill(marks, marks + n, indices ? int64_t{-1} : int64_t{0});
                        if (!ticker.go_on(n)) return;
                    } else {
                        Box part = box;
                        part.x += first * box.lane;
                        if (!engine.winners(part, n, best, marks, ticker)) return;
                        for (int i = 0; i < n; ++i) marks[i] += base + (first + i) * base_lane;
                    }
                    // the accumulator holds the tap itself, so the very bits found there are stored
                    if (y.data != nullptr)
                        store(in, y.data + y_row + run.first * y.stride[2] + first * y_lane, y_lane, n, best);
                    store(position_type, o_row + run.first * o.stride[2] + first * o_lane, o_lane, n, marks);
                }
            }
        }
    });
}

}  // namespace cenote
