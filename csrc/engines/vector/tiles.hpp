// How a problem is cut into tiles, and what a tile needs to know of its windows: nothing here depends on arithmetic.
#pragma once

struct Tiles {
    int64_t planes, h, w;  // per tile: planes, output rows, outputs along a row
    int64_t plane_tiles, h_tiles, w_tiles;

    int64_t total(int64_t d) const { return plane_tiles * d * h_tiles * w_tiles; }
};

// The cells of an axis that outputs [first, end) read, and how many cells of padding lie before and behind them.
struct Reach {
    int64_t first, end, before, behind;
};

inline Reach reach_of(const AxisTable& axis, Part outputs) {
    if (axis.slide.k > 0) {
        const Sliding& s = axis.slide;
        const int64_t first = outputs.first * s.stride - s.lo,
                      end = (outputs.end - 1) * s.stride - s.lo + (s.k - 1) * s.dilation + 1;
        return {std::max<int64_t>(0, first), std::min(axis.in, end), std::max<int64_t>(0, -first),
                std::max<int64_t>(0, end - axis.in)};
    }
    Reach r{axis.in, 0, 0, 0};
    for (auto i = static_cast<size_t>(outputs.first); i < static_cast<size_t>(outputs.end); ++i) {
        r.first = std::min(r.first, axis.start[i]);
        r.end = std::max(r.end, axis.start[i] + (axis.count[i] - 1) * axis.step[i] + 1);
    }
    return r;
}

inline Level level_of(const AxisTable& axis, int64_t output, int64_t stride) {
    const auto i = static_cast<size_t>(output);
    return {axis.count[i], axis.step[i] * stride, axis.skipped[i]};
}

// Inputs larger than this are far away: beyond the second cache of most processors.
constexpr int64_t kFar = 1 << 20;

template <class K>
constexpr bool kFusing = kRich && K::kFuses;
template <class K>
constexpr bool kNearing = kFusing<K> && K::kNears;

// How rows become one: each output alone; several that share rows; a running merge; or by doubling.
enum class Rows { alone, shared, running, doubled };

template <class K>
Rows way_for(const AxisTable& h) {
    const Sliding& s = h.slide;
    if (s.k < 2 || s.stride != 1 || h.out() < 2) return Rows::alone;
    if (K::kIdempotent) return s.dilation != 1 ? Rows::alone : s.k > 30 ? Rows::running : Rows::shared;
    constexpr int64_t most_kept = 1 << 15;  // rows of every size of blocks
    return s.k >= 6 && s.k <= most_kept / s.dilation ? Rows::doubled : Rows::alone;
}

// Windows of two or three cells that move by one, and of at most three rows: see near.hpp.
template <class K>
bool nears(const Problem& p) {
    const AxisTable &d = *p.axis[0], &h = *p.axis[1];
    const Sliding& w = p.axis[2]->slide;
    return kNearing<K> && p.c == 1 && p.x_rows && w.stride == 1 && w.dilation == 1 && (w.k == 2 || w.k == 3) &&
           w.lo < 2 && p.axis[2]->out() > 1 && d.most_taps == 1 && h.most_taps <= 3 &&
           (h.most_taps < 3 || h.slide.k == 3);
}

// Divisors of a tile's outputs, as doubles.
struct Divide {
    Divisor rule;
    double number;
    bool none;  // nothing is divided, or only by `number`
    bool same_w, same_h, same_d;

    Divide(const Problem& p, Divisor r, double n, bool divides) : rule(r), number(divides ? n : 1.0) {
        none = !divides || rule == Divisor::number;
        const auto same = [&](int a) {
            const std::vector<int64_t>& by = p.axis[a]->divisor(rule);
            return none || std::all_of(by.begin(), by.end(), [&](int64_t v) { return v == by[0]; });
        };
        same_d = same(0), same_h = same(1), same_w = same(2);
    }

    double at(const Problem& p, int a, int64_t i) const {
        return static_cast<double>(p.axis[a]->divisor(rule)[static_cast<size_t>(i)]);
    }
    bool same() const { return same_w && same_h && same_d; }
    // of everything, where it is the same
    double only(const Problem& p) const { return none ? number : at(p, 0, 0) * at(p, 1, 0) * at(p, 2, 0); }
};

// Tiles small enough for the caches, large enough to be worth their overhead, enough of them for all threads.
template <class K>
Tiles cut(const Problem& p, int threads) {
    const AxisTable &d = *p.axis[0], &h = *p.axis[1], &w = *p.axis[2];
    const Rows way = nears<K>(p) ? Rows::alone : way_for<K>(h);
    constexpr int64_t item = sizeof(typename K::Acc);
    const auto ceil = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
    Tiles t{};
    t.w = w.out();
    const int64_t per_output = std::max<int64_t>(1, w.in / std::max<int64_t>(1, w.out())) * p.c * item;
    const int64_t halo =
        w.slide.k > 0 && w.slide.stride < w.slide.k ? (w.slide.k - 1) * w.slide.dilation * p.c * item : 0;
    const int64_t usual = way == Rows::alone ? 16384 : way == Rows::shared ? 2048 : 4096;
    const int64_t longest = std::max<int64_t>(usual, 4 * halo);
    if (t.w * per_output > longest) t.w = std::max<int64_t>(1, longest / per_output);
    t.w = std::max<int64_t>(1, ceil(w.out(), ceil(w.out(), t.w)));
    const int64_t row = t.w * per_output + halo;
    int64_t budget = 24 << 10, least = 1;
    if (way == Rows::shared) budget = 64 << 10, least = std::max<int64_t>(8, 2 * h.slide.k);
    if (way == Rows::running || way == Rows::doubled) budget = 256 << 10, least = 2 * h.slide.k;
    t.h = std::min(h.out(), std::max(least, budget / std::max<int64_t>(1, row)));
    t.h = ceil(h.out(), ceil(h.out(), t.h));
    if (way == Rows::shared && t.h > 8 && t.h < h.out()) t.h = ceil(t.h, 8) * 8;
    t.planes = 1;
    if (t.h == h.out() && t.w == w.out() && d.out() == 1)
        t.planes = std::clamp<int64_t>(budget / std::max<int64_t>(1, row * t.h), 1, p.planes);
    // a tile or two for each thread beats full caches
    const auto total = [&] {
        t.plane_tiles = ceil(p.planes, t.planes), t.h_tiles = ceil(h.out(), t.h), t.w_tiles = ceil(w.out(), t.w);
        return t.total(d.out());
    };
    while (total() < 4 * threads && t.planes > 1) t.planes = ceil(t.planes, 2);
    const bool eager = work_per_thread.load(std::memory_order_relaxed) < kWorkPerThread;
    while (total() < 2 * threads && t.h > (eager ? 1 : std::max<int64_t>(8, least))) t.h = ceil(t.h, 2);
    while (eager && total() < threads && t.w > 1) t.w = ceil(t.w, 2);
    return t;
}
