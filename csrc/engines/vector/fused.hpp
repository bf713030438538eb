// Windows of two or three cells that move by two: rows are merged and halved in registers, from memory to results.
#pragma once

// Lanes from `first` on become `pad`.
template <class W>
CENOTE_INLINE W cut_off(W v, int64_t first, Element<W> pad) {
    using T = Signed<Element<W>>;
    V<T> lane;
    CENOTE_UNROLL for (int i = 0; i < kCount<W>; ++i) lane[i] = static_cast<T>(i);
    return lane < static_cast<T>(first) ? v : splat<W>(pad);
}

// Rows of outputs whose windows have the same taps, each `step` bytes further than the last.
struct RowRun {
    const char* base;  // the first tap of the first window, padding along the row left out
    int64_t rows, step;
    int64_t first;           // number of the first output row
    int64_t d_step, h_step;  // between the taps of a window
    int64_t cells, before;   // of a row of the input; cells of padding (0 or 1) in front of them
    int64_t wide;            // outputs in a row
    bool far;                // the input is not in the caches near the processor
    Readable readable;
};

// A register from the taps of ND x NH rows, the first of them at p: raw_of(address) reads one.
template <class K, int ND, int NH, class RawOf>
CENOTE_INLINE V<typename K::Acc> merged_rows(const K& k, const RowRun& run, const char* p, const RawOf& raw_of,
                                             [[maybe_unused]] Doubts<typename K::In>& doubts) {
    using W = V<typename K::Acc>;
    Vec<typename K::In, kN<typename K::Acc>> raw[ND * NH];
    CENOTE_UNROLL for (int j = 0; j < NH; ++j) CENOTE_UNROLL for (int i = 0; i < ND; ++i) raw[j * ND + i] =
        raw_of(p + i * run.d_step + j * run.h_step);
    if constexpr (K::kDoubts)
        CENOTE_UNROLL for (int i = 0; i < ND * NH; i += 2) k.doubt(raw[i], raw[std::min(i + 1, ND * NH - 1)], doubts);
    W all;
    joined_few<K, 1, NH>(0, &all, [&](int64_t j, W* row) __attribute__((always_inline)) {
        joined_few<K, 1, ND>(0, row,
                             [&](int64_t i, W* to) __attribute__((always_inline)) { *to = k.take(raw[j * ND + i]); });
    });
    return all;
}

// Windows of ND x NH x size cells; `put` is a sink as in lanes.hpp. Gives the lanes that only the careful
// twin can merge.
template <class K, int size, int ND, int NH, class Put>
CENOTE_INLINE Doubts<typename K::In> fused_rows(const K k, const RowRun run, const Put& put) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    using Raw = Vec<typename K::In, kN<Acc>>;
    constexpr int N = kN<Acc>;
    constexpr int64_t item = sizeof(typename K::In);
    Doubts<typename K::In> doubts{};
    const char* base = run.base;
    const auto merged = [&](int64_t at, const auto& raw_of) __attribute__((always_inline)) {
        return merged_rows<K, ND, NH>(k, run, base + at * item, raw_of, doubts);
    };
    // registers of columns [at, at + 2N), merged over the rows; columns behind the row are padding
    const auto columns = [&](int64_t at, W* low, W* high) __attribute__((always_inline)) {
        const int64_t left = run.cells - at;
        if (left >= 2 * N) {
            const auto whole = [&](const char* p) __attribute__((always_inline)) { return load<Raw>(p); };
            *low = merged(at, whole), *high = merged(at + N, whole);
            return;
        }
        const auto some = [&](int64_t more) {
            return [&, more](const char* p) { return raw_at(k, p, left - more, run.readable); };
        };
        *low = cut_off(merged(at, some(0)), left, k.pad());
        *high = cut_off(merged(at + N, some(N)), left - N, k.pad());
    };
    // rows that far apart are read anyway
    const int64_t ahead = run.h_step == kAhead ? kAhead / 2 : kAhead;
    const auto fetch = [&](int64_t at) __attribute__((always_inline)) {
        if (!run.far) return;
        CENOTE_UNROLL for (int j = 0; j < NH; ++j) CENOTE_UNROLL for (int i = 0; i < ND; ++i) {
            const char* const line = base + at * item + i * run.d_step + j * run.h_step + ahead;
            CENOTE_UNROLL for (int64_t b = 0; b < 2 * N * item; b += 64) __builtin_prefetch(line + b, 0, 2);
        }
    };
    for (int64_t r = 0; r < run.rows; ++r, base += run.step) {
        const auto to = put.row(run.first + r);
        W low, high;
        if constexpr (size == 2 && (K::kPairs || kSplitting<K>)) {
            // Registers of 2N cells, neighbours still side by side. What lies behind a row may be read where all windows
            // are whole: it goes to lanes that nobody wants.
            using Pairs = Vec<typename K::In, 2 * N>;
            const char* const end = base + (ND - 1) * run.d_step + (NH - 1) * run.h_step;
            const int64_t rounded = (run.wide + 2 * N - 1) / (2 * N) * 2 * N;
            const bool whole =
                run.cells >= 2 * rounded || (run.cells >= 2 * run.wide && end + 2 * rounded * item <= run.readable.end);
            const auto pairs = [&](int64_t i, const auto& raw_of) __attribute__((always_inline)) {
                Pairs raw[ND * NH];
                CENOTE_UNROLL for (int j = 0; j < NH; ++j) CENOTE_UNROLL for (int d = 0; d < ND; ++d) raw[j * ND + d] =
                    raw_of(base + 2 * i * item + d * run.d_step + j * run.h_step);
                const auto joined_by = [&](const auto& taken) __attribute__((always_inline)) {
                    W all;
                    joined_few<K, 1, NH>(0, &all, [&](int64_t j, W* row) __attribute__((always_inline)) {
                        joined_few<K, 1, ND>(0, row, [&](int64_t d, W* to_there) __attribute__((always_inline)) {
                            *to_there = taken(raw[j * ND + d]);
                        });
                    });
                    return all;
                };
                if constexpr (K::kPairs)
                    return joined_by([&](Pairs v) __attribute__((always_inline)) { return K::take_pairs(v); });
                else
                    return K::merge(joined_by([&](Pairs v) __attribute__((always_inline)) { return K::take_even(v); }),
                                    joined_by([&](Pairs v) __attribute__((always_inline)) { return K::take_odd(v); }));
            };
            const auto quick = [&](int64_t i) __attribute__((always_inline)) {
                return pairs(i, [&](const char* p) __attribute__((always_inline)) { return load<Pairs>(p); });
            };
            const auto careful = [&](int64_t i) {
                return pairs(i, [&](const char* p) {
                    return load_part<Pairs>(p, run.cells - 2 * i, static_cast<typename K::In>(k.raw_pad()));
                });
            };
            int64_t i = 0;
            if (whole && to.simple(rounded)) {
                for (; i < run.wide; i += 2 * N) {
                    fetch(2 * i);
                    to.put_two(i, quick(i), quick(i + N));
                }
            } else if (whole) {
                for (; i < run.wide; i += N) {
                    fetch(2 * i);
                    to(i, quick(i));
                }
            } else {
                for (; i < run.wide; i += N) to(i, careful(i));
            }
        } else if constexpr (size == 2) {
            for (int64_t i = 0; i < run.wide; i += N) {
                fetch(2 * i);
                columns(2 * i, &low, &high);
                to(i, sorted(K::merge(mixed_even(low, high), mixed_odd(low, high))));
            }
        } else if (run.before == 1) {  // cells 2i - 1, 2i, 2i + 1
            W last = splat<W>(k.pad());
            for (int64_t i = 0; i < run.wide; i += N) {
                fetch(2 * i);
                if (2 * i < run.cells)
                    columns(2 * i, &low, &high);
                else
                    low = high = splat<W>(k.pad());
                const W evens = sorted(mixed_even(low, high)), odds = sorted(mixed_odd(low, high));
                to(i, K::merge(K::merge(shifted_in<1>(last, odds), evens), odds));
                last = odds;
            }
        } else {  // cells 2i, 2i + 1, 2i + 2
            columns(0, &low, &high);
            W evens = sorted(mixed_even(low, high)), pairs = K::merge(evens, sorted(mixed_odd(low, high)));
            for (int64_t i = 0; i < run.wide; i += N) {
                fetch(2 * i);
                W next = splat<W>(k.pad()), next_pairs = next;
                if (2 * (i + N) < run.cells) {
                    columns(2 * (i + N), &low, &high);
                    next = sorted(mixed_even(low, high)), next_pairs = K::merge(next, sorted(mixed_odd(low, high)));
                }
                to(i, K::merge(pairs, shifted_out<1>(evens, next)));
                evens = next, pairs = next_pairs;
            }
        }
    }
    return doubts;
}

// `nd` and `nh` rows along D and H: those that Values::fuses lets through.
template <class K, class Put>
Doubts<typename K::In> fused_run(const K& k, int64_t nd, int64_t nh, bool three, const RowRun& run, const Put& put) {
    if (three) {
        if (nh == 3) return fused_rows<K, 3, 1, 3>(k, run, put);
        if (nh == 2) return fused_rows<K, 3, 1, 2>(k, run, put);
        return fused_rows<K, 3, 1, 1>(k, run, put);
    }
    if (nd == 2) return fused_rows<K, 2, 2, 2>(k, run, put);
    if (nh == 2) return fused_rows<K, 2, 1, 2>(k, run, put);
    return fused_rows<K, 2, 1, 1>(k, run, put);
}
