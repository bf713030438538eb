// Reduction along the contiguous axis, on rows of accumulators in scratch memory, many rows at once. Whatever lies
// between two rows (a gap that holds pads) is computed along with them and left alone: there are no row ends to mind.
#pragma once

// Two to five taps, `far` elements apart, straight from memory.
template <class K, int k>
void slide_few(const typename K::Acc* b, int64_t far, int64_t n, typename K::Acc* out) {
    using W = V<typename K::Acc>;
    for (int64_t i = 0; i < n; i += kN<typename K::Acc>) {
        const auto tap = [&](int j) { return load<W>(b + i + j * far); };
        W v = K::merge(tap(0), tap(1));
        if constexpr (k == 3) v = K::merge(v, tap(2));
        if constexpr (k >= 4) v = K::merge(v, K::merge(tap(2), tap(3)));
        if constexpr (k == 5) v = K::merge(v, tap(4));
        store(out + i, v);
    }
}

// Windows of k taps, `far` elements apart, at each of n places; b is used up. Past n + (k - 1) * far elements of b and n
// of `out` there is room for one register.
template <class K>
void slide(typename K::Acc* b, int64_t k, int64_t far, int64_t n, typename K::Acc* out) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    constexpr int N = kN<Acc>;
    switch (k) {
        case 1: std::memcpy(out, b, static_cast<size_t>(n) * sizeof(Acc)); return;
        case 2: return slide_few<K, 2>(b, far, n, out);
        case 3: return slide_few<K, 3>(b, far, n, out);
        case 4: return slide_few<K, 4>(b, far, n, out);
        case 5: return slide_few<K, 5>(b, far, n, out);
        default: break;
    }
    const auto pass = [&](int64_t near, int64_t total) {  // windows twice as large
        for (int64_t i = 0; i < total; i += N) store(b + i, K::merge(load<W>(b + i), load<W>(b + i + near)));
    };
    const auto pass_twice = [&](int64_t near, int64_t total) {  // and four times: fewer ways to memory
        for (int64_t i = 0; i < total; i += N) {
            const W low = K::merge(load<W>(b + i), load<W>(b + i + near));
            const W high = K::merge(load<W>(b + i + 2 * near), load<W>(b + i + 3 * near));
            store(b + i, K::merge(low, high));
        }
    };
    if constexpr (K::kIdempotent) {
        int64_t size = 1;
        for (; 4 * size < k; size *= 4) pass_twice(size * far, n + (k - 4 * size) * far);
        // the window is covered by up to four that overlap
        const int64_t second = std::min(size, k - size) * far, third = std::min(2 * size, k - size) * far,
                      last = (k - size) * far;
        if (2 * size >= k) {
            for (int64_t i = 0; i < n; i += N) store(out + i, K::merge(load<W>(b + i), load<W>(b + i + last)));
            return;
        }
        for (int64_t i = 0; i < n; i += N) {
            const W low = K::merge(load<W>(b + i), load<W>(b + i + second));
            const W high = K::merge(load<W>(b + i + third), load<W>(b + i + last));
            store(out + i, K::merge(low, high));
        }
        return;
    }
    bool begun = false;
    for (int64_t size = 1;; size *= 2) {
        if (k & size) {  // a block of the window's sum; smaller ones, which lie behind it, are in `out` already
            const int64_t at = (k & ~(2 * size - 1)) * far;
            for (int64_t i = 0; i < n; i += N) {
                const W block = load<W>(b + i + at);
                store(out + i, begun ? K::merge(block, load<W>(out + i)) : block);
            }
            begun = true;
        }
        if (2 * size > k) return;
        pass(size * far, n + (k - 2 * size) * far);
    }
}

// out[i] = b[2i] of n pairs.
template <class Acc>
void keep_even(const Acc* b, int64_t n, Acc* out) {
    using W = V<Acc>;
    constexpr int N = kN<Acc>;
    for (int64_t i = 0; i < n; i += N) store(out + i, sorted(mixed_even(load<W>(b + 2 * i), load<W>(b + 2 * i + N))));
}

// out[i] = b[2i] merged with b[2i + 1].
template <class K>
void merge_pairs(const typename K::Acc* b, int64_t n, typename K::Acc* out) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    for (int64_t i = 0; i < n; i += N) {
        const W low = load<W>(b + 2 * i), high = load<W>(b + 2 * i + N);
        store(out + i, sorted(K::merge(mixed_even(low, high), mixed_odd(low, high))));
    }
}

// out[i] = b[2i], b[2i + 1] and b[2i + 2] merged.
template <class K>
void merge_triples(const typename K::Acc* b, int64_t n, typename K::Acc* out) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    for (int64_t i = 0; i < n; i += N) {
        const W low = load<W>(b + 2 * i), high = load<W>(b + 2 * i + N);
        const W pair = K::merge(mixed_even(low, high), mixed_odd(low, high));
        const W third = mixed_even(load<W>(b + 2 * i + 2), load<W>(b + 2 * i + N + 2));
        store(out + i, sorted(K::merge(pair, third)));
    }
}

// The taps b[0], b[far], ... of one window, in the order of tree.hpp. `rest`, if there is one, is the join of later taps
// that fill no block as large as the smallest here.
template <class K>
typename K::Acc join_few(const typename K::Acc* b, int64_t count, int64_t skipped, int64_t far,
                         const typename K::Acc* rest = nullptr) {
    using Acc = typename K::Acc;
    if (K::kOrdered && skipped == 0 && rest == nullptr) {
        const auto at = [&](int j) { return b[j * far]; };
        const auto four = [&](int j) { return K::merge(K::merge(at(j), at(j + 1)), K::merge(at(j + 2), at(j + 3))); };
        switch (count) {
            case 4: return four(0);
            case 5: return K::merge(four(0), at(4));
            case 6: return K::merge(four(0), K::merge(at(4), at(5)));
            case 7: return K::merge(four(0), K::merge(K::merge(at(4), at(5)), at(6)));
            case 8: return K::merge(four(0), four(4));
            default: break;
        }
    }
    Acc out = b[0];
    if (!K::kOrdered || (skipped == 0 && count <= 3 && rest == nullptr)) {
        for (int64_t j = 1; j < count; ++j) out = K::merge(out, b[j * far]);
        return rest == nullptr ? out : K::merge(out, *rest);
    }
    Acc level[64];
    auto number = static_cast<uint64_t>(skipped);
    uint64_t held = 0;
    for (int64_t j = 0;;) {
        int at = 0;
        for (; (number >> at) & 1; ++at)
            if ((held >> at) & 1) {
                out = K::merge(level[at], out);
                held &= ~(uint64_t{1} << at);
            }
        ++number;
        if (++j == count) {
            if (rest != nullptr) out = K::merge(out, *rest);
            for (; at < 64 && (held >> at); ++at)
                if ((held >> at) & 1) out = K::merge(level[at], out);
            return out;
        }
        level[at] = out;
        held |= uint64_t{1} << at;
        out = b[j * far];
    }
}

// All n elements of one row; b is used up.
template <class K>
typename K::Acc join_row(typename K::Acc* b, int64_t n) {
    using Acc = typename K::Acc;
    bool left_over = false;
    Acc rest{};
    while (n > 2 * kN<Acc>) {
        if (n & 1) {
            rest = left_over ? K::merge(b[n - 1], rest) : b[n - 1];
            left_over = true;
        }
        n /= 2;
        merge_pairs<K>(b, n, b);
    }
    return join_few<K>(b, n, 0, 1, left_over ? &rest : nullptr);
}
