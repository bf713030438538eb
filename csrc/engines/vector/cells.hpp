// Cells of many elements: output by output from memory to result, with no rows between.
#pragma once

// The taps of windows along each axis.
struct Taps {
    Level d, h, w;
};

// Numbers of taps that are known, or any.
template <int D, int H, int W>
struct Box {
    static bool has(const Taps& t) {
        return t.d.count == D && t.h.count == H && t.w.count == W &&
               t.d.skipped + t.h.skipped + t.w.skipped == 0;  // else the tree does not begin with them
    }
};
struct AnyBox {};

// U registers of one output from all its taps, in memory as they are.
template <class K, int U, int D, int H, int L>
CENOTE_INLINE void join_taps(Box<D, H, L>, V<typename K::Acc>* acc, const Taps& taps, const auto& cell) {
    using W = V<typename K::Acc>;
    joined_few<K, U, L>(0, acc, [&](int64_t l, W* column) __attribute__((always_inline)) {
        joined_few<K, U, H>(0, column, [&](int64_t j, W* row) __attribute__((always_inline)) {
            joined_few<K, U, D>(0, row, [&](int64_t i, W* to) __attribute__((always_inline)) {
                cell(i * taps.d.step + j * taps.h.step + l * taps.w.step, to);
            });
        });
    });
}
template <class K, int U>
CENOTE_INLINE void join_taps(AnyBox, V<typename K::Acc>* acc, const Taps& taps, const auto& cell) {
    using W = V<typename K::Acc>;
    joined<K, U>(taps.w.count, taps.w.skipped, acc, [&](int64_t l, W* column) {
        joined<K, U>(taps.h.count, taps.h.skipped, column, [&](int64_t j, W* row) {
            joined<K, U>(taps.d.count, taps.d.skipped, row,
                         [&](int64_t i, W* to) { cell(i * taps.d.step + j * taps.h.step + l * taps.w.step, to); });
        });
    });
}

template <class K, int U, class B>
CENOTE_INLINE void reduce_taps(const K& k, const char* base, const Taps& taps, int64_t left, Readable readable,
                               V<typename K::Acc>* acc, [[maybe_unused]] Doubts<typename K::In>* doubts) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    using Raw = Vec<typename K::In, N>;
    const auto cell = [&](int64_t offset, W* to) __attribute__((always_inline)) {
        const char* p = base + offset;
        Raw raw[U];
        CENOTE_UNROLL for (int u = 0; u < U; ++u) raw[u] =
            U > 1 ? load<Raw>(p + u * static_cast<int>(sizeof(Raw))) : raw_at(k, p, left, readable);
        if constexpr (K::kDoubts) {
            CENOTE_UNROLL for (int u = 0; u < U; u += 2) k.doubt(raw[u], raw[std::min(u + 1, U - 1)], *doubts);
        }
        CENOTE_UNROLL for (int u = 0; u < U; ++u) to[u] = k.take(raw[u]);
    };
    join_taps<K, U>(B{}, acc, taps, cell);
}

// Outputs one behind the other, `far` bytes between their windows, which have the same taps; c elements each. to(i, v)
// takes results as in lanes.hpp, from element `at` on. Gives the lanes that only the careful twin can merge.
template <class K, class B, class Row>
Doubts<typename K::In> reduce_cells(const K k, const char* base, const Taps taps, int64_t far, int64_t outputs,
                                    int64_t c, Readable readable, const Row to, int64_t at, bool far_away) {
    constexpr int N = kN<typename K::Acc>, U = 4;
    constexpr int64_t item = sizeof(typename K::In);
    Doubts<typename K::In> doubts{};
    for (int64_t o = 0; o < outputs; ++o, base += far, at += c) {
        int64_t i = 0;
        if (far_away)
            for (int64_t j = 0; j < taps.h.count; ++j)
                for (int64_t b = 0; b < far; b += 64) __builtin_prefetch(base + j * taps.h.step + b + kAhead, 0, 2);
        const auto step = [&](auto some) __attribute__((always_inline)) {
            constexpr int M = decltype(some)::value;
            V<typename K::Acc> acc[M];
            reduce_taps<K, M, B>(k, base + i * item, taps, c - i, readable, acc, &doubts);
            if constexpr (M % 2 == 0) {
                CENOTE_UNROLL for (int u = 0; u < M; u += 2) to(at + i + u * N, acc[u], acc[u + 1]);
            } else {
                to(at + i, acc[0]);
            }
            i += M * N;
        };
        if constexpr (kSplitting<K>)
            for (; i + 2 * N <= c; i += 2 * N) {
                V<typename K::Acc> half[2];
                join_taps<K, 2>(B{}, half, taps, [&](int64_t offset, V<typename K::Acc>* of) {
                    const auto raw = load<Vec<typename K::In, 2 * N>>(base + i * item + offset);
                    of[0] = K::take_even(raw), of[1] = K::take_odd(raw);
                });
                to.put_split(at + i, half[0], half[1]);
            }
        while (i + U * N <= c) step(std::integral_constant<int, U>{});
        if (i + 2 * N <= c) step(std::integral_constant<int, 2>{});
        while (i < c) step(std::integral_constant<int, 1>{});
    }
    return doubts;
}
