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

// One output row of windows of ND x NH x size cells, `wide` results: w cells from `base` on, `before` (0 or 1) of padding in front. Gives the lanes that
// the careful twin must see again. Up to one register past the results may be written.
template <class K, int size, int ND, int NH>
V<Signed<typename K::In>> fused_row(const K& k, const char* base, int64_t d_step, int64_t h_step, int64_t w,
                                    int64_t before, int64_t wide, Readable readable, typename K::Acc* out) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    using Raw = Vec<typename K::In, kN<Acc>>;
    constexpr int N = kN<Acc>;
    constexpr int64_t item = sizeof(typename K::In);
    using Lanes = std::make_integer_sequence<int, N>;
    V<Signed<typename K::In>> doubts{};
    const auto merged = [&](int64_t at, const auto& raw) __attribute__((always_inline)) {
        W all;
        joined_few<K, 1, NH>(0, &all, [&](int64_t j, W* row) __attribute__((always_inline)) {
            joined_few<K, 1, ND>(0, row, [&](int64_t i, W* to) __attribute__((always_inline)) {
                *to = k.take(raw(base + at * item + i * d_step + j * h_step));
            });
        });
        return all;
    };
    // registers of columns [at, at + 2N), merged over the rows; columns behind the row are padding
    const auto columns = [&](int64_t at, W* low, W* high) __attribute__((always_inline)) {
        const int64_t left = w - at;
        if (left >= 2 * N) {
            const auto whole = [&](const char* p) __attribute__((always_inline)) {
                const Raw v = load<Raw>(p);
                if constexpr (K::kDoubts) doubts |= k.doubts(v, v);
                return v;
            };
            *low = merged(at, whole), *high = merged(at + N, whole);
            return;
        }
        const auto some = [&](int64_t more) {
            return [&, more](const char* p) {
                const Raw v = raw_at(k, p, left - more, readable);
                if constexpr (K::kDoubts) doubts |= k.doubts(v, v);
                return v;
            };
        };
        *low = cut_off(merged(at, some(0)), left, k.pad());
        *high = cut_off(merged(at + N, some(N)), left - N, k.pad());
    };
    W low, high;
    if constexpr (size == 2) {
        for (int64_t i = 0; i < wide; i += N) {
            columns(2 * i, &low, &high);
            store(out + i, sorted(K::merge(mixed_even(low, high), mixed_odd(low, high))));
        }
        return doubts;
    }
    if (before == 1) {  // cells 2i - 1, 2i, 2i + 1
        W last = splat<W>(k.pad());
        for (int64_t i = 0; i < wide; i += N) {
            if (2 * i < w)
                columns(2 * i, &low, &high);
            else
                low = high = splat<W>(k.pad());
            const W evens = sorted(mixed_even(low, high)), odds = sorted(mixed_odd(low, high));
            store(out + i, K::merge(K::merge(shifted_in(last, odds, Lanes{}), evens), odds));
            last = odds;
        }
        return doubts;
    }
    columns(0, &low, &high);  // cells 2i, 2i + 1, 2i + 2
    W evens = sorted(mixed_even(low, high)), pairs = K::merge(evens, sorted(mixed_odd(low, high)));
    for (int64_t i = 0; i < wide; i += N) {
        W next = splat<W>(k.pad()), next_pairs = next;
        if (2 * (i + N) < w) {
            columns(2 * (i + N), &low, &high);
            next = sorted(mixed_even(low, high)), next_pairs = K::merge(next, sorted(mixed_odd(low, high)));
        }
        store(out + i, K::merge(pairs, shifted_out(evens, next, Lanes{})));
        evens = next, pairs = next_pairs;
    }
    return doubts;
}
