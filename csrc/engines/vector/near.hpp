// Windows of two or three cells that move by one: rows are merged and shifted in registers, from memory to results.
#pragma once

// Windows of NH rows and `size` cells, `before` of which, 0 or 1, lie in front of the row for the first window.
template <class K, int size, int NH, int before, class Put>
CENOTE_INLINE Doubts<typename K::In> near_rows(const K k, const RowRun run, const Put& put) {
    using Acc = typename K::Acc;
    using W = V<Acc>;
    using Raw = Vec<typename K::In, kN<Acc>>;
    constexpr int N = kN<Acc>;
    constexpr int64_t item = sizeof(typename K::In);
    Doubts<typename K::In> doubts{};
    const char* base = run.base;
    const W pads = splat<W>(k.pad());
    for (int64_t r = 0; r < run.rows; ++r, base += run.step) {
        const auto to = put.row(run.first + r);
        // cells [at, at + N); those behind the row are padding
        const auto cells = [&](int64_t at) __attribute__((always_inline)) {
            const int64_t left = run.cells - at;
            const auto merged = [&](const auto& raw_of) __attribute__((always_inline)) {
                return merged_rows<K, 1, NH>(k, run, base + at * item, raw_of, doubts);
            };
            if (left >= N) return merged([&](const char* p) __attribute__((always_inline)) { return load<Raw>(p); });
            if (left <= 0) return pads;
            return cut_off(merged([&](const char* p) { return raw_at(k, p, left, run.readable); }), left, k.pad());
        };
        W last = pads, now = cells(0);
        for (int64_t i = 0; i < run.wide; i += N) {
            const W next = cells(i + N);
            if constexpr (size == 2)
                to(i, before == 1 ? K::merge(shifted_in<1>(last, now), now) : K::merge(now, shifted_out<1>(now, next)));
            else if constexpr (before == 1)
                to(i, K::merge(K::merge(shifted_in<1>(last, now), now), shifted_out<1>(now, next)));
            else
                to(i, K::merge(K::merge(now, shifted_out<1>(now, next)), shifted_out<2>(now, next)));
            last = now, now = next;
        }
    }
    return doubts;
}

// `rows` of every window, and its `size`: those that nears() lets through.
template <class K, class Put>
Doubts<typename K::In> near_run(const K& k, int64_t rows, int64_t size, const RowRun& run, const Put& put) {
    const auto with = [&](auto nh) {
        constexpr int NH = decltype(nh)::value;
        if (size == 2)
            return run.before == 0 ? near_rows<K, 2, NH, 0>(k, run, put) : near_rows<K, 2, NH, 1>(k, run, put);
        return run.before == 0 ? near_rows<K, 3, NH, 0>(k, run, put) : near_rows<K, 3, NH, 1>(k, run, put);
    };
    if (rows == 3) return with(std::integral_constant<int, 3>{});
    return rows == 2 ? with(std::integral_constant<int, 2>{}) : with(std::integral_constant<int, 1>{});
}
