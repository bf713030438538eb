// The one order in which a window is summed, whatever the layout, the engine, the number of threads or the vector width.
// Axis by axis, D first, then H, then W. Along an axis the taps carry their numbers within the window, padding counted:
// numbers 0 and 1 join, then 2 and 3, then these two pairs, and so on like the leaves of a binary tree; taps in the
// padding are left out, and what remains unpaired at the end joins from the right: 13 taps are 8 + (4 + 1).
// Windows that overlap share the subtrees that a doubling of whole rows computes (x[i] + x[i+1], then two of those, ...),
// rounding errors grow with the logarithm of the window, and no sum is ever taken back.
#pragma once

#include <cstdint>

#include "geometry.hpp"

namespace cenote {

// Joins the taps of one axis, pushed by ascending numbers. N values side by side.
template <class Reducer, class Acc, int N>
class Pairwise {
public:
    explicit Pairwise(int64_t first) : number_(static_cast<uint64_t>(first)) {}

    void push(const Reducer& r, const Acc* tap, int n) {
        Acc carry[N];
        for (int i = 0; i < n; ++i) carry[i] = tap[i];
        int level = 0;
        for (; (number_ >> level) & 1; ++level) {
            if (!((held_ >> level) & 1)) continue;  // its left neighbours lie in the padding
            r.merge(level_[level], carry, n);
            for (int i = 0; i < n; ++i) carry[i] = level_[level][i];
            held_ &= ~(uint64_t{1} << level);
        }
        for (int i = 0; i < n; ++i) level_[level][i] = carry[i];
        held_ |= uint64_t{1} << level;
        ++number_;
    }

    // The join of everything pushed, at least one tap.
    void finish(const Reducer& r, Acc* out, int n) const {
        int level = 0;
        while (!((held_ >> level) & 1)) ++level;
        for (int i = 0; i < n; ++i) out[i] = level_[level][i];
        for (++level; level < kLevels && (held_ >> level); ++level) {
            if (!((held_ >> level) & 1)) continue;
            Acc left[N];
            for (int i = 0; i < n; ++i) left[i] = level_[level][i];
            r.merge(left, out, n);
            for (int i = 0; i < n; ++i) out[i] = left[i];
        }
    }

private:
    static constexpr int kLevels = 64;  // numbers stay below kFarthest + 2^63
    Acc level_[kLevels][N];
    uint64_t number_, held_ = 0;
};

}  // namespace cenote
