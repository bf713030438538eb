// Backward: every row of the gradient collects from the windows that hold it, in row-major order of the outputs, into
// a row of accumulators, and is written once. The same bits for any number of threads, no atomics.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
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

// The windows of one axis that hold cell x, in ascending order. Returns how many were looked at: far more than found
// where a table is in no order.
inline int64_t holders(const AxisTable& axis, int64_t x, std::vector<Holder>& found) {
    found.clear();
    const auto first = std::lower_bound(axis.reach_last.begin(), axis.reach_last.end(), x) - axis.reach_last.begin();
    auto i = static_cast<size_t>(first);
    for (; i < axis.start.size() && axis.reach_start[i] <= x; ++i) {
        const int64_t far = x - axis.start[i];
        if (far < 0) continue;
        const int64_t step = axis.step[i], tap = step == 1 ? far : far / step;
        if (tap < axis.count[i] && (step == 1 || tap * step == far)) found.push_back({static_cast<int64_t>(i), tap});
    }
    return static_cast<int64_t>(i) - first;
}

// n outputs side by side as a gradient rule sees them: one place along W and n lanes.
template <class Acc>
struct Upstream {
    const Acc* g;
    int n;
    int64_t d, h, w;       // the output
    int64_t first, cells;  // its taps among this row's cells: `cells` taps from cell `first`, `step` apart ...
    int64_t step;          // ... (cells counted from the row's first)
    const Acc* x;          // the row's input, n values per cell, where the rule asks for it
    Acc* dx;               // the row's accumulators, n per cell
};

// sum, avg: every real tap receives g / divisor.
template <class Acc>
struct Spread {
    static constexpr bool kSelects = false, kNeedsX = false;  // nor y, which comes along with x
    Divisors divisors;
    bool divides;

    void add(const Upstream<Acc>& u, const Acc*) const {
        Acc share[kLanes];
        std::copy(u.g, u.g + u.n, share);
        if (divides) {
            const double by = divisors.at(u.d, u.h, u.w).real;
            for (int i = 0; i < u.n; ++i) share[i] = divided(share[i], by);
        }
        Acc* to = u.dx + u.first * u.n;
        for (int64_t j = 0; j < u.cells; ++j, to += u.step * u.n)
            for (int i = 0; i < u.n; ++i) to[i] = to[i] + share[i];
    }
    void finish(Acc*, const Acc*, int64_t) const {}
};

// lp: the sign of x, once the shares are added up. A cell that received nothing stays 0 even where x is NaN.
template <class Acc>
inline void with_sign_of(Acc* dx, const Acc* x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
        const Acc sign = x[i] > 0 ? Acc(1) : x[i] < 0 ? Acc(-1) : x[i];
        dx[i] = sign == Acc(0) || dx[i] == Acc(0) ? Acc(0) : dx[i] * sign;
    }
}

// lp, finite p: g * sign(x) * (|x| / y)^(p - 1). `other` is y.
template <class Acc>
struct LpShare {
    static constexpr bool kSelects = false, kNeedsX = true;
    double p;

    void add(const Upstream<Acc>& u, const Acc* y) const {
        for (int64_t j = 0; j < u.cells; ++j) {
            const int64_t cell = (u.first + j * u.step) * u.n;
            for (int i = 0; i < u.n; ++i) {
                const Acc size = std::abs(u.x[cell + i]);
                if (y[i] == Acc(0) || (size == Acc(0) && p < 1)) continue;
                const Acc ratio = p == 1.0 ? Acc(1) : size / y[i];
                const Acc power = p == 1.0 || p == 2.0 ? ratio : std::pow(ratio, static_cast<Acc>(p - 1));
                u.dx[cell + i] = u.dx[cell + i] + u.g[i] * power;
            }
        }
    }
    void finish(Acc* dx, const Acc* x, int64_t n) const { with_sign_of(dx, x, n); }
};

// max, min: only the winning tap receives. lp at p = infinity too, with the sign of x.
template <class Acc, bool signed_by_x>
struct ToWinner {
    static constexpr bool kSelects = true, kNeedsX = signed_by_x;

    void finish(Acc* dx, const Acc* x, int64_t n) const {
        if constexpr (signed_by_x) with_sign_of(dx, x, n);
    }
};

// The cells of one row of the gradient that are worked on together: [begin, end) along W.
constexpr int64_t kCells = 2048;

// Arrays: 0 = dx, 1 = g, 2 = offsets or y (or none), 3 = x (or none).
template <class Acc, class Rule>
class Backward {
public:
    Backward(const Rule& rule, const Geometry& g, const Layout& layout, DType dx_type, DType g_type, DType other_type)
        : rule_(rule), g_(g), layout_(layout), dx_type_(dx_type), g_type_(g_type), other_type_(other_type) {
        layout_.choose_lane();
        box_h_ = std::max<int64_t>(1, g.axis[1].most_taps);
        box_w_ = std::max<int64_t>(1, g.axis[2].most_taps);
    }

    void run(int threads, Control& control) const {
        const int64_t in_w = g_.axis[2].in, lanes = layout_.lane.extent;
        const Rows rows{layout_.outer_total(), g_.axis[0].in, g_.axis[1].in, (in_w + kCells - 1) / kCells};
        parallel_for(rows.total(), taps_in_all(g_, rows.outer, lanes), threads, control,
                     [&](int64_t begin, int64_t end, Ticker& ticker) {
            Scratch scratch;
            const auto size = static_cast<size_t>(std::min(kCells, in_w) * std::min<int64_t>(kLanes, lanes));
            scratch.dx.resize(size);
            if (Rule::kNeedsX) scratch.x.resize(size);
            for (int64_t unit = begin; unit < end; ++unit)
                if (!row(row_at(rows, unit), scratch, ticker)) return;
        });
    }

private:
    struct Scratch {
        std::vector<Acc> dx, x;
        std::vector<Holder> in_d, in_h;
    };

    bool row(const RowAt& at, Scratch& s, Ticker& ticker) const {
        const Array &dx = layout_.array[0], &x = layout_.array[3];
        const int64_t looked_at = holders(g_.axis[0], at.d, s.in_d) + holders(g_.axis[1], at.h, s.in_h);
        if (!ticker.go_on(looked_at)) return false;
        const int64_t begin = at.segment * kCells, end = std::min(g_.axis[2].in, begin + kCells);
        const int64_t dx_row = layout_.offset(at.outer, 0) + at.d * dx.stride[0] + at.h * dx.stride[1];
        const int64_t x_row = layout_.offset(at.outer, 3) + at.d * x.stride[0] + at.h * x.stride[1];
        const int64_t lanes = layout_.lane.extent;
        for (int64_t first = 0; first < lanes; first += kLanes) {
            const int n = static_cast<int>(std::min<int64_t>(kLanes, lanes - first));
            const int64_t total = (end - begin) * n;
            std::fill(s.dx.begin(), s.dx.begin() + total, Acc{});
            if (Rule::kNeedsX)
                transfer<true>(x.data + x_row + first * layout_.lane.stride[3], x.stride[2], layout_.lane.stride[3],
                               begin, end, n, s.x.data());
            for (const Holder& a : s.in_d)
                for (const Holder& b : s.in_h)
                    if (!collect(at, a, b, begin, end, first, n, s, ticker)) return false;
            rule_.finish(s.dx.data(), s.x.data(), total);
            transfer<false>(dx.data + dx_row + first * layout_.lane.stride[0], dx.stride[2], layout_.lane.stride[0],
                            begin, end, n, s.dx.data());
            if (!ticker.go_on(total)) return false;
        }
        return true;
    }

    // Between a row in memory and its accumulators (n lanes per cell).
    template <bool loading>
    void transfer(char* row, int64_t stride, int64_t lane, int64_t begin, int64_t end, int n, Acc* cells) const {
        const bool single = n == 1;  // then neighbouring cells, not lanes, make a run
        const int64_t run = single ? kLanes : 1;
        for (int64_t w = begin; w < end; w += run) {
            const int m = single ? static_cast<int>(std::min(run, end - w)) : n;
            char* at = row + w * stride;
            Acc* cell = cells + (w - begin) * n;
            if constexpr (loading)
                load(dx_type_, at, single ? stride : lane, m, cell);
            else
                store(dx_type_, at, single ? stride : lane, m, cell);
        }
    }

    // What the outputs of row (a.out, b.out) give to the cells [begin, end).
    bool collect(const RowAt& at, const Holder& a, const Holder& b, int64_t begin, int64_t end, int64_t first, int n,
                 Scratch& s, Ticker& ticker) const {
        const AxisTable& axis = g_.axis[2];
        const Array &dy = layout_.array[1], &o = layout_.array[2];
        const char* g_row = dy.data + layout_.offset(at.outer, 1) + a.out * dy.stride[0] + b.out * dy.stride[1] +
                            first * layout_.lane.stride[1];
        const char* o_row = o.data == nullptr ? nullptr
                                              : o.data + layout_.offset(at.outer, 2) + a.out * o.stride[0] +
                                                    b.out * o.stride[1] + first * layout_.lane.stride[2];
        const int64_t row_code = (a.tap * box_h_ + b.tap) * box_w_;
        const int64_t outputs = axis.out();
        const int64_t from =
            std::lower_bound(axis.reach_last.begin(), axis.reach_last.end(), begin) - axis.reach_last.begin();
        const bool single = n == 1;
        const int64_t run = single ? kLanes : 1;
        for (int64_t w = from; w < outputs && axis.reach_start[static_cast<size_t>(w)] < end; w += run) {
            const int m = static_cast<int>(std::min(run, outputs - w));  // outputs in this run
            const int values = single ? m : n;
            Acc g[kLanes];
            load(g_type_, g_row + w * dy.stride[2], single ? dy.stride[2] : layout_.lane.stride[1], values, g);
            const int64_t o_stride = single ? o.stride[2] : layout_.lane.stride[2];
            if constexpr (Rule::kSelects) {
                int64_t code[kLanes];
                load(other_type_, o_row + w * o.stride[2], o_stride, values, code);
                for (int i = 0; i < values; ++i) {
                    const auto out = static_cast<size_t>(w + (single ? i : 0));
                    // Unsigned: offsets come from outside, and no difference of theirs may overflow.
                    const uint64_t tap = static_cast<uint64_t>(code[i]) - static_cast<uint64_t>(row_code);
                    if (tap >= static_cast<uint64_t>(axis.count[out])) continue;  // won in another row; or nobody won
                    const int64_t cell = axis.start[out] + static_cast<int64_t>(tap) * axis.step[out];
                    if (cell < begin || cell >= end) continue;
                    Acc& to = s.dx[static_cast<size_t>((cell - begin) * n + (single ? 0 : i))];
                    to = to + g[i];
                }
            } else {
                Acc other[kLanes] = {};
                if constexpr (Rule::kNeedsX) load(other_type_, o_row + w * o.stride[2], o_stride, values, other);
                for (int i = 0; i < m; ++i) {
                    const auto out = static_cast<size_t>(w + i);
                    const int64_t start = axis.start[out], step = axis.step[out];
                    const int64_t low = start >= begin ? 0 : (begin - start + step - 1) / step;
                    const int64_t high = std::min(axis.count[out], start < end ? (end - 1 - start) / step + 1 : 0);
                    if (low >= high) continue;
                    rule_.add({g + i, n, a.out, b.out, w + i, start + low * step - begin, high - low, step, s.x.data(),
                               s.dx.data()},
                              other + i);
                    if (!ticker.go_on((high - low) * n)) return false;
                }
            }
            if (!ticker.go_on(values)) return false;
        }
        return true;
    }

    Rule rule_;
    const Geometry& g_;
    Layout layout_;
    DType dx_type_, g_type_, other_type_;
    int64_t box_h_, box_w_;
};

}  // namespace cenote
