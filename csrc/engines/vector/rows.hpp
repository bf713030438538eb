// Reduction of whole rows: every pooled axis but the contiguous one. Rows of raw elements become one row of accumulators.
#pragma once

// The real taps of a window along one axis: `count` of them, `step` bytes apart, after `skipped` in the padding.
struct Level {
    int64_t count, step, skipped;
};

// Bytes that may be read: whole registers are loaded past the end of a row wherever memory goes on.
struct Readable {
    const char* end;
};

template <class K>
CENOTE_INLINE Vec<typename K::In, kN<typename K::Acc>> raw_at(const K& k, const char* p, int64_t left,
                                                              Readable readable) {
    using Raw = Vec<typename K::In, kN<typename K::Acc>>;
    if (left >= kN<typename K::Acc> || p + sizeof(Raw) <= readable.end) return load<Raw>(p);
    return load_part<Raw>(p, left, k.raw_pad());
}

// One row from the taps along D and H. The last register may write past n: rows of accumulators have room for it.
template <class K, int U>
CENOTE_INLINE void reduce_columns(const K& k, const char* base, Level d, Level h, int64_t left, Readable readable,
                                  typename K::Acc* out) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    using Raw = Vec<typename K::In, N>;
    W acc[U];
    const auto cell = [&](const char* p, W* to) __attribute__((always_inline)) {
        CENOTE_UNROLL for (int u = 0; u < U; ++u) to[u] =
            k.take(U > 1 ? load<Raw>(p + u * static_cast<int>(sizeof(Raw))) : raw_at(k, p, left, readable));
    };
    if (d.count == 1)
        joined<K, U, true>(h.count, h.skipped, acc,
                           [&](int64_t j, W* to) __attribute__((always_inline)) { cell(base + j * h.step, to); });
    else
        joined<K, U>(h.count, h.skipped, acc, [&](int64_t j, W* row) {
            joined<K, U>(d.count, d.skipped, row, [&](int64_t i, W* to) { cell(base + i * d.step + j * h.step, to); });
        });
    CENOTE_UNROLL for (int u = 0; u < U; ++u) store(out + u * N, acc[u]);
}

// A row from n rows, `step` bytes apart, n known.
template <class K, int n>
void reduce_few(const K k, const char* base, int64_t step, int64_t wide, Readable readable, typename K::Acc* out) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>, U = 2;
    using Raw = Vec<typename K::In, N>;
    constexpr int64_t item = sizeof(typename K::In);
    int64_t i = 0;
    for (; i + U * N <= wide; i += U * N) {
        W acc[U];
        joined_few<K, U, n>(0, acc, [&](int64_t j, W* to) __attribute__((always_inline)) {
            const char* p = base + i * item + j * step;
            to[0] = k.take(load<Raw>(p)), to[1] = k.take(load<Raw>(p + sizeof(Raw)));
        });
        store(out + i, acc[0]), store(out + i + N, acc[1]);
    }
    while (i < wide) {
        if (wide - i < N && wide >= N) i = wide - N;  // the last whole register once more, shifted
        W acc[1];
        joined_few<K, 1, n>(0, acc, [&](int64_t j, W* to) __attribute__((always_inline)) {
            *to = k.take(raw_at(k, base + i * item + j * step, wide - i, readable));
        });
        store(out + i, acc[0]);
        i += N;
    }
}

// The elements of one row. True: some of them only the careful twin can merge.
template <class K>
bool take_row(const K& k, const char* base, int64_t n, Readable readable, typename K::Acc* out) {
    constexpr int N = kN<typename K::Acc>, U = 4;
    using Raw = Vec<typename K::In, N>;
    constexpr int64_t item = sizeof(typename K::In);
    [[maybe_unused]] Doubts<typename K::In> doubts{};
    int64_t i = 0;
    for (; i + U * N <= n; i += U * N) {
        Raw raw[U];
        CENOTE_UNROLL for (int u = 0; u < U; ++u) raw[u] = load<Raw>(base + (i + u * N) * item);
        if constexpr (K::kDoubts) CENOTE_UNROLL for (int u = 0; u < U; u += 2) k.doubt(raw[u], raw[u + 1], doubts);
        CENOTE_UNROLL for (int u = 0; u < U; ++u) store(out + i + u * N, k.take(raw[u]));
    }
    while (i < n) {
        if (n - i < N && n >= N) i = n - N;
        const Raw raw = raw_at(k, base + i * item, n - i, readable);
        if constexpr (K::kDoubts) k.doubt(raw, raw, doubts);
        store(out + i, k.take(raw));
        i += N;
    }
    if constexpr (K::kDoubts) return doubts.any();
    return false;
}

// A row from any number of rows.
template <class K>
__attribute__((noinline)) void reduce_many(const K& k, const char* base, Level d, Level h, int64_t n, Readable readable,
                                           typename K::Acc* out) {
    constexpr int N = kN<typename K::Acc>, U = 4;
    constexpr int64_t item = sizeof(typename K::In);
    int64_t i = 0;
    for (; i + U * N <= n; i += U * N) reduce_columns<K, U>(k, base + i * item, d, h, n, readable, out + i);
    for (; i + 2 * N <= n; i += 2 * N) reduce_columns<K, 2>(k, base + i * item, d, h, n, readable, out + i);
    for (; i + N <= n; i += N) reduce_columns<K, 1>(k, base + i * item, d, h, n, readable, out + i);
    if (i == n) return;
    if (n >= N) i = n - N;
    reduce_columns<K, 1>(k, base + i * item, d, h, n - i, readable, out + i);
}

template <class K>
void reduce_rows(const K& k, const char* base, Level d, Level h, int64_t n, Readable readable, typename K::Acc* out) {
    const Level& only = d.count == 1 ? h : d;
    const bool numbered =
        K::kOrdered && only.skipped != 0 && only.count > 2;  // then the tree depends on where it begins
    if ((d.count == 1 || h.count == 1) && !numbered) {
        switch (only.count) {
            case 1: return reduce_few<K, 1>(k, base, only.step, n, readable, out);
            case 2: return reduce_few<K, 2>(k, base, only.step, n, readable, out);
            case 3: return reduce_few<K, 3>(k, base, only.step, n, readable, out);
            default: break;
        }
        if constexpr (K::kOrdered) {
            switch (only.count) {
                case 4: return reduce_few<K, 4>(k, base, only.step, n, readable, out);
                case 5: return reduce_few<K, 5>(k, base, only.step, n, readable, out);
                case 6: return reduce_few<K, 6>(k, base, only.step, n, readable, out);
                case 7: return reduce_few<K, 7>(k, base, only.step, n, readable, out);
                case 8: return reduce_few<K, 8>(k, base, only.step, n, readable, out);
                default: break;
            }
        }
    }
    reduce_many(k, base, d, h, n, readable, out);
}

// B windows of k >= B rows, each one row further than the last: what all of them hold is merged once.
// row[i] is the first byte of row i of the k + B - 1 rows.
template <class K, int B>
void share_rows(const K k, const char* const* row, int64_t size, int64_t n, Readable readable, typename K::Acc* out,
                int64_t pitch) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    constexpr int64_t item = sizeof(typename K::In);
    for (int64_t i = 0; i < n; i += N) {
        int64_t at = i;
        if (n - i < N && n >= N) at = n - N;
        const auto tap = [&](int64_t r) { return k.take(raw_at(k, row[r] + at * item, n - at, readable)); };
        W all = tap(B - 1);
        for (int64_t r = B; r < size; ++r) all = K::merge(all, tap(r));
        W acc[B];
        acc[B - 1] = all;
        CENOTE_UNROLL for (int j = B - 2; j >= 0; --j) acc[j] = K::merge(acc[j + 1], tap(j));
        W later = tap(size);
        acc[1] = K::merge(acc[1], later);
        CENOTE_UNROLL for (int j = 2; j < B; ++j) {
            later = K::merge(later, tap(size + j - 1));
            acc[j] = K::merge(acc[j], later);
        }
        CENOTE_UNROLL for (int j = 0; j < B; ++j) store(out + j * pitch + at, acc[j]);
    }
}

// Windows of many rows, each one row further than the last: van Herk and Gil-Werman. Within blocks of `size` rows, the
// merge of each row with all later ones of its block is kept; a window is one of those and a merge that grows through
// the next block. Three merges a window, whatever its size. `kept` holds size rows of a strip.
template <class K, int U>
void herk_strip(const K k, const char* const* row, int64_t size, int64_t outputs, int64_t at, int64_t n,
                Readable readable, typename K::Acc* out, int64_t pitch, typename K::Acc* kept) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    constexpr int64_t item = sizeof(typename K::In);
    const auto tap = [&](int64_t r, int u) __attribute__((always_inline)) {
        const char* p = row[r] + (at + u * N) * item;
        return k.take(U > 1 ? load<Vec<typename K::In, N>>(p) : raw_at(k, p, n - at, readable));
    };
    for (int64_t block = 0; block < outputs; block += size) {
        const int64_t ends = std::min(outputs - block, size);
        W acc[U], later[U];
        CENOTE_UNROLL for (int u = 0; u < U; ++u) acc[u] = tap(block + size - 1, u);
        for (int64_t r = size - 1; r > 0; --r) {
            if (r < ends) CENOTE_UNROLL for (int u = 0; u < U; ++u) store(kept + (r * U + u) * N, acc[u]);
            CENOTE_UNROLL for (int u = 0; u < U; ++u) acc[u] = K::merge(acc[u], tap(block + r - 1, u));
        }
        typename K::Acc* to = out + block * pitch + at;
        CENOTE_UNROLL for (int u = 0; u < U; ++u) {
            store(to + u * N, acc[u]);
            if (ends > 1) later[u] = tap(block + size, u);
        }
        for (int64_t r = 1; r < ends; ++r) {
            to += pitch;
            CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                if (r > 1) later[u] = K::merge(later[u], tap(block + size + r - 1, u));
                store(to + u * N, K::merge(load<W>(kept + (r * U + u) * N), later[u]));
            }
        }
    }
}

template <class K>
void herk_rows(const K& k, const char* const* row, int64_t size, int64_t outputs, int64_t n, Readable readable,
               typename K::Acc* out, int64_t pitch, typename K::Acc* kept) {
    constexpr int N = kN<typename K::Acc>, U = 4;
    int64_t i = 0;
    for (; i + U * N <= n; i += U * N) herk_strip<K, U>(k, row, size, outputs, i, n, readable, out, pitch, kept);
    for (; i < n; i += N) herk_strip<K, 1>(k, row, size, outputs, i, n, readable, out, pitch, kept);
}

// The same for what must not be merged twice: every row is merged with the one before it, that pair with the pair before
// it, and so on; of these blocks of 1, 2, 4 ... taps windows are made, as tree.hpp says. Taps are `dilation` rows apart.
struct Blocks {
    int levels;     // of doubling
    int64_t ring;   // rows of blocks that are kept of each size: a power of two
    int parts = 0;  // of a window, the smallest first: blocks of 2^level taps, the first tap so many rows on
    struct {
        int level;
        int64_t rows;
    } part[64];

    Blocks(int64_t size, int64_t dilation) {
        const auto taps = static_cast<uint64_t>(size);
        levels = std::bit_width(taps) - 1;
        ring = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(size * dilation)));
        for (int level = 0; level <= levels; ++level)
            if ((taps >> level) & 1)
                part[parts++] = {level, static_cast<int64_t>(taps >> (level + 1) << (level + 1)) * dilation};
    }
    // Elements of strips of n.
    int64_t room(int64_t n) const { return (levels + 1) * (ring + kApart) * n; }
    // Rings of one size after the other would compete for the same lines of the cache.
    static constexpr int64_t kApart = 5;
};

template <class K, int U>
void double_strip(const K k, const char* const* row, const Blocks& blocks, int64_t size, int64_t dilation,
                  int64_t outputs, int64_t at, int64_t n, Readable readable, typename K::Acc* out, int64_t pitch,
                  typename K::Acc* kept) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    constexpr int64_t item = sizeof(typename K::In);
    const auto place = [&](int level, int64_t r) __attribute__((always_inline)) {
        return kept + (level * (blocks.ring + Blocks::kApart) + (r & (blocks.ring - 1))) * (U * N);
    };
    const int64_t last = (size - 1) * dilation;
    for (int64_t r = 0; r < outputs + last; ++r) {
        W block[U];
        const char* p = row[r] + at * item;
        CENOTE_UNROLL for (int64_t b = 0; b < U * N * item; b += 64) __builtin_prefetch(p + 2 * U * N * item + b, 0, 2);
        CENOTE_UNROLL for (int u = 0; u < U; ++u) {
            block[u] = k.take(U > 1 ? load<Vec<typename K::In, N>>(p + u * N * item) : raw_at(k, p, n - at, readable));
            store(place(0, r) + u * N, block[u]);
        }
        for (int level = 1; level <= blocks.levels; ++level) {
            const int64_t first = r - ((int64_t{1} << level) - 1) * dilation;
            if (first < 0) break;
            const auto* before = place(level - 1, first);
            auto* to = place(level, first);
            CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                block[u] = K::merge(load<W>(before + u * N), block[u]);
                store(to + u * N, block[u]);
            }
        }
        const int64_t o = r - last;
        if (o < 0) continue;
        const auto* part = place(blocks.part[0].level, o + blocks.part[0].rows);
        CENOTE_UNROLL for (int u = 0; u < U; ++u) block[u] = load<W>(part + u * N);
        for (int i = 1; i < blocks.parts; ++i) {
            part = place(blocks.part[i].level, o + blocks.part[i].rows);
            CENOTE_UNROLL for (int u = 0; u < U; ++u) block[u] = K::merge(load<W>(part + u * N), block[u]);
        }
        CENOTE_UNROLL for (int u = 0; u < U; ++u) store(out + o * pitch + at + u * N, block[u]);
    }
}

// `kept` has the room for strips of two registers that `blocks` asks for.
template <class K>
void double_rows(const K& k, const char* const* row, const Blocks& blocks, int64_t size, int64_t dilation,
                 int64_t outputs, int64_t n, Readable readable, typename K::Acc* out, int64_t pitch,
                 typename K::Acc* kept) {
    constexpr int N = kN<typename K::Acc>, U = 2;
    int64_t i = 0;
    const auto strip = [&](auto registers) {
        double_strip<K, decltype(registers)::value>(k, row, blocks, size, dilation, outputs, i, n, readable, out, pitch,
                                                    kept);
    };
    for (; i + U * N <= n; i += U * N) strip(std::integral_constant<int, U>{});
    for (; i < n; i += N) strip(std::integral_constant<int, 1>{});
}
