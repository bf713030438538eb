// Windows that hold whole rows of a map, which fit into a register: a global pool of 7x7 cells.
#pragma once

// Taps 0 .. n of a known or, where n is 0, any number, joined.
template <class K, int n>
CENOTE_INLINE V<typename K::Acc> joined_any(int64_t count, int64_t skipped, const auto& tap) {
    V<typename K::Acc> all;
    if constexpr (n > 0)
        joined_few<K, 1, n>(0, &all, tap);
    else
        joined<K, 1>(count, skipped, &all, tap);
    return all;
}

// One window a plane, n rows high (0: any number); base(r) is where plane number r begins. Results in one row of a sink.
// Gives the lanes that only the careful twin can merge.
template <class K, int n, class Base, class Put>
V<Signed<typename K::In>> reduce_whole(const K k, const Taps taps, int64_t planes, const Base& base, Readable readable,
                                       const Put& put) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    using Raw = Vec<typename K::In, N>;
    using Next = Again<K>;
    V<Signed<typename K::In>> doubts{};
    const int64_t last = (taps.h.count - 1) * taps.h.step + (taps.d.count - 1) * taps.d.step;
    const auto to = put.row(0);
    for (int64_t r = 0; r < planes; r += N) {
        W column[N];
        for (int j = 0; j < N; ++j) {
            const char* from = base(std::min(r + j, planes - 1));
            const bool whole = from + last + sizeof(Raw) <= readable.end;
            const auto row = [&](int64_t offset) __attribute__((always_inline)) {
                const Raw raw = whole ? load<Raw>(from + offset) : raw_at(k, from + offset, taps.w.count, readable);
                if constexpr (K::kDoubts) doubts |= k.doubts(raw, raw);
                return k.take(raw);
            };
            column[j] =
                joined_any<K, n>(taps.h.count, taps.h.skipped, [&](int64_t h, W* down) __attribute__((always_inline)) {
                *down = joined_any<K, n == 0 ? 0 : 1>(taps.d.count, taps.d.skipped,
                                                      [&](int64_t d, W* deep) __attribute__((always_inline)) {
                    *deep = row(h * taps.h.step + d * taps.d.step);
                });
            });
        }
        transpose(column);
        to(r, joined_any<Next, 0>(taps.w.count, taps.w.skipped,
                                  [&](int64_t i, W* one) __attribute__((always_inline)) { *one = column[i]; }));
    }
    return doubts;
}
