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

// Computes windows one tap at a time, side by side: every type, every layout, every geometry.
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
        if (n == 1 && box.w > 1) return alone(box, out, ticker);
        return joined<kLanes>(box.w, box.skip_w, n, out, [&](int64_t w, Acc* to) {
            return column(box, box.x + w * box.step_w, box.lane, n, to, ticker);
        });
    }

private:
    // The taps 0..count of one axis, each computed by tap(j, to), joined in the order of tree.hpp.
    template <int N, class Tap>
    bool joined(int64_t count, int64_t skipped, int n, Acc* out, const Tap& tap) const {
        if (!tap(0, out)) return false;
        if (count == 1) return true;
        if (!Reducer::kTree || (skipped == 0 && count <= 3)) {  // where the tree is a row
            for (int64_t j = 1; j < count; ++j) {
                Acc next[N];
                if (!tap(j, next)) return false;
                r_.merge(out, next, n);
            }
            return true;
        }
        return in_tree<N>(count, skipped, n, out, tap);
    }

    // Kept apart: its levels take more stack than the common case should touch.
    template <int N, class Tap>
    __attribute__((noinline)) bool in_tree(int64_t count, int64_t skipped, int n, Acc* out, const Tap& tap) const {
        Pairwise<Reducer, Acc, N> tree(skipped);
        tree.push(r_, out, n);
        for (int64_t j = 1; j < count; ++j) {
            Acc next[N];
            if (!tap(j, next)) return false;
            tree.push(r_, next, n);
        }
        tree.finish(r_, out, n);
        return true;
    }

    // All taps of the columns starting at x, n columns (or windows) side by side, `lane` bytes apart.
    bool column(const Box& box, const char* x, int64_t lane, int n, Acc* out, Ticker& ticker) const {
        return joined<kLanes>(box.h, box.skip_h, n, out, [&](int64_t h, Acc* row) {
            const bool go_on = joined<kLanes>(box.d, box.skip_d, n, row, [&](int64_t d, Acc* tap) {
                load(in_, x + d * box.step_d + h * box.step_h, lane, n, tap);
                r_.lift(tap, n);
                return true;
            });
            return go_on && ticker.go_on(box.d * n);
        });
    }

    // One window: its columns side by side, up to kLanes at a time.
    bool alone(const Box& box, Acc* out, Ticker& ticker) const {
        Acc columns[kLanes];
        return joined<1>(box.w, box.skip_w, 1, out, [&](int64_t w, Acc* to) {
            const int64_t i = w % kLanes;
            const int m = static_cast<int>(std::min<int64_t>(kLanes, box.w - w));
            if (i == 0 && !column(box, box.x + w * box.step_w, box.step_w, m, columns, ticker)) return false;
            *to = columns[i];
            return true;
        });
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
