// Forward with positions: the winning tap of every window, taken in row-major order, and its very bits.
#pragma once

#include <algorithm>

#include "engines/layout.hpp"
#include "engines/window.hpp"
#include "reducers/common.hpp"
#include "threads/parallel.hpp"

namespace cenote {

enum class Position : int {
    offsets,  // number of the tap within the window's box: what backward needs
    indices   // flat position over the pooled axes: what people read
};

// Winners of n windows side by side: taps[i] counts the box row-major over (d, h, w), -1 where there is no tap.
template <class Reducer, class Acc>
class SelectEngine {
public:
    SelectEngine(const Reducer& reducer, DType in) : r_(reducer), in_(in) {}

    bool winners(const Box& box, int n, int64_t* taps, Ticker& ticker) const {
        std::fill(taps, taps + n, int64_t{-1});
        return n == 1 ? along(box, taps, ticker) : side_by_side(box, n, taps, ticker);
    }

private:
    bool side_by_side(const Box& box, int n, int64_t* taps, Ticker& ticker) const {
        Acc best[kLanes], next[kLanes];
        int64_t tap = 0;
        for (int64_t d = 0; d < box.d; ++d)
            for (int64_t h = 0; h < box.h; ++h) {
                const char* at = box.x + d * box.step_d + h * box.step_h;
                for (int64_t w = 0; w < box.w; ++w, ++tap, at += box.step_w) {
                    fetch(at, box.lane, n, next);
                    if (tap == 0) {
                        std::copy(next, next + n, best);
                        std::fill(taps, taps + n, int64_t{0});
                        continue;
                    }
                    for (int i = 0; i < n; ++i) {
                        const bool wins = Reducer::wins(next[i], best[i]);
                        best[i] = wins ? next[i] : best[i];
                        taps[i] = wins ? tap : taps[i];
                    }
                    if (!ticker.go_on(n)) return false;
                }
            }
        return true;
    }

    // One window: 16 taps of a row are fetched at a time.
    bool along(const Box& box, int64_t* taps, Ticker& ticker) const {
        Acc best{}, next[kLanes];
        int64_t tap = 0;
        for (int64_t d = 0; d < box.d; ++d)
            for (int64_t h = 0; h < box.h; ++h)
                for (int64_t w = 0; w < box.w; w += kLanes) {
                    const int m = static_cast<int>(std::min<int64_t>(kLanes, box.w - w));
                    fetch(box.x + d * box.step_d + h * box.step_h + w * box.step_w, box.step_w, m, next);
                    for (int i = 0; i < m; ++i, ++tap)
                        if (tap == 0 || Reducer::wins(next[i], best)) best = next[i], *taps = tap;
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
    const int64_t size = item_size(in);
    const SelectEngine<Reducer, Acc> engine(reducer, in);
    const Acc identity = reducer.identity;

    parallel_for(rows.total(), outputs > (int64_t{1} << 40) ? int64_t{1} << 60 : outputs * taps, threads, control,
                 [&](int64_t begin, int64_t end, Ticker& ticker) {
        for (int64_t unit = begin; unit < end; ++unit) {
            const RowAt at = row_at(rows, unit);
            const auto d = static_cast<size_t>(at.d), h = static_cast<size_t>(at.h);
            const int64_t start_d = g.axis[0].start[d], start_h = g.axis[1].start[h];
            const char* x_row =
                x.data + layout.offset(at.outer, 0) + start_d * x.stride[0] + start_h * x.stride[1];
            const int64_t y_row = layout.offset(at.outer, 1) + at.d * y.stride[0] + at.h * y.stride[1];
            char* o_row = o.data + layout.offset(at.outer, 2) + at.d * o.stride[0] + at.h * o.stride[1];
            Box box{};
            box.d = g.axis[0].count[d], box.h = g.axis[1].count[h];
            box.step_d = g.axis[0].step[d] * x.stride[0], box.step_h = g.axis[1].step[h] * x.stride[1];
            const int64_t last = std::min<int64_t>(static_cast<int64_t>(runs.size()), (at.segment + 1) * kSegment);
            for (int64_t k = at.segment * kSegment; k < last; ++k) {
                const Run& run = runs[static_cast<size_t>(k)];
                const auto w = static_cast<size_t>(run.first);
                const int64_t start_w = g.axis[2].start[w], step_w = g.axis[2].step[w];
                box.x = x_row + start_w * x.stride[2];
                box.w = g.axis[2].count[w];
                box.step_w = step_w * x.stride[2];
                box.lane = along_w ? run.distance * x.stride[2] : layout.lane.stride[0];
                const int64_t y_lane = along_w ? y.stride[2] : layout.lane.stride[1];
                const int64_t o_lane = along_w ? o.stride[2] : layout.lane.stride[2];
                const int64_t width = along_w ? run.n : layout.lane.extent;
                for (int64_t first = 0; first < width; first += kLanes) {
                    const int n = static_cast<int>(std::min<int64_t>(kLanes, width - first));
                    Box part = box;
                    part.x += first * box.lane;
                    int64_t winner[kLanes], out[kLanes];
                    if (!engine.winners(part, n, winner, ticker)) return;
                    for (int i = 0; i < n; ++i) {
                        char* to = y.data == nullptr ? nullptr
                                                     : y.data + y_row + run.first * y.stride[2] + (first + i) * y_lane;
                        if (winner[i] < 0) {
                            out[i] = position == Position::indices ? -1 : 0;
                            if (to != nullptr) store(in, to, 0, 1, &identity);
                            continue;
                        }
                        const int64_t jw = winner[i] % box.w, row = winner[i] / box.w;
                        const int64_t jh = row % box.h, jd = row / box.h;
                        if (to != nullptr)
                            copy_item(to, part.x + i * box.lane + jd * box.step_d + jh * box.step_h + jw * box.step_w,
                                      size);
                        if (position == Position::offsets) {
                            out[i] = (jd * box_h + jh) * box_w + jw;
                        } else {
                            const int64_t cell_w = start_w + jw * step_w + (along_w ? (first + i) * run.distance : 0);
                            const int64_t cell_h = start_h + jh * g.axis[1].step[h];
                            const int64_t cell_d = start_d + jd * g.axis[0].step[d];
                            out[i] = (cell_d * g.axis[1].in + cell_h) * g.axis[2].in + cell_w;
                        }
                    }
                    store(position_type, o_row + run.first * o.stride[2] + first * o_lane, o_lane, n, out);
                }
            }
        }
    });
}

}  // namespace cenote
