// How an engine walks an array: pooled axes, the other axes, and which outputs are computed side by side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "geometry.hpp"

namespace cenote {

constexpr int kMostArrays = 4;

// One axis that is not pooled: its length and the byte stride of each array of the call.
struct Loop {
    int64_t extent = 1;
    std::array<int64_t, kMostArrays> stride{};
};

// A short list of loops, kept in place: the heap would cost a call on a small map more than its pooling does. Only what
// is in use is ever written or copied.
class Loops {
public:
    static constexpr size_t kMost = 64;  // axes of a NumPy array

    Loops() = default;
    Loops(const Loops& other) { *this = other; }
    Loops& operator=(const Loops& other) {
        if (this != &other) std::memcpy(room_, other.room_, other.size_ * sizeof(Loop));
        size_ = other.size_;
        return *this;
    }

    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    const Loop* begin() const { return reinterpret_cast<const Loop*>(room_); }
    const Loop* end() const { return begin() + size_; }
    const Loop& operator[](size_t i) const { return begin()[i]; }

    void push_back(const Loop& loop) {
        if (size_ == kMost) throw std::length_error("an array has too many axes");
        std::memcpy(room_ + size_++ * sizeof(Loop), &loop, sizeof(Loop));
    }

    void replace(size_t i, const Loop& loop) { std::memcpy(room_ + i * sizeof(Loop), &loop, sizeof(Loop)); }

    void erase(size_t i) {
        std::memmove(room_ + i * sizeof(Loop), room_ + (i + 1) * sizeof(Loop), (--size_ - i) * sizeof(Loop));
    }

private:
    static_assert(std::is_trivially_copyable_v<Loop>);
    size_t size_ = 0;
    alignas(Loop) unsigned char room_[kMost * sizeof(Loop)];
};

// An array of the call: its first byte and its byte strides along the (filled-up) pooled axes.
struct Array {
    char* data = nullptr;
    std::array<int64_t, kMostPooled> stride{};
};

struct Layout {
    Loops outer;  // outermost first; never holds the side-by-side axis
    Loop lane;    // the other axis computed side by side; extent 1 when neighbours along W are
    std::array<Array, kMostArrays> array;

    int64_t outer_total() const {
        int64_t n = 1;
        for (const Loop& loop : outer) n *= loop.extent;
        return n;
    }

    // Byte offset of array `a` at outer position `index`.
    int64_t offset(int64_t index, int a) const {
        int64_t bytes = 0;
        for (size_t i = outer.size(); i-- > 0;) {
            bytes += (index % outer[i].extent) * outer[i].stride[static_cast<size_t>(a)];
            index /= outer[i].extent;
        }
        return bytes;
    }

    // Moves the other axis whose cells lie closest together in array 0 into `lane`, if that beats walking along W.
    void choose_lane() {
        constexpr int64_t kWorthwhile = 8;
        size_t best = outer.size();
        const auto distance = [](int64_t stride) { return stride < 0 ? -stride : stride; };
        for (size_t i = 0; i < outer.size(); ++i)
            if (outer[i].extent >= kWorthwhile && distance(outer[i].stride[0]) < distance(array[0].stride[2]) &&
                (best == outer.size() || distance(outer[i].stride[0]) < distance(outer[best].stride[0])))
                best = i;
        if (best == outer.size()) return;
        lane = outer[best];
        outer.erase(best);
    }
};

// Neighbouring outputs along W whose windows are the same, moved by a constant distance: computed side by side.
struct Run {
    int64_t first, n, distance;  // distance in input cells
};

inline std::vector<Run> runs_along(const AxisTable& axis, int64_t most) {
    std::vector<Run> runs;
    for (int64_t i = 0; i < axis.out();) {
        const auto at = [](const std::vector<int64_t>& v, int64_t k) { return v[static_cast<size_t>(k)]; };
        int64_t n = 1;
        const int64_t distance = i + 1 < axis.out() ? at(axis.start, i + 1) - at(axis.start, i) : 0;
        while (n < most && i + n < axis.out() && at(axis.count, i + n) == at(axis.count, i) &&
               at(axis.step, i + n) == at(axis.step, i) && at(axis.padded, i + n) == at(axis.padded, i) &&
               at(axis.window, i + n) == at(axis.window, i) && at(axis.skipped, i + n) == at(axis.skipped, i) &&
               at(axis.start, i + n) - at(axis.start, i + n - 1) == distance)
            ++n;
        runs.push_back({i, n, n > 1 ? distance : 0});
        i += n;
    }
    return runs;
}

// A row of outputs along W is cut into segments, so that one long row still makes work for several threads.
constexpr int64_t kSegment = 128;  // runs per segment; backward, which cuts rows of cells, has kCells

struct Rows {
    int64_t outer, d, h, segments;
    int64_t total() const { return outer * d * h * segments; }
};

struct RowAt {
    int64_t outer, d, h, segment;
};

inline RowAt row_at(const Rows& rows, int64_t unit) {
    RowAt at{};
    at.segment = unit % rows.segments;
    unit /= rows.segments;
    at.h = unit % rows.h;
    unit /= rows.h;
    at.d = unit % rows.d;
    at.outer = unit / rows.d;
    return at;
}

}  // namespace cenote
