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
    joined<K, U>(h.count, h.skipped, acc, [&](int64_t j, W* row) {
        joined<K, U>(d.count, d.skipped, row, [&](int64_t i, W* to) {
            const char* p = base + i * d.step + j * h.step;
            CENOTE_UNROLL for (int u = 0; u < U; ++u) to[u] =
                k.take(U > 1 ? load<Raw>(p + u * static_cast<int>(sizeof(Raw))) : raw_at(k, p, left, readable));
        });
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

// A row from any number of rows.
template <class K>
__attribute__((noinline)) void reduce_many(const K& k, const char* base, Level d, Level h, int64_t n, Readable readable,
                                           typename K::Acc* out) {
    constexpr int N = kN<typename K::Acc>, U = 4;
    constexpr int64_t item = sizeof(typename K::In);
    int64_t i = 0;
    for (; i + U * N <= n; i += U * N) reduce_columns<K, U>(k, base + i * item, d, h, n, readable, out + i);
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
template <class K>
void herk_rows(const K k, const char* const* row, int64_t size, int64_t outputs, int64_t n, Readable readable,
               typename K::Acc* out, int64_t pitch, typename K::Acc* kept) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>, U = 4;
    constexpr int64_t item = sizeof(typename K::In);
    for (int64_t i = 0; i < n; i += U * N) {
        const auto tap = [&](int64_t r, int u) {
            const int64_t at = i + u * N;
            return k.take(raw_at(k, row[r] + at * item, n - at, readable));
        };
        const int most = static_cast<int>(std::min<int64_t>(U, (n - i + N - 1) / N));
        for (int64_t block = 0; block < outputs; block += size) {
            const int64_t ends = std::min(outputs - block, size);
            W acc[U];
            for (int u = 0; u < most; ++u) acc[u] = tap(block + size - 1, u);
            for (int64_t r = size - 1;; --r) {
                if (r < ends)
                    for (int u = 0; u < most; ++u) store(kept + (r * U + u) * N, acc[u]);
                if (r == 0) break;
                for (int u = 0; u < most; ++u) acc[u] = K::merge(acc[u], tap(block + r - 1, u));
            }
            W later[U];
            for (int64_t r = 0; r < ends; ++r) {
                typename K::Acc* to = out + (block + r) * pitch + i;
                for (int u = 0; u < most; ++u) {
                    W value = load<W>(kept + (r * U + u) * N);
                    if (r > 0) {
                        const W next = tap(block + size + r - 1, u);
                        later[u] = r == 1 ? next : K::merge(later[u], next);
                        value = K::merge(value, later[u]);
                    }
                    store(to + u * N, value);
                }
            }
        }
    }
}

// The same for what must not be merged twice: by doubling, within a strip of columns. Windows of taps `dilation` rows
// apart. `kept` holds two strips of outputs + (size - 1) * dilation rows.
template <class K>
void double_rows(const K k, const char* const* row, int64_t size, int64_t dilation, int64_t outputs, int64_t n,
                 Readable readable, typename K::Acc* out, int64_t pitch, typename K::Acc* kept) {
    using Acc = typename K::Acc;
    constexpr int N = kN<Acc>, U = 4;
    constexpr int64_t item = sizeof(typename K::In);
    const int64_t rows = outputs + (size - 1) * dilation;
    for (int64_t i = 0; i < n; i += U * N) {
        const int64_t most = std::min<int64_t>(U, (n - i + N - 1) / N);
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t at = 0; at < most * N; at += N)
                store(kept + r * U * N + at, k.take(raw_at(k, row[r] + (i + at) * item, n - i - at, readable)));
        slide<Again<K>>(Strip<Acc>{kept, outputs, U * N}, size, dilation * U * N, most * N, kept + rows * U * N + N,
                        ToRows<Acc>{out + i, pitch});
    }
}
