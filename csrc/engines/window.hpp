// Forward, values only: every output row, window by window, in the order of tree.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engines/tree.hpp"
#include "engines/walk.hpp"
#include "reducers/common.hpp"
#include "threads/parallel.hpp"

namespace cenote {

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
        uint64_t wrapping = 1;  // below 2^63 in any call that geometry lets through; a table may still say anything
        bool empty = false;
        const int64_t index[] = {d, h, w};
        for (size_t a = 0; a < kMostPooled; ++a) {
            const auto i = static_cast<size_t>(index[a]);
            empty |= geometry.axis[a].count[i] == 0;
            wrapping *= static_cast<uint64_t>(geometry.axis[a].divisor(rule)[i]);
        }
        // A window without taps is not divided: its sum, 0, is its average, and a negative number would make it -0.
        if (empty || wrapping == 0) return {1, 1.0};
        if (rule == Divisor::number) return number;
        return {static_cast<int64_t>(wrapping), static_cast<double>(static_cast<int64_t>(wrapping))};
    }
};

// Arrays: 0 = x, 1 = y.
template <class Reducer, class Acc>
void forward_values(const Reducer& reducer, const Geometry& g, const Layout& layout, DType in, DType out,
                    const Divisors& divisors, int threads, Control& control) {
    const WindowEngine<Reducer, Acc> engine(reducer, in);
    char* const y = layout.array[1].data;
    each_block(g, layout, threads, control, [&](const Block& block, Ticker& ticker) {
        Acc result[kLanes];
        if (!engine.reduce(block.box, block.n, result, ticker)) return false;
        const By by = divisors.at(block.d, block.h, block.w);
        char* const to = y + block.at[1];
        if constexpr (requires(double* real) { reducer.finish_real(result, block.n, by, real); }) {
            if (is_integer_v<Acc> && reducer.to_float) {
                double real[kLanes];
                reducer.finish_real(result, block.n, by, real);
                store(out, to, block.lane[1], block.n, real);
                return true;
            }
        }
        reducer.finish(result, block.n, by);
        store(out, to, block.lane[1], block.n, result);
        return true;
    });
}

}  // namespace cenote
