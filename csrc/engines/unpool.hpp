// Unpooling: every value to the cell that its index names, the last writer of a cell staying.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "dtype.hpp"
#include "engines/layout.hpp"
#include "threads/parallel.hpp"

namespace cenote {

// What was found before anything is written.
struct IndexCheck {
    bool ok = true;
    int64_t bad = 0;
};

struct UnpoolShape {
    std::array<int64_t, kMostPooled> in{1, 1, 1};   // of values and indices
    std::array<int64_t, kMostPooled> out{1, 1, 1};  // of the result
    int64_t total() const { return out[0] * out[1] * out[2]; }
};

constexpr int64_t kStretch = 4096;  // entries between reports to the ticker: a row may be the whole call

// Calls each(value offset, index) for every entry of one outer position, row-major; false, and no more calls, once
// `each` says false or the call is stopped.
template <class Each>
bool each_index(const Layout& layout, const UnpoolShape& s, int64_t outer, Ticker& ticker, const Each& each) {
    const Array &y = layout.array[0], &i = layout.array[1];
    const int64_t y0 = layout.offset(outer, 0), i0 = layout.offset(outer, 1);
    for (int64_t d = 0; d < s.in[0]; ++d)
        for (int64_t h = 0; h < s.in[1]; ++h) {
            const int64_t y_row = y0 + d * y.stride[0] + h * y.stride[1];
            const char* i_row = i.data + i0 + d * i.stride[0] + h * i.stride[1];
            for (int64_t from = 0; from < s.in[2]; from += kStretch) {
                const int64_t to = std::min(s.in[2], from + kStretch);
                for (int64_t w = from; w < to; ++w)
                    if (!each(y_row + w * y.stride[2], peek<int64_t>(i_row + w * i.stride[2]))) return false;
                if (!ticker.go_on(to - from)) return false;
            }
        }
    return true;
}

// Zeros in every cell of one outer position of array 2; false once the call is stopped.
inline bool clear(const Layout& layout, const UnpoolShape& s, int64_t outer, int64_t size, Ticker& ticker) {
    const Array& out = layout.array[2];
    for (int64_t d = 0; d < s.out[0]; ++d)
        for (int64_t h = 0; h < s.out[1]; ++h) {
            char* row = out.data + layout.offset(outer, 2) + d * out.stride[0] + h * out.stride[1];
            if (out.stride[2] == size)
                std::memset(row, 0, static_cast<size_t>(s.out[2] * size));
            else
                for (int64_t w = 0; w < s.out[2]; ++w)
                    std::memset(row + w * out.stride[2], 0, static_cast<size_t>(size));
            if (!ticker.go_on(1 + s.out[2] / 16)) return false;
        }
    return true;
}

// Arrays: 0 = values, 1 = indices, 2 = result, which need not hold anything yet.
inline IndexCheck unpool(const Layout& layout, const UnpoolShape& s, DType type, int threads, Control& control) {
    const int64_t total = s.total(), size = item_size(type), outer = layout.outer_total();
    const int64_t work = outer * s.in[0] * s.in[1] * s.in[2];
    const Array &y = layout.array[0], &out = layout.array[2];
    std::atomic<int64_t> bad{0};
    std::atomic<bool> ok{true};
    parallel_for(outer, work, threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
        for (int64_t k = begin; k < end; ++k) {
            const bool all = each_index(layout, s, k, ticker, [&](int64_t, int64_t index) {
                if (index >= -1 && index < total) return true;
                bad = index;
                ok = false;
                return false;
            });
            if (!all) return;
        }
    });
    if (!ok) return {false, bad};
    parallel_for(outer, work, threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
        for (int64_t k = begin; k < end; ++k) {
            const int64_t base = layout.offset(k, 2);
            if (!clear(layout, s, k, size, ticker)) return;
            const bool all = each_index(layout, s, k, ticker, [&](int64_t value, int64_t index) {
                // Looked at again: another thread may have changed the array since the check.
                if (index < 0 || index >= total) return true;
                const int64_t w = index % s.out[2], row = index / s.out[2];
                copy_item(out.data + base + (row / s.out[1]) * out.stride[0] + (row % s.out[1]) * out.stride[1] +
                              w * out.stride[2],
                          y.data + value, size);
                return true;
            });
            if (!all) return;
        }
    });
    return {};
}

}  // namespace cenote
