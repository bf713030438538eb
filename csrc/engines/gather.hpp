// What a cell of the gradient collects from, prepared for a whole axis: plain data for the vector engines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "geometry.hpp"

namespace cenote {

// The windows that hold a cell, in ascending order, for every cell of an axis.
struct Gathered {
    std::vector<int64_t> first;     // of cell x: entries [first[x], first[x + 1])
    std::vector<int64_t> out, tap;  // which output, and which of its taps the cell is
    int64_t most = 0;               // of one cell

    explicit Gathered(const AxisTable& axis) : first(static_cast<size_t>(axis.in) + 1, 0) {
        const auto each = [&](const auto& f) {
            for (size_t i = 0; i < axis.start.size(); ++i)
                for (int64_t j = 0; j < axis.count[i]; ++j) f(axis.start[i] + j * axis.step[i], i, j);
        };
        each([&](int64_t x, size_t, int64_t) { ++first[static_cast<size_t>(x) + 1]; });
        for (size_t x = 1; x < first.size(); ++x) {
            most = std::max(most, first[x]);
            first[x] += first[x - 1];
        }
        out.resize(static_cast<size_t>(first.back()));
        tap.resize(out.size());
        std::vector<int64_t> next(first.begin(), first.end() - 1);
        each([&](int64_t x, size_t i, int64_t j) {
            const auto at = static_cast<size_t>(next[static_cast<size_t>(x)]++);
            out[at] = static_cast<int64_t>(i), tap[at] = j;
        });
    }

    // The outputs from the first to behind the last that cells [begin, end) collect from.
    struct Outputs {
        int64_t first = 0, end = 0;
        int64_t size() const { return end - first; }
    };
    Outputs outputs_of(int64_t begin, int64_t end) const {
        const auto low = out.begin() + first[static_cast<size_t>(begin)],
                   high = out.begin() + first[static_cast<size_t>(end)];
        if (low == high) return {};
        const auto [least, largest] = std::minmax_element(low, high);
        return {*least, *largest + 1};
    }

    // How many entries an axis has.
    static double size(const AxisTable& axis) {
        double all = static_cast<double>(axis.in);
        for (const int64_t n : axis.count) all += static_cast<double>(n);
        return all;
    }
};

// Sliding windows move by `stride` cells: cells x = stride * q + r of one residue r are taps of the same numbers, those
// of outputs q + shift. In ascending order of the outputs.
struct Residues {
    std::vector<int64_t> first;  // of residue r: entries [first[r], first[r + 1])
    std::vector<int64_t> tap, shift;
    int64_t least = 0, most = 0;  // shifts

    explicit Residues(const Sliding& s) {
        for (int64_t r = 0; r < s.stride; ++r) {
            first.push_back(static_cast<int64_t>(tap.size()));
            for (int64_t j = s.k; j-- > 0;) {
                const int64_t far = r + s.lo - j * s.dilation;
                if (far % s.stride != 0) continue;
                tap.push_back(j), shift.push_back(far / s.stride);
                least = std::min(least, shift.back()), most = std::max(most, shift.back());
            }
        }
        first.push_back(static_cast<int64_t>(tap.size()));
    }
};

}  // namespace cenote
