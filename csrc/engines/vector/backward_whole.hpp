// Averages and sums whose only window is the whole map: every cell gets the same share.
#pragma once

inline bool spreads_whole(const Problem& p, int64_t item) {
    int64_t dense = item;
    for (int a = kMostPooled; a-- > 0;) {
        const AxisTable& axis = *p.axis[a];
        if (axis.out() != 1 || axis.count[0] != axis.in || axis.step[0] != 1) return false;
        if (axis.in > 1 && p.array[0].stride[static_cast<size_t>(a)] != dense) return false;
        dense *= axis.in;
    }
    return p.c == 1;
}

// `by` divides what arrives.
template <class E, class A>
bool spread_whole(const Problem& p, double by, int threads, Control& control) {
    using In = StoredAs<E>;
    using Raw = Vec<In, kN<A>>;
    constexpr int N = kN<A>;
    constexpr int64_t most = 1 << 14;  // cells that one thread fills at once
    int64_t cells = 1;
    for (const AxisTable* axis : p.axis) cells *= axis->in;
    const int64_t pieces = (cells + most - 1) / most;
    const auto nanoseconds = static_cast<int64_t>(
        std::min(0x1p60, static_cast<double>(p.planes) * (5 + 0.1 * static_cast<double>(cells * int64_t{sizeof(In)}))));
    const DivideBy<A> divide(by);
    parallel_for(p.planes * pieces, nanoseconds, threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
        for (int64_t unit = begin; unit < end; ++unit) {
            const int64_t plane = unit / pieces, first = unit % pieces * most, n = std::min(most, cells - first);
            In g;
            std::memcpy(&g, p.array[1].data + p.plane(plane, 1), sizeof g);
            // what is collected begins with 0, so that nothing is -0
            const V<A> arrived = divide.divide(Added<E, A, Lift::none>{}.take(splat<Raw>(g)), 0) + A(0);
            const Raw share = Rounded<A, E, Last::nothing>{}.give(arrived, 0, {});
            auto* out = reinterpret_cast<In*>(p.array[0].data + p.plane(plane, 0)) + first;
            int64_t i = 0;
            for (; i + N <= n; i += N) store(out + i, share);
            if (i < n && n >= N)
                store(out + n - N, share);
            else
                store_part(out + i, share, n - i);
            if (!ticker.go_on(n)) break;
        }
    });
    return true;
}
