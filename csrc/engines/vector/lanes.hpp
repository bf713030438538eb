// Reduction along the contiguous axis, on rows of accumulators in scratch memory. What is merged before the last step is
// computed for many rows at once, along with whatever lies between them; the last step goes row by row to a sink `put`:
// put.row(r)(i, v) takes the N results from i on of row r, of which some may lie past the row. Rows come in order.
#pragma once

// Rows of accumulators in scratch memory.
template <class Acc>
struct Strip {
    Acc* first;
    int64_t rows, pitch;  // from row to row, in elements
};

// A sink: rows in scratch memory.
template <class Acc>
struct ToRows {
    Acc* first;
    int64_t pitch;

    struct Row {
        Acc* to;
        CENOTE_INLINE void operator()(int64_t i, V<Acc> v) const { store(to + i, v); }
        CENOTE_INLINE void operator()(int64_t i, V<Acc> a, V<Acc> b) const {
            store(to + i, a);
            store(to + i + kN<Acc>, b);
        }
        static constexpr bool simple(int64_t) { return true; }
        CENOTE_INLINE void put_two(int64_t i, V<Acc> a, V<Acc> b) const { (*this)(i, a, b); }
        CENOTE_INLINE void put_split(int64_t i, V<Acc> even, V<Acc> odd) const {
            V<Acc> a, b;
            interleave(even, odd, a, b);
            (*this)(i, a, b);
        }
    };
    CENOTE_INLINE Row row(int64_t r) const { return {first + r * pitch}; }
};

// Puts last(row, i) for every register of `wide` results in each row.
template <class Acc, class Put, class Last>
CENOTE_INLINE void each_register(const Strip<Acc> b, int64_t wide, const Put& put, const Last last) {
    for (int64_t r = 0; r < b.rows; ++r) {
        const Acc* row = b.first + r * b.pitch;
        const auto to = put.row(r);
        for (int64_t i = 0; i < wide; i += kN<Acc>) to(i, last(row, i));
    }
}

// Two to five taps, `far` elements apart, straight from memory.
template <class K, int k, class Put>
void slide_few(const Strip<typename K::Acc>& b, int64_t far, int64_t wide, const Put& put) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    each_register(b, wide, put, [&](const Acc* row, int64_t i) __attribute__((always_inline)) {
        const auto tap = [&](int j) __attribute__((always_inline)) { return load<W>(row + i + j * far); };
        W v = K::merge(tap(0), tap(1));
        if constexpr (k == 3) v = K::merge(v, tap(2));
        if constexpr (k >= 4) v = K::merge(v, K::merge(tap(2), tap(3)));
        if constexpr (k == 5) v = K::merge(v, tap(4));
        return v;
    });
}

// Windows of 1, 2, 4 ... 2^L neighbours, a register after the other and with nothing between in memory: of register t of
// a row, of the one before it, and so on.
template <class K, int L>
struct Doubling {
    using W = V<typename K::Acc>;
    W level[L + 1]{};

    // Takes register t of a row, gives the windows of 2^L neighbours that begin in register t - L.
    CENOTE_INLINE W take(W next) {
        const W before = level[0];
        level[0] = next;
        return double_from<1>(before, next);
    }

private:
    template <int l>
    CENOTE_INLINE W double_from(W before, W next) {
        if constexpr (l > L) {
            return next;
        } else {
            const W made = K::merge(before, shifted_out<1 << (l - 1)>(before, next)), older = level[l];
            level[l] = made;
            return double_from<l + 1>(older, made);
        }
    }
};

// Windows of 2^L <= k <= 2^(L + 1) neighbours: two of 2^L that overlap.
template <class K, int L, class Put>
void slide_doubled(const Strip<typename K::Acc>& b, int64_t k, int64_t wide, const Put& put) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    const int64_t cells = wide + k - 1;
    const Shift<W> on(static_cast<int>(k - (int64_t{1} << L)));
    for (int64_t r = 0; r < b.rows; ++r) {
        const auto* row = b.first + r * b.pitch;
        const auto to = put.row(r);
        Doubling<K, L> doubling;
        int64_t i = -(L + 1) * N;
        const auto step = [&](W next) __attribute__((always_inline)) {
            const W first = doubling.level[L], second = doubling.take(next);
            if (i >= 0) to(i, K::merge(first, on(first, second)));
            i += N;
        };
        for (int64_t at = 0; at < cells; at += N) step(load<W>(row + at));
        while (i < wide) step(W{});
    }
}

// Each of n elements becomes the window of the 2^L that begin there.
template <class K, int L>
void double_in_place(typename K::Acc* all, int64_t n) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    Doubling<K, L> doubling;
    for (int64_t i = 0; i < n + L * N; i += N) {
        const W made = doubling.take(i < n + (1 << L) ? load<W>(all + i) : W{});
        if (i >= L * N) store(all + i - L * N, made);
    }
}

// Elements from one size of blocks to the next, and those that slide() needs beside its strip.
template <class Acc>
int64_t blocks_line(const Strip<Acc>& b, int64_t k) {
    return (b.pitch + k + 2 * kN<Acc> + 15) / 16 * 16;
}
template <class Acc>
int64_t blocks_room(const Strip<Acc>& b, int64_t k) {
    return std::bit_width(static_cast<uint64_t>(k)) * blocks_line(b, k);
}
// Of all sizes of blocks of a row, if that is little.
template <class K>
bool keeps_blocks(const Strip<typename K::Acc>& b, int64_t k, int64_t far) {
    constexpr int64_t most = (1 << 20) / static_cast<int64_t>(sizeof(typename K::Acc));
    return !K::kIdempotent && far == 1 && blocks_room(b, k) <= most;
}
template <class K>
int64_t slide_room(const Strip<typename K::Acc>& b, int64_t k, int64_t far) {
    const int64_t strip = b.rows * b.pitch;
    return keeps_blocks<K>(b, k, far) ? std::max(strip, blocks_room(b, k)) : strip;
}

// Sums of k > 5 neighbours, row by row: blocks of 1, 2, 4 ... in `spare`, of which windows are made as tree.hpp says.
// `spare` has room for slide_room().
template <class K, class Put>
void slide_blocks(const Strip<typename K::Acc>& b, int64_t k, int64_t wide, typename K::Acc* spare, const Put& put) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    constexpr int N = kN<Acc>, most = std::min(4, std::countr_zero(static_cast<unsigned>(N)));
    const Blocks blocks(k, 1);
    const int64_t cells = wide + k - 1, line = blocks_line(b, k);
    const Acc* level[64];
    for (int64_t r = 0; r < b.rows; ++r) {
        const Acc* row = b.first + r * b.pitch;
        const auto double_as = [&](auto levels) {
            constexpr int L = decltype(levels)::value;
            Doubling<K, L> doubling;
            for (int64_t i = 0; i < cells + L * N; i += N) {
                doubling.take(i < cells ? load<W>(row + i) : W{});
                // blocks of 2^l begin l registers before
                CENOTE_UNROLL for (int l = 1; l <= L; ++l) if (i >= l * N && i < cells + l * N)
                    store(spare + l * line + i - l * N, doubling.level[l]);
            }
        };
        const int in_registers = std::min(blocks.levels, most);
        if (in_registers == 2) double_as(std::integral_constant<int, 2>{});
        if constexpr (most >= 3)
            if (in_registers == 3) double_as(std::integral_constant<int, 3>{});
        if constexpr (most >= 4)
            if (in_registers == 4) double_as(std::integral_constant<int, 4>{});
        if constexpr (most < 2) double_as(std::integral_constant<int, most>{});
        level[0] = row;
        for (int l = 1; l <= blocks.levels; ++l) {
            Acc* const to = spare + l * line;
            const Acc* const from = level[l - 1];
            level[l] = to;
            if (l > in_registers)
                for (int64_t i = 0; i < cells - (int64_t{1} << l) + 1; i += N)
                    store(to + i, K::merge(load<W>(from + i), load<W>(from + i + (int64_t{1} << (l - 1)))));
        }
        const Acc* part[64];
        for (int i = 0; i < blocks.parts; ++i) part[i] = level[blocks.part[i].level] + blocks.part[i].rows;
        const auto to = put.row(r);
        for (int64_t i = 0; i < wide; i += N) {
            W sum = load<W>(part[0] + i);
            for (int j = 1; j < blocks.parts; ++j) sum = K::merge(load<W>(part[j] + i), sum);
            to(i, sum);
        }
    }
}

// Windows of k taps, `far` elements apart, at each of `wide` places of every row; b is used up. `spare` has room for
// slide_room(b, k, far) elements. Behind the last row there is room for one register.
template <class K, class Put>
void slide(const Strip<typename K::Acc>& b, int64_t k, int64_t far, int64_t wide, typename K::Acc* spare,
           const Put& put) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    constexpr int N = kN<Acc>;
    const auto at = [&](const Acc* p) __attribute__((always_inline)) { return load<W>(p); };
    if constexpr (K::kIdempotent && kShifts<W>) {
        if (far == 1 && k > 1 && k <= 2 * N) {
            const auto by = [&](auto levels) { slide_doubled<K, decltype(levels)::value>(b, k, wide, put); };
            if (k <= 2) return by(std::integral_constant<int, 0>{});
            if (k <= 4) return by(std::integral_constant<int, 1>{});
            if (k <= 8) return by(std::integral_constant<int, 2>{});
            if constexpr (N >= 8)
                if (k <= 16) return by(std::integral_constant<int, 3>{});
            if constexpr (N >= 16) return by(std::integral_constant<int, 4>{});
        }
    }
    switch (k) {
        case 1: return each_register(b, wide, put, [&](const Acc* row, int64_t i) { return at(row + i); });
        case 2: return slide_few<K, 2>(b, far, wide, put);
        case 3: return slide_few<K, 3>(b, far, wide, put);
        case 4: return slide_few<K, 4>(b, far, wide, put);
        case 5: return slide_few<K, 5>(b, far, wide, put);
        default: break;
    }
    Acc* const all = b.first;
    const int64_t n = (b.rows - 1) * b.pitch + wide;  // places of all rows, and between them
    if constexpr (K::kIdempotent) {
        int64_t size = 1;
        if (far == 1 && k > N) {
            constexpr int levels = std::countr_zero(static_cast<unsigned>(N));
            double_in_place<K, levels>(all, n + k - N);
            size = N;
        }
        for (; 4 * size < k; size *= 4) {  // windows four times as large
            const int64_t total = n + (k - 4 * size) * far, near = size * far;
            for (int64_t i = 0; i < total; i += N) {
                const W low = K::merge(at(all + i), at(all + i + near));
                const W high = K::merge(at(all + i + 2 * near), at(all + i + 3 * near));
                store(all + i, K::merge(low, high));
            }
        }
        // the window is covered by up to four that overlap
        const int64_t second = std::min(size, k - size) * far, third = std::min(2 * size, k - size) * far,
                      last = (k - size) * far;
        if (2 * size >= k)
            return each_register(b, wide, put, [&](const Acc* row, int64_t i) __attribute__((always_inline)) {
                return K::merge(at(row + i), at(row + i + last));
            });
        return each_register(b, wide, put, [&](const Acc* row, int64_t i) __attribute__((always_inline)) {
            const W low = K::merge(at(row + i), at(row + i + second));
            return K::merge(low, K::merge(at(row + i + third), at(row + i + last)));
        });
    } else {
        if (keeps_blocks<K>(b, k, far)) return slide_blocks<K>(b, k, wide, spare, put);
        // Blocks of 2, 4, 8 ... taps; those that make up the window are added from the smallest, which lies last.
        bool begun = false;
        for (int64_t size = 1;; size *= 2) {
            const Acc* block = all + (k & ~(2 * size - 1)) * far;
            const bool last = 2 * size > k;
            if (last && !begun)
                return each_register(b, wide, put, [&](const Acc* row, int64_t i) { return at(row + i); });
            if (last)
                return each_register(b, wide, put, [&](const Acc* row, int64_t i) __attribute__((always_inline)) {
                    return K::merge(at(row + i), at(spare + (row - all) + i));
                });
            if (k & size) {
                for (int64_t i = 0; i < n; i += N)
                    store(spare + i, begun ? K::merge(at(block + i), at(spare + i)) : at(block + i));
                begun = true;
            }
            const int64_t total = n + (k - 2 * size) * far;
            for (int64_t i = 0; i < total; i += N) store(all + i, K::merge(at(all + i), at(all + i + size * far)));
        }
    }
}

// Every second element.
template <class Acc, class Put>
void keep_even(const Strip<Acc>& b, int64_t wide, const Put& put) {
    using W = V<Acc>;
    each_register(b, wide, put, [&](const Acc* row, int64_t i) __attribute__((always_inline)) {
        return sorted(mixed_even(load<W>(row + 2 * i), load<W>(row + 2 * i + kN<Acc>)));
    });
}

// Elements 2i and 2i + 1.
template <class K, class Put>
void merge_pairs(const Strip<typename K::Acc>& b, int64_t wide, const Put& put) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    each_register(b, wide, put, [&](const Acc* row, int64_t i) __attribute__((always_inline)) {
        const W low = load<W>(row + 2 * i), high = load<W>(row + 2 * i + kN<Acc>);
        return sorted(K::merge(mixed_even(low, high), mixed_odd(low, high)));
    });
}

// Elements 2i, 2i + 1 and 2i + 2.
template <class K, class Put>
void merge_triples(const Strip<typename K::Acc>& b, int64_t wide, const Put& put) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    constexpr int N = kN<Acc>;
    each_register(b, wide, put, [&](const Acc* row, int64_t i) __attribute__((always_inline)) {
        const W low = load<W>(row + 2 * i), high = load<W>(row + 2 * i + N);
        const W pair = K::merge(mixed_even(low, high), mixed_odd(low, high));
        const W third = mixed_even(load<W>(row + 2 * i + 2), load<W>(row + 2 * i + N + 2));
        return sorted(K::merge(pair, third));
    });
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
        merge_pairs<K>(Strip<Acc>{b, 1, 0}, n, ToRows<Acc>{b, 0});
    }
    return join_few<K>(b, n, 0, 1, left_over ? &rest : nullptr);
}
