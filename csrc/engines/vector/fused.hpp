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

// The last lane of `before` and all but the last of v; all but the first of v and the first of `after`.
template <class W, int... I>
CENOTE_INLINE W shifted_in(W before, W v, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(before, v, (kCount<W> - 1 + I)...);
}
template <class W, int... I>
CENOTE_INLINE W shifted_out(W v, W after, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(v, after, (1 + I)...);
}

// Rows of outputs whose windows have the same taps, each `step` bytes further than the last.
struct RowRun {
    const char* base;  // the first tap of the first window, padding along the row left out
    int64_t rows, step;
    int64_t d_step, h_step;  // between the taps of a window
    int64_t cells, before;   // of a row of the input; cells of padding (0 or 1) in front of them
    int64_t wide;            // outputs in a row
    bool far;                // the input is not in the caches near the processor
    Readable readable;
};

// Windows of ND x NH x size cells. put(row, i, v) takes N outputs of which some may lie past the row. Gives the lanes
// that only the careful twin can merge.
template <class K, int size, int ND, int NH, class Put>
CENOTE_INLINE V<Signed<typename K::In>> fused_rows(const K& k, const RowRun& run, const Put& put) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    using Raw = Vec<typename K::In, kN<Acc>>;
    constexpr int N = kN<Acc>;
    constexpr int64_t item = sizeof(typename K::In);
    using Lanes = std::make_integer_sequence<int, N>;
    V<Signed<typename K::In>> doubts{};
    const char* base = run.base;
    const auto merged = [&](int64_t at, const auto& raw_of) __attribute__((always_inline)) {
        Raw raw[ND * NH];
        CENOTE_UNROLL for (int j = 0; j < NH; ++j) CENOTE_UNROLL for (int i = 0; i < ND; ++i) raw[j * ND + i] =
            raw_of(base + at * item + i * run.d_step + j * run.h_step);
        if constexpr (K::kDoubts)
            CENOTE_UNROLL for (int i = 0; i < ND * NH; i += 2) doubts |=
                k.doubts(raw[i], raw[std::min(i + 1, ND * NH - 1)]);
        W all;
        joined_few<K, 1, NH>(0, &all, [&](int64_t j, W* row) __attribute__((always_inline)) {
            joined_few<K, 1, ND>(
                0, row, [&](int64_t i, W* to) __attribute__((always_inline)) { *to = k.take(raw[j * ND + i]); });
        });
        return all;
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
    for (int64_t r = 0; r < run.rows; ++r, base += run.step) {
        if (run.far && ND * NH > 1 && run.h_step >= 512)
            for (int i = 0; i < ND; ++i)
                for (int j = 0; j < NH; ++j) touch(base + i * run.d_step + j * run.h_step, run.cells * item);
        W low, high;
        if constexpr (size == 2) {
            for (int64_t i = 0; i < run.wide; i += N) {
                columns(2 * i, &low, &high);
                put(r, i, sorted(K::merge(mixed_even(low, high), mixed_odd(low, high))));
            }
        } else if (run.before == 1) {  // cells 2i - 1, 2i, 2i + 1
            W last = splat<W>(k.pad());
            for (int64_t i = 0; i < run.wide; i += N) {
                if (2 * i < run.cells)
                    columns(2 * i, &low, &high);
                else
                    low = high = splat<W>(k.pad());
                const W evens = sorted(mixed_even(low, high)), odds = sorted(mixed_odd(low, high));
                put(r, i, K::merge(K::merge(shifted_in(last, odds, Lanes{}), evens), odds));
                last = odds;
            }
        } else {  // cells 2i, 2i + 1, 2i + 2
            columns(0, &low, &high);
            W evens = sorted(mixed_even(low, high)), pairs = K::merge(evens, sorted(mixed_odd(low, high)));
            for (int64_t i = 0; i < run.wide; i += N) {
                W next = splat<W>(k.pad()), next_pairs = next;
                if (2 * (i + N) < run.cells) {
                    columns(2 * (i + N), &low, &high);
                    next = sorted(mixed_even(low, high)), next_pairs = K::merge(next, sorted(mixed_odd(low, high)));
                }
                put(r, i, K::merge(pairs, shifted_out(evens, next, Lanes{})));
                evens = next, pairs = next_pairs;
            }
        }
    }
    return doubts;
}

// Accumulators to scratch memory.
template <class Acc>
struct ToStage {
    Acc* out;
    int64_t wide;
    CENOTE_INLINE void operator()(int64_t row, int64_t i, V<Acc> v) const { store(out + row * wide + i, v); }
};

// Finished elements to their place, rows one behind the other. `past`: every register of a row is whole and aligned.
template <class F>
struct ToResult {
    const F& finish;
    DivideBy<typename F::Div> by;
    char* out;
    int64_t wide, total;  // elements of a row, and up to the end of what may be written
    bool past;
    CENOTE_INLINE void operator()(int64_t row, int64_t i, V<typename F::Acc> v) const {
        constexpr auto item = static_cast<int64_t>(sizeof(typename F::Out));
        const auto done = finish.give(v, 0, by);
        const int64_t at = row * wide + i;
        if (past) {
            if constexpr (sizeof(done) >= 16) return stream(out + at * item, done);
        }
        if (at + kN<typename F::Acc> <= total)
            store(out + at * item, done);  // what runs over into the next row is written again
        else
            store_part(out + at * item, done, total - at);
    }
};

// Nothing at all where these numbers of rows have no code of their own: see Values::fuses.
template <class K, class Put>
V<Signed<typename K::In>> fused_run(const K& k, int64_t nd, int64_t nh, bool three, const RowRun& run, const Put& put) {
    if (three) {
        if (nh == 3) return fused_rows<K, 3, 1, 3>(k, run, put);
        if (nh == 2) return fused_rows<K, 3, 1, 2>(k, run, put);
        return fused_rows<K, 3, 1, 1>(k, run, put);
    }
    if (nd == 2) return fused_rows<K, 2, 2, 2>(k, run, put);
    if (nh == 2) return fused_rows<K, 2, 1, 2>(k, run, put);
    return fused_rows<K, 2, 1, 1>(k, run, put);
}
