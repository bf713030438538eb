// The axis tables as kernels see them: plain data, 64-bit. Nothing here knows padding words, rounding or layouts.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace cenote {

constexpr int kMostPooled = 3;
constexpr int kLanes = 16;  // outputs computed side by side, and the width of the summation tree

constexpr int64_t kFarthest = int64_t{1} << 62;

// Which number a sum is divided by.
enum class Divisor : int { inside = 0, padded = 1, window = 2, number = 3 };

// How the place of a winning tap is told.
enum class Position : int {
    offsets,  // number of the tap within the window's box: what backward needs
    indices   // flat position over the pooled axes: what people read
};

// A window of k taps, `dilation` cells apart, that moves by `stride` cells and starts `lo` cells before the axis.
// k = 0: the table is no such thing.
struct Sliding {
    int64_t k = 0, stride = 1, dilation = 1, lo = 0;
};

// One pooled axis: output i reads start[i] + j * step[i] for j < count[i]. Its first real tap is number skipped[i] of
// the window: sums join taps by their numbers.
struct AxisTable {
    int64_t in = 1;
    std::vector<int64_t> start{0}, count{1}, step{1}, padded{1}, window{1}, skipped{0};
    int64_t most_taps = 1;
    // For backward: every window that holds x lies between the first i with reach_last[i] >= x and the last i with
    // reach_start[i] <= x. Running maximum and minimum keep that true for tables in any order.
    std::vector<int64_t> reach_last{0}, reach_start{0};
    Sliding slide{1, 1, 1, 0};
    bool identity = true;  // every output is the cell of its own number, and counts for one

    int64_t out() const { return static_cast<int64_t>(start.size()); }

    const std::vector<int64_t>& divisor(Divisor rule) const {
        return rule == Divisor::padded ? padded : rule == Divisor::window ? window : count;
    }

    // Tables come from outside: a wrong one would read memory that is not ours.
    void check_and_prepare() {
        const size_t n = start.size();
        if (count.size() != n || step.size() != n || padded.size() != n || window.size() != n || skipped.size() != n)
            throw std::invalid_argument("axis tables differ in length");
        most_taps = 0;
        reach_last.resize(n);
        reach_start.resize(n);
        int64_t last = -1;
        for (size_t i = 0; i < n; ++i) {
            const int64_t c = count[i];
            if (c < 0 || step[i] < 1 || start[i] < 0 || skipped[i] < 0 || skipped[i] > kFarthest)
                throw std::invalid_argument("axis table entry out of range");
            if (c > 0 && (start[i] >= in || (c - 1) > (in - 1 - start[i]) / step[i]))
                throw std::invalid_argument("axis table reaches outside the input");
            // What no tap is read through still enters address arithmetic, where a large number would overflow.
            if (c == 0) start[i] = skipped[i] = 0;
            if (c <= 1) step[i] = 1;
            most_taps = std::max(most_taps, c);
            if (c > 0) last = std::max(last, start[i] + (c - 1) * step[i]);
            reach_last[i] = last;
        }
        int64_t first = in;
        for (size_t i = n; i-- > 0;) {
            if (count[i] > 0) first = std::min(first, start[i]);
            reach_start[i] = first;
        }
        slide = found_sliding();
        const auto one = [](int64_t taps) { return taps == 1; };
        identity = slide.k == 1 && slide.stride == 1 && slide.lo == 0 && out() == in &&
                   std::all_of(padded.begin(), padded.end(), one) && std::all_of(window.begin(), window.end(), one);
    }

private:
    // Fast engines compute sliding windows without looking into the tables; whatever is not exactly one stays a table.
    Sliding found_sliding() const {
        const size_t n = start.size();
        Sliding s;
        if (n == 0 || in > kFarthest / 4) return s;
        s.k = s.dilation = 1;
        for (size_t i = 0; i < n; ++i) {
            if (skipped[i] > kFarthest / 4 / step[i]) return {};
            s.k = std::max(s.k, skipped[i] + count[i]);
            if (count[i] > 1) s.dilation = step[i];
        }
        const auto base = [&](size_t i) { return start[i] - skipped[i] * s.dilation; };
        s.lo = -base(0);
        s.stride = n > 1 ? base(1) - base(0) : s.k;
        if (s.stride < 1 || s.lo < 0) return {};
        for (size_t i = 0; i < n; ++i) {
            const int64_t at = static_cast<int64_t>(i) * s.stride - s.lo;
            if (count[i] < 1 || base(i) != at || (count[i] > 1 && step[i] != s.dilation)) return {};
            // skipped taps lie before the axis, missing ones behind it
            if (skipped[i] > 0 && start[i] - s.dilation >= 0) return {};
            const int64_t next = start[i] + count[i] * s.dilation;
            if (skipped[i] + count[i] < s.k && next < in) return {};
        }
        return s;
    }
};

// The pooled axes of a call, outermost first, filled up in front with axes of one cell.
struct Geometry {
    std::array<AxisTable, kMostPooled> axis;

    // Largest in-window offset + 1: offsets number the real taps row-major in a box of most_taps per axis.
    uint64_t box() const {
        uint64_t taps = 1;
        for (const AxisTable& a : axis) taps *= static_cast<uint64_t>(std::max<int64_t>(1, a.most_taps));
        return taps;
    }
};

// About how many taps a call over `others` further cells has: what it is going to cost. Capped well below overflow.
inline int64_t taps_in_all(const Geometry& geometry, int64_t others, int64_t lanes) {
    double taps = static_cast<double>(geometry.box()) * static_cast<double>(others) * static_cast<double>(lanes);
    for (const AxisTable& axis : geometry.axis) taps *= static_cast<double>(axis.out());
    return taps < 0x1p60 ? static_cast<int64_t>(taps) : int64_t{1} << 60;
}

}  // namespace cenote
