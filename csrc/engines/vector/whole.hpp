// Windows that hold whole rows of a map, which fit into a register: a global pool of 7x7 cells.
#pragma once

// Taps 0 .. n of a known or, where n is 0, any number, joined.
template <class K, int n>
CENOTE_INLINE V<typename K::Acc> joined_any(int64_t count, int64_t skipped, const auto& tap) {
    V<typename K::Acc> all;
    if constexpr (n > 0)
        joined_few<K, 1, n>(0, &all, tap);
    else
        joined<K, 1>(count, skipped, &all, tap);
    return all;
}

// One window a plane of n x n cells (0: of any size), the next plane `far` bytes further: N planes side by side in lanes.
// Results from `at` on of a row of a sink. Gives the lanes that only the careful twin can merge.
template <class K, int n, class Row>
Doubts<typename K::In> reduce_whole(const K k, const Taps taps, int64_t planes, const char* base, int64_t far,
                                    Readable readable, const Row to, int64_t at) {
    using W = V<typename K::Acc>;
    constexpr int N = kN<typename K::Acc>;
    using Raw = Vec<typename K::In, N>;
    using Next = Again<K>;
    Doubts<typename K::In> doubts{};
    const int64_t last = (taps.h.count - 1) * taps.h.step + (taps.d.count - 1) * taps.d.step;
    const auto plane = [&](const char* from, const auto& raw_of) __attribute__((always_inline)) {
        return joined_any<K, n>(taps.h.count, taps.h.skipped, [&](int64_t h, W* down) __attribute__((always_inline)) {
            *down = joined_any<K, n == 0 ? 0 : 1>(taps.d.count, taps.d.skipped,
                                                  [&](int64_t d, W* deep) __attribute__((always_inline)) {
                const Raw raw = raw_of(from + h * taps.h.step + d * taps.d.step);
                if constexpr (K::kDoubts) k.doubt(raw, raw, doubts);
                *deep = k.take(raw);
            });
        });
    };
    const auto put = [&](int64_t r, W* column) __attribute__((always_inline)) {
        transpose(column);
        to(at + r, joined_any<Next, n>(taps.w.count, taps.w.skipped,
                                       [&](int64_t i, W* one) __attribute__((always_inline)) { *one = column[i]; }));
    };
    // as many groups as whole registers can be loaded for
    int64_t r = 0;
    for (; r + N <= planes; r += N) {
        const char* from = base + r * far;
        if (from + std::max<int64_t>(0, (N - 1) * far) + last + sizeof(Raw) > readable.end) break;
        W column[N];
        CENOTE_UNROLL for (int j = 0; j < N; ++j) column[j] =
            plane(from + j * far, [&](const char* p) __attribute__((always_inline)) { return load<Raw>(p); });
        put(r, column);
    }
    for (; r < planes; r += N) {
        W column[N];
        for (int j = 0; j < N; ++j)
            column[j] = plane(base + std::min(r + j, planes - 1) * far,
                              [&](const char* p) { return raw_at(k, p, taps.w.count, readable); });
        put(r, column);
    }
    return doubts;
}

// Maps whose only window holds whole rows: their results side by side in one row of a sink. True: there is a NaN, and K
// cannot tell.
template <class K, class Put>
bool whole_maps(const K& k, const Problem& p, Part planes, const Put& put) {
    constexpr int64_t item = sizeof(typename K::In);
    const AxisTable &d = *p.axis[0], &h = *p.axis[1], &w = *p.axis[2];
    const Taps taps{level_of(d, 0, p.x.stride[0]), level_of(h, 0, p.x.stride[1]), level_of(w, 0, item)};
    const int64_t first = d.start[0] * p.x.stride[0] + h.start[0] * p.x.stride[1] + w.start[0] * item;
    const bool square = taps.d.count == 1 && taps.h.count == taps.w.count && taps.h.skipped + taps.w.skipped == 0;
    // planes of the innermost loop lie equally far apart
    const int64_t row = p.loops > 0 ? p.loop[p.loops - 1].extent : 1,
                  far = p.loops > 0 ? p.loop[p.loops - 1].stride[0] : 0;
    const auto to = put.row(0);
    Doubts<typename K::In> doubts{};
    for (int64_t plane = planes.first, end; plane < planes.end; plane = end) {
        end = std::min(planes.end, plane + row - plane % row);
        const char* base = p.x.data + p.plane(plane, 0) + first;
        const auto run = [&](auto n) {
            doubts |= reduce_whole<K, decltype(n)::value>(k, taps, end - plane, base, far, {p.x_end}, to,
                                                          plane - planes.first);
        };
        switch (square ? taps.h.count : 0) {
            case 4: run(std::integral_constant<int, 4>{}); break;
            case 7: run(std::integral_constant<int, 7>{}); break;
            case 8: run(std::integral_constant<int, 8>{}); break;
            default: run(std::integral_constant<int, 0>{}); break;
        }
    }
    if constexpr (K::kDoubts) return doubts.any();
    return false;
}
