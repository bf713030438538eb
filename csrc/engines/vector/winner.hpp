// Which tap of a window wins: values are carried along with the mark of the tap where each was found.
//   In, Acc, Mark    element types in memory, while comparing, and of marks: as wide as Acc
//   take(raw), give(v)  between memory and Acc, whose bits are never changed for good
//   key(v)           what is compared
//   wins(a, b)       whether the later key a takes the place of b: if it is larger, or NaN
#pragma once

template <class T>
using Unsigned = std::make_unsigned_t<Signed<T>>;

// XOR-ed with `flip`, elements of any signedness, or in reversed order, compare like T.
template <class T>
struct Ordered {
    using In = T;
    using Acc = T;
    using Key = T;
    using Mark = Unsigned<T>;
    Signed<T> flip;

    CENOTE_INLINE V<T> take(V<T> raw) const { return as<V<T>>(as<V<Signed<T>>>(raw) ^ flip); }
    CENOTE_INLINE V<T> give(V<T> v) const { return take(v); }
    CENOTE_INLINE V<T> key(V<T> v) const { return v; }
    static CENOTE_INLINE auto wins(V<T> a, V<T> b) {
        if constexpr (std::is_floating_point_v<T>)
            return (a > b) | (a != a);
        else
            return a > b;
    }
};

// Small integers where marks are large.
template <class T>
struct OrderedWide {
    using In = T;
    using Acc = int32_t;
    using Key = int32_t;
    using Mark = uint32_t;
    T flip;

    CENOTE_INLINE V<Acc> take(Vec<T, kN<Acc>> raw) const { return widened<Acc>(raw ^ flip); }
    CENOTE_INLINE Vec<T, kN<Acc>> give(V<Acc> v) const { return narrowed<Vec<T, kN<Acc>>>(v) ^ flip; }
    CENOTE_INLINE V<Acc> key(V<Acc> v) const { return v; }
    static CENOTE_INLINE auto wins(V<Acc> a, V<Acc> b) { return a > b; }
};

// 16-bit floats: their bits are carried, and integers of the same order compared, of which all NaN are the largest.
template <class A>
struct OrderedHalf {
    using In = int16_t;
    using Acc = A;
    using Key = A;
    using Mark = Unsigned<A>;
    int16_t flip, infinity;

    CENOTE_INLINE V<A> take(Vec<In, kN<A>> raw) const {
        if constexpr (sizeof(A) == 2)
            return raw ^ flip;
        else
            return widened<A>(raw ^ flip);
    }
    CENOTE_INLINE Vec<In, kN<A>> give(V<A> v) const {
        if constexpr (sizeof(A) == 2)
            return v ^ flip;
        else
            return narrowed<Vec<In, kN<A>>>(v) ^ flip;
    }
    CENOTE_INLINE V<A> key(V<A> v) const {
        const V<A> sign = v >> static_cast<int>(8 * sizeof(A) - 1), size = v & A{0x7fff};
        const V<A> number = (size ^ sign) - sign;  // both zeros are 0
        return size > static_cast<A>(infinity) ? splat<V<A>>(std::numeric_limits<A>::max()) : number;
    }
    static CENOTE_INLINE auto wins(V<A> a, V<A> b) { return (a > b) | (a == std::numeric_limits<A>::max()); }
};

// The taps of windows side by side: counts, bytes between them, and how far their marks are apart.
struct Window {
    int64_t d, h, w;
    int64_t step_d, step_h, step_w;
    int64_t mark_d, mark_h, mark_w;
    bool far_away;  // the input is not in the caches near the processor
};

// Taps of neighbouring windows are neighbours in memory; every second cell; or anything.
enum class Reading { near, pairs, apart };

// U registers of windows, `far` bytes from one window to the next. Only the first `lanes` are asked for. `taps` along W,
// or any number where it is 0.
template <class K, Reading how, int U, int taps>
CENOTE_INLINE void winners_of(const K& k, const char* x, const Window& window, int64_t far, int64_t lanes,
                              typename K::Acc* values, typename K::Mark* marks) {
    using W = V<typename K::Acc>;
    using Mark = typename K::Mark;
    using M = V<Mark>;
    using Raw = Vec<typename K::In, kN<typename K::Acc>>;
    constexpr int N = kN<typename K::Acc>;
    constexpr int64_t bytes = sizeof(Raw);
    W best[U]{};
    V<typename K::Key> best_key[U]{};
    M found[U]{};
    const auto step = static_cast<Mark>(window.mark_w);
    const auto meet = [&](bool first, int u, W v, Mark mark) __attribute__((always_inline)) {
        const auto key = k.key(v);
        if (first) {
            best[u] = v, best_key[u] = key;
            return;
        }
        const auto wins = k.wins(key, best_key[u]);
        best[u] = wins ? v : best[u];
        best_key[u] = wins ? key : best_key[u];
        found[u] = wins ? splat<M>(mark) : found[u];
    };
    // the taps from j on that one reading brings
    const auto tap = [&](bool first, const char* row, Mark mark, bool second) __attribute__((always_inline)) {
        if constexpr (how == Reading::pairs) {
            W low[U], high[U];
            CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                low[u] = k.take(load<Raw>(row + 2 * u * bytes));
                high[u] = k.take(load<Raw>(row + 2 * u * bytes + bytes));
            }
            CENOTE_UNROLL for (int u = 0; u < U; ++u) meet(first, u, mixed_even(low[u], high[u]), mark);
            if (second)
                CENOTE_UNROLL for (int u = 0; u < U; ++u)
                    meet(false, u, mixed_odd(low[u], high[u]), static_cast<Mark>(mark + step));
        } else if constexpr (how == Reading::near) {
            CENOTE_UNROLL for (int u = 0; u < U; ++u) meet(first, u, k.take(load<Raw>(row + u * bytes)), mark);
        } else {
            typename K::In raw[N] = {};
            for (int64_t i = 0; i < lanes; ++i) std::memcpy(raw + i, row + i * far, sizeof raw[0]);
            meet(first, 0, k.take(load<Raw>(raw)), mark);
        }
    };
    constexpr int together = how == Reading::pairs ? 2 : 1;
    const auto row_of = [&](bool first, const char* row, Mark mark) __attribute__((always_inline)) {
        if (how == Reading::pairs && window.far_away)
            CENOTE_UNROLL for (int64_t b = 0; b < together * U * bytes; b += 64)
                __builtin_prefetch(row + b + (window.step_h == kAhead ? kAhead / 2 : kAhead), 0, 2);
        const int64_t on = together * window.step_w;
        const auto further = static_cast<Mark>(together * step);
        if constexpr (taps > 0) {
            CENOTE_UNROLL for (int j = 0; j < taps; j += together) {
                tap(first && j == 0, row, mark, j + 1 < taps);
                row += on, mark = static_cast<Mark>(mark + further);
            }
        } else {
            tap(first, row, mark, 1 < window.w);
            for (int64_t j = together; j < window.w; j += together) {
                row += on, mark = static_cast<Mark>(mark + further);
                tap(false, row, mark, j + 1 < window.w);
            }
        }
    };
    row_of(true, x, 0);
    int64_t h = 1;
    for (int64_t d = 0; d < window.d; ++d, h = 0)
        for (; h < window.h; ++h)
            row_of(false, x + d * window.step_d + h * window.step_h,
                   static_cast<Mark>(d * window.mark_d + h * window.mark_h));
    CENOTE_UNROLL for (int u = 0; u < U; ++u) {
        if constexpr (how == Reading::pairs) best[u] = sorted(best[u]), found[u] = sorted(found[u]);
        store(values + u * N, best[u]);
        store(marks + u * N, found[u]);
    }
}

// n windows. `end` is the end of the memory that may be read. Writes up to one register past n.
template <class K, Reading how, int taps>
void winners_in(const K& k, const char* x, const Window& window, int64_t far, int64_t n, const char* end,
                typename K::Acc* values, typename K::Mark* marks) {
    constexpr int N = kN<typename K::Acc>, U = 2;
    constexpr int64_t item = sizeof(typename K::In);
    int64_t i = 0;
    if constexpr (how != Reading::apart) {
        constexpr int64_t cells = how == Reading::pairs ? 2 : 1;
        const int64_t widest = how == Reading::pairs ? (window.w - 1) / 2 * 2 * item
                                                     : std::max<int64_t>(0, (window.w - 1) * window.step_w);
        const char* last = x + std::max<int64_t>(0, (window.d - 1) * window.step_d) +
                           std::max<int64_t>(0, (window.h - 1) * window.step_h) + widest;
        // windows whose registers lie in memory as a whole
        const int64_t safe = end > last ? (end - last) / (item * cells) : 0;
        for (; i + U * N <= n && i + U * N <= safe; i += U * N)
            winners_of<K, how, U, taps>(k, x + i * cells * item, window, far, N, values + i, marks + i);
        for (; i < n && i + N <= safe; i += N)
            winners_of<K, how, 1, taps>(k, x + i * cells * item, window, far, N, values + i, marks + i);
    }
    for (; i < n; i += N)
        winners_of<K, Reading::apart, 1, 0>(k, x + i * far, window, far, std::min<int64_t>(N, n - i), values + i,
                                            marks + i);
}

template <class K, Reading how>
void winners(const K& k, const char* x, const Window& window, int64_t far, int64_t n, const char* end,
             typename K::Acc* values, typename K::Mark* marks) {
    if constexpr (how != Reading::apart) {
        if (window.w == 2) return winners_in<K, how, 2>(k, x, window, far, n, end, values, marks);
        if (window.w == 3) return winners_in<K, how, 3>(k, x, window, far, n, end, values, marks);
    }
    winners_in<K, how, 0>(k, x, window, far, n, end, values, marks);
}
