// What one thread of a parallel loop has left to do, and how others take from it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace cenote {

// A range that its owner takes chunks from, at the front, and everybody else halves of, at the back. Begin and end are
// one word, so that both change at once. It orders no memory: what belongs to the loop is handed over by other means.
class Share {
public:
    struct Range {
        uint32_t begin, end;
    };

    // By its owner while it is empty, or before anybody else looks.
    void set(Range r) { word_.store(pack(r), std::memory_order_relaxed); }

    // Chunks shrink with what is left: few at first, and near the end small ones for whoever is idle.
    bool take_front(uint32_t least, Range& taken) {
        return take(taken, [least](Range& left) {
            const uint32_t all = left.end - left.begin;
            const Range front{left.begin, left.begin + std::min(all, std::max(least, all / 4))};
            left.begin = front.end;
            return front;
        });
    }

    // The larger half, so that a single unit goes as well: its owner may not have come yet.
    bool take_back_half(Range& taken) {
        return take(taken, [](Range& left) {
            const Range back{left.begin + (left.end - left.begin) / 2, left.end};
            left.end = back.begin;
            return back;
        });
    }

private:
    static uint64_t pack(Range r) { return uint64_t{r.begin} << 32 | r.end; }

    template <class Cut>
    bool take(Range& taken, const Cut& cut) {
        uint64_t word = word_.load(std::memory_order_relaxed);
        for (;;) {
            Range left{static_cast<uint32_t>(word >> 32), static_cast<uint32_t>(word)};
            if (left.begin >= left.end) return false;
            taken = cut(left);
            if (word_.compare_exchange_weak(word, pack(left), std::memory_order_relaxed)) return true;
        }
    }

    std::atomic<uint64_t> word_{0};
};

}  // namespace cenote
