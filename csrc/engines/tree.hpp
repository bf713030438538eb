// The one order in which a window is summed, whatever the layout, the number of threads or the vector width:
//   a column (all taps at one W) adds rows in order, in blocks of 16 rows; blocks join pairwise;
//   fewer than 16 columns join left to right; more go to 16 lanes (column j to lane j % 16, blocks of 128 columns),
//   the lanes fold in halves, and the blocks join pairwise.
// Rounding errors grow with the logarithm of the window, and no sum is ever taken back.
#pragma once

#include <cstdint>

#include "geometry.hpp"

namespace cenote {

constexpr int kBlockRows = 16;
constexpr int kBlockColumns = 128;

// Joins equal-sized partial results pairwise, like carrying in a binary counter. N values side by side.
template <class Reducer, class Acc, int N>
class Pairwise {
public:
    void push(const Reducer& r, const Acc* partial, int n) {
        Acc carry[N];
        for (int i = 0; i < n; ++i) carry[i] = partial[i];
        int level = 0;
        for (; (count_ >> level) & 1; ++level) {
            r.merge(level_[level], carry, n);
            for (int i = 0; i < n; ++i) carry[i] = level_[level][i];
        }
        for (int i = 0; i < n; ++i) level_[level][i] = carry[i];
        ++count_;
    }

    // The join of everything pushed, later partials on the right. At least one push.
    void finish(const Reducer& r, Acc* out, int n) const {
        int level = 0;
        while (!((count_ >> level) & 1)) ++level;
        for (int i = 0; i < n; ++i) out[i] = level_[level][i];
        for (++level; level < kLevels && (count_ >> level); ++level) {
            if (!((count_ >> level) & 1)) continue;
            Acc left[N];
            for (int i = 0; i < n; ++i) left[i] = level_[level][i];
            r.merge(left, out, n);
            for (int i = 0; i < n; ++i) out[i] = left[i];
        }
    }

private:
    static constexpr int kLevels = 60;
    Acc level_[kLevels][N];
    uint64_t count_ = 0;
};

// Folds lanes a[0..m), each of n values, in halves: lane l takes lane l + width.
template <class Reducer, class Acc, int N>
inline void fold(const Reducer& r, Acc (*a)[N], int m, int n) {
    for (int width = kLanes / 2; width > 0; width /= 2) {
        for (int l = 0; l < width && l + width < m; ++l) r.merge(a[l], a[l + width], n);
        if (m > width) m = width;
    }
}

}  // namespace cenote
