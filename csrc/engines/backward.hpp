// Backward as a gather: every gradient cell asks which windows hold it, in row-major order of the outputs, and is
// written once. The same bits for any number of threads, no atomics.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "engines/layout.hpp"
#include "engines/window.hpp"
#include "reducers/common.hpp"
#include "threads/parallel.hpp"

namespace cenote {

// A window that holds a cell, along one axis: which output, and which of its taps the cell is.
struct Holder {
    int64_t out, tap;
};

// The windows of one axis that hold cell x, in ascending order.
inline void holders(const AxisTable& axis, int64_t x, std::vector<Holder>& found) {
    found.clear();
    const auto first = std::lower_bound(axis.reach_last.begin(), axis.reach_last.end(), x) - axis.reach_last.begin();
    for (size_t i = static_cast<size_t>(first); i < axis.start.size() && axis.reach_start[i] <= x; ++i) {
        const int64_t far = x - axis.start[i];
        if (far < 0) continue;
        const int64_t step = axis.step[i], tap = step == 1 ? far : far / step;
        if (tap < axis.count[i] && (step == 1 || tap * step == far)) found.push_back({static_cast<int64_t>(i), tap});
    }
}

// What a gradient rule sees of one window: gradients g[0..n) into the cells it adds to, side by side.
struct Share {
    int64_t d, h, w;     // the output
    int64_t code;        // the cell's number in the window's box
    int64_t other;       // byte offset of that output in array 2 (offsets or y)
    int64_t other_lane;  // its lane stride
};

// max, min: only the winning tap receives.
template <class Acc>
struct ToWinner {
    const char* offsets;
    DType type;
    void add(const Share& s, const Acc* g, int n, Acc* dx, const Acc*) const {
        int64_t code[kLanes];
        load(type, offsets + s.other, s.other_lane, n, code);
        for (int i = 0; i < n; ++i)
            if (code[i] == s.code) dx[i] = dx[i] + g[i];
    }
    void finish(Acc*, const Acc*, int) const {}
};

// sum, avg: every real tap receives g / divisor.
template <class Acc>
struct Spread {
    Divisors divisors;
    bool divides;
    void add(const Share& s, const Acc* g, int n, Acc* dx, const Acc*) const {
        if (!divides) {
            for (int i = 0; i < n; ++i) dx[i] = dx[i] + g[i];
            return;
        }
        const double by = divisors.at(s.d, s.h, s.w).real;
        if constexpr (is_complex_v<Acc>) {
            const auto real = static_cast<typename Acc::value_type>(by);
            for (int i = 0; i < n; ++i) dx[i] = dx[i] + Acc(g[i].real() / real, g[i].imag() / real);
        } else {
            for (int i = 0; i < n; ++i) dx[i] = dx[i] + g[i] / static_cast<Acc>(by);
        }
    }
    void finish(Acc*, const Acc*, int) const {}
};

// lp, finite p: g * sign(x) * (|x| / y)^(p - 1), the sign once at the end.
template <class Acc>
struct LpShare {
    const char* y;
    DType type;
    double p;
    void add(const Share& s, const Acc* g, int n, Acc* dx, const Acc* x) const {
        Acc value[kLanes];
        load(type, y + s.other, s.other_lane, n, value);
        for (int i = 0; i < n; ++i) {
            const Acc size = std::abs(x[i]);
            if (value[i] == Acc(0) || (size == Acc(0) && p < 1)) continue;
            const Acc ratio = p == 1.0 ? Acc(1) : size / value[i];
            const Acc power = p == 1.0 || p == 2.0 ? ratio : std::pow(ratio, static_cast<Acc>(p - 1));
            dx[i] = dx[i] + g[i] * power;
        }
    }
    void finish(Acc* dx, const Acc* x, int n) const { signed_by(dx, x, n); }

    static void signed_by(Acc* dx, const Acc* x, int n) {
        for (int i = 0; i < n; ++i) {
            const Acc sign = x[i] > 0 ? Acc(1) : x[i] < 0 ? Acc(-1) : x[i];  // 0 stays 0, NaN stays NaN
            dx[i] = sign == Acc(0) ? Acc(0) : dx[i] * sign;
        }
    }
};

// lp, p = infinity: to the largest |x|, with the sign of x.
template <class Acc>
struct ToLargest : ToWinner<Acc> {
    void finish(Acc* dx, const Acc* x, int n) const { LpShare<Acc>::signed_by(dx, x, n); }
};

// Arrays: 0 = dx, 1 = g, 2 = offsets or y (or none), 3 = x (or none).
template <class Acc, class Rule>
void backward(const Rule& rule, const Geometry& g, Layout layout, DType dx_type, DType g_type, bool needs_x,
              int threads, Control& control) {
    layout.choose_lane();
    const Array &dx = layout.array[0], &dy = layout.array[1], &o = layout.array[2], &x = layout.array[3];
    const int64_t in_w = g.axis[2].in;
    constexpr int64_t kCells = 1024;
    const Rows rows{layout.outer_total(), g.axis[0].in, g.axis[1].in, (in_w + kCells - 1) / kCells};
    const int64_t cells = rows.outer * rows.d * rows.h * in_w * layout.lane.extent;
    const int64_t box_h = std::max<int64_t>(1, g.axis[1].most_taps), box_w = std::max<int64_t>(1, g.axis[2].most_taps);
    const int64_t width = layout.lane.extent;

    parallel_for(rows.total(), cells > (int64_t{1} << 58) ? cells : cells * 4, threads, control,
                 [&](int64_t begin, int64_t end, Ticker& ticker) {
        std::vector<Holder> in_d, in_h, in_w_;
        for (int64_t unit = begin; unit < end; ++unit) {
            const RowAt at = row_at(rows, unit);
            holders(g.axis[0], at.d, in_d);
            holders(g.axis[1], at.h, in_h);
            const int64_t dy_row = layout.offset(at.outer, 1), o_row = layout.offset(at.outer, 2);
            const int64_t dx_row = layout.offset(at.outer, 0) + at.d * dx.stride[0] + at.h * dx.stride[1];
            const int64_t x_row = layout.offset(at.outer, 3) + at.d * x.stride[0] + at.h * x.stride[1];
            const int64_t last = std::min(in_w, (at.segment + 1) * kCells);
            for (int64_t w = at.segment * kCells; w < last; ++w) {
                holders(g.axis[2], w, in_w_);
                for (int64_t first = 0; first < width; first += kLanes) {
                    const int n = static_cast<int>(std::min<int64_t>(kLanes, width - first));
                    Acc sum[kLanes], gradient[kLanes], input[kLanes];
                    std::fill(sum, sum + n, Acc{});
                    if (needs_x)
                        load(dx_type, x.data + x_row + w * x.stride[2] + first * layout.lane.stride[3],
                             layout.lane.stride[3], n, input);
                    for (const Holder& a : in_d)
                        for (const Holder& b : in_h)
                            for (const Holder& c : in_w_) {
                                load(g_type,
                                     dy.data + dy_row + a.out * dy.stride[0] + b.out * dy.stride[1] +
                                         c.out * dy.stride[2] + first * layout.lane.stride[1],
                                     layout.lane.stride[1], n, gradient);
                                const Share share{a.out, b.out, c.out, (a.tap * box_h + b.tap) * box_w + c.tap,
                                                  o_row + a.out * o.stride[0] + b.out * o.stride[1] +
                                                      c.out * o.stride[2] + first * layout.lane.stride[2],
                                                  layout.lane.stride[2]};
                                rule.add(share, gradient, n, sum, input);
                                if (!ticker.go_on(n)) return;
                            }
                    rule.finish(sum, input, n);
                    store(dx_type, dx.data + dx_row + w * dx.stride[2] + first * layout.lane.stride[0],
                          layout.lane.stride[0], n, sum);
                    if (!ticker.go_on(n)) return;
                }
            }
        }
    });
}

}  // namespace cenote
