// Forward, values only: every output row, window by window, in the order of tree.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engines/layout.hpp"
#include "engines/tree.hpp"
#include "reducers/common.hpp"
#include "threads/parallel.hpp"

namespace cenote {

// The taps of one window (or of n windows side by side) at the first byte `x`.
struct Box {
    const char* x;
    int64_t d, h, w;                 // taps per axis
    int64_t step_d, step_h, step_w;  // bytes between taps
    int64_t lane;                    // bytes between windows side by side
    // The mark of tap (d, h, w), for engines that say where a value was found, is the sum of d * mark_d and so on.
    int64_t mark_d, mark_h, mark_w;
};

template <class Reducer, class Acc>
class WindowEngine {
public:
    WindowEngine(const Reducer& reducer, DType in) : r_(reducer), in_(in) {}

    // n windows into out[0..n). False when stopped.
    bool reduce(const Box& box, int n, Acc* out, Ticker& ticker) const {
        if (box.d == 0 || box.h == 0 || box.w == 0) {
            std::fill(out, out + n, r_.empty());
            return ticker.go_on(n);
        }
        if (n == 1 && box.w >= kLanes) return wide(box, out, ticker);
        if (box.w < kLanes || !Reducer::kTree) return narrow(box, n, out, ticker);
        return wide_side_by_side(box, n, out, ticker);
    }

private:
    // All taps of the columns starting at x, n columns (or windows) side by side, `lane` bytes apart.
    bool column(const Box& box, const char* x, int64_t lane, int n, Acc* out, Ticker& ticker) const {
        const int64_t rows = box.d * box.h;
        if (rows <= kBlockRows) {
            rows_of(box, x, lane, 0, rows, n, out);
            return ticker.go_on(rows * n);
        }
        return tall_column(box, x, lane, n, out, ticker);
    }

    // Kept apart: its block results take more stack than the common case should touch.
    __attribute__((noinline)) bool tall_column(const Box& box, const char* x, int64_t lane, int n, Acc* out,
                                               Ticker& ticker) const {
        const int64_t rows = box.d * box.h;
        Pairwise<Reducer, Acc, kLanes> blocks;
        for (int64_t row = 0; row < rows; row += kBlockRows) {
            Acc block[kLanes];
            const int64_t end = std::min<int64_t>(rows, row + kBlockRows);
            rows_of(box, x, lane, row, end, n, block);
            blocks.push(r_, block, n);
            if (!ticker.go_on((end - row) * n)) return false;
        }
        blocks.finish(r_, out, n);
        return true;
    }

    // Rows [begin, end) of a column, in order.
    void rows_of(const Box& box, const char* x, int64_t lane, int64_t begin, int64_t end, int n, Acc* out) const {
        int64_t d = begin / box.h, h = begin % box.h;
        for (int64_t row = begin; row < end; ++row) {
            const char* at = x + d * box.step_d + h * box.step_h;
            if (row == begin) {
                load(in_, at, lane, n, out);
                r_.lift(out, n);
            } else {
                Acc taps[kLanes];
                load(in_, at, lane, n, taps);
                r_.lift(taps, n);
                r_.merge(out, taps, n);
            }
            if (++h == box.h) h = 0, ++d;
        }
    }

    bool narrow(const Box& box, int n, Acc* out, Ticker& ticker) const {
        if (!column(box, box.x, box.lane, n, out, ticker)) return false;
        for (int64_t w = 1; w < box.w; ++w) {
            Acc next[kLanes];
            if (!column(box, box.x + w * box.step_w, box.lane, n, next, ticker)) return false;
            r_.merge(out, next, n);
        }
        return true;
    }

    // One window with many columns: 16 columns side by side.
    bool wide(const Box& box, Acc* out, Ticker& ticker) const {
        Pairwise<Reducer, Acc, 1> blocks;
        for (int64_t block = 0; block < box.w; block += kBlockColumns) {
            Acc lanes[kLanes][1];
            const int64_t end = std::min<int64_t>(box.w, block + kBlockColumns);
            for (int64_t w = block; w < end; w += kLanes) {
                Acc columns[kLanes];
                const int m = static_cast<int>(std::min<int64_t>(kLanes, end - w));
                if (!column(box, box.x + w * box.step_w, box.step_w, m, columns, ticker)) return false;
                if (w == block)
                    std::copy(columns, columns + m, &lanes[0][0]);
                else
                    r_.merge(&lanes[0][0], columns, m);
            }
            fold<Reducer, Acc, 1>(r_, lanes, static_cast<int>(std::min<int64_t>(kLanes, end - block)), 1);
            blocks.push(r_, lanes[0], 1);
        }
        blocks.finish(r_, out, 1);
        return true;
    }

    // The same tree for several windows at once.
    __attribute__((noinline)) bool wide_side_by_side(const Box& box, int n, Acc* out, Ticker& ticker) const {
        Pairwise<Reducer, Acc, kLanes> blocks;
        for (int64_t block = 0; block < box.w; block += kBlockColumns) {
            Acc lanes[kLanes][kLanes];
            const int64_t end = std::min<int64_t>(box.w, block + kBlockColumns);
            for (int64_t w = block; w < end; ++w) {
                Acc next[kLanes];
                if (!column(box, box.x + w * box.step_w, box.lane, n, next, ticker)) return false;
                Acc* lane = lanes[(w - block) % kLanes];
                if (w - block < kLanes)
                    std::copy(next, next + n, lane);
                else
                    r_.merge(lane, next, n);
            }
            fold<Reducer, Acc, kLanes>(r_, lanes, static_cast<int>(std::min<int64_t>(kLanes, end - block)), n);
            blocks.push(r_, lanes[0], n);
        }
        blocks.finish(r_, out, n);
        return true;
    }

    Reducer r_;
    DType in_;
};

// The divisor of the window at (d, h, w).
struct Divisors {
    const Geometry& geometry;
    Divisor rule;
    By number;

    By at(int64_t d, int64_t h, int64_t w) const {
        if (rule == Divisor::number) return number;
        uint64_t wrapping = 1;  // below 2^63 in any call that geometry lets through; a table may still say anything
        const int64_t index[] = {d, h, w};
        for (size_t a = 0; a < kMostPooled; ++a)
            wrapping *= static_cast<uint64_t>(geometry.axis[a].divisor(rule)[static_cast<size_t>(index[a])]);
        // 1 for a window that has no taps to count: its sum, 0, is its average
        const int64_t product = wrapping == 0 ? 1 : static_cast<int64_t>(wrapping);
        return {product, static_cast<double>(product)};
    }
};

// Arrays: 0 = x, 1 = y.
template <class Reducer, class Acc>
void forward_values(const Reducer& reducer, const Geometry& g, Layout layout, DType in, DType out,
                    const Divisors& divisors, int threads, Control& control) {
    layout.choose_lane();
    const bool along_w = layout.lane.extent == 1;
    const std::vector<Run> runs = runs_along(g.axis[2], along_w ? kLanes : 1);
    const int64_t segments = (static_cast<int64_t>(runs.size()) + kSegment - 1) / kSegment;
    const Rows rows{layout.outer_total(), g.axis[0].out(), g.axis[1].out(), segments};
    const int64_t taps = static_cast<int64_t>(std::min<uint64_t>(g.box(), 1 << 20));
    const int64_t outputs = rows.outer * rows.d * rows.h * g.axis[2].out() * layout.lane.extent;
    const Array &x = layout.array[0], &y = layout.array[1];
    const WindowEngine<Reducer, Acc> engine(reducer, in);

    parallel_for(rows.total(), outputs > (int64_t{1} << 40) ? int64_t{1} << 60 : outputs * taps, threads, control,
                 [&](int64_t begin, int64_t end, Ticker& ticker) {
        for (int64_t unit = begin; unit < end; ++unit) {
            const RowAt at = row_at(rows, unit);
            const auto d = static_cast<size_t>(at.d), h = static_cast<size_t>(at.h);
            const char* x_row = x.data + layout.offset(at.outer, 0) + g.axis[0].start[d] * x.stride[0] +
                                g.axis[1].start[h] * x.stride[1];
            char* y_row = y.data + layout.offset(at.outer, 1) + at.d * y.stride[0] + at.h * y.stride[1];
            Box box{};
            box.d = g.axis[0].count[d], box.h = g.axis[1].count[h];
            box.step_d = g.axis[0].step[d] * x.stride[0], box.step_h = g.axis[1].step[h] * x.stride[1];
            const int64_t last = std::min<int64_t>(static_cast<int64_t>(runs.size()), (at.segment + 1) * kSegment);
            for (int64_t k = at.segment * kSegment; k < last; ++k) {
                const Run& run = runs[static_cast<size_t>(k)];
                const auto w = static_cast<size_t>(run.first);
                box.x = x_row + g.axis[2].start[w] * x.stride[2];
                box.w = g.axis[2].count[w];
                box.step_w = g.axis[2].step[w] * x.stride[2];
                box.lane = along_w ? run.distance * x.stride[2] : layout.lane.stride[0];
                char* to = y_row + run.first * y.stride[2];
                const int64_t to_stride = along_w ? y.stride[2] : layout.lane.stride[1];
                const int64_t width = along_w ? run.n : layout.lane.extent;
                const By by = divisors.at(at.d, at.h, run.first);
                for (int64_t first = 0; first < width; first += kLanes) {
                    const int n = static_cast<int>(std::min<int64_t>(kLanes, width - first));
                    Acc result[kLanes];
                    Box part = box;
                    part.x += first * box.lane;
                    if (!engine.reduce(part, n, result, ticker)) return;
                    char* at_y = to + first * to_stride;
                    if constexpr (requires(double* real) { reducer.finish_real(result, n, by, real); }) {
                        if (is_integer_v<Acc> && reducer.to_float) {
                            double real[kLanes];
                            reducer.finish_real(result, n, by, real);
                            store(out, at_y, to_stride, n, real);
                            continue;
                        }
                    }
                    reducer.finish(result, n, by);
                    store(out, at_y, to_stride, n, result);
                }
            }
        }
    });
}

}  // namespace cenote
