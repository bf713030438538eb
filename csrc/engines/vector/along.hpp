// The contiguous axis of a tile: which of the ways of lanes.hpp.
#pragma once

struct Part {
    int64_t first, end;
    int64_t size() const { return end - first; }
};

// Output by output. Padding has its place in b, so that sliding windows are whole. `out` has room for one register more.
template <class M>
void one_by_one(const AxisTable& axis, Part outputs, int64_t c, const Strip<typename M::Acc>& b, int64_t first,
                typename M::Acc* out) {
    using Acc = typename M::Acc;
    constexpr int N = kN<Acc>;
    const Sliding& s = axis.slide;
    const int64_t wide = outputs.size();
    const bool slides = s.k > 0;
    for (int64_t r = 0; r < b.rows; ++r)
        for (int64_t i = 0; i < wide; ++i) {
            const auto o = static_cast<size_t>(outputs.first + i);
            const int64_t at = slides ? i * s.stride : axis.start[o] - first;
            const int64_t count = slides ? s.k : axis.count[o], far = (slides ? s.dilation : axis.step[o]) * c;
            const int64_t skipped = slides ? 0 : axis.skipped[o];
            Acc* from = b.first + r * b.pitch + at * c;
            Acc* to = out + (r * wide + i) * c;
            if (c == 1)
                *to = wide == 1 && far == 1 && count > 2 * N ? join_row<M>(from, count)
                                                             : join_few<M>(from, count, skipped, far);
            else
                for (int64_t e = 0; e < c; e += N) {  // the last register runs over into the next output
                    V<Acc> v[1];
                    joined<M, 1>(count, skipped, v,
                                 [&](int64_t j, V<Acc>* tap) { tap[0] = load<V<Acc>>(from + e + j * far); });
                    store(to + e, v[0]);
                }
        }
}

// The same for N rows at once, side by side in lanes. `out` has rows of `pitch`; `room` has place for as many columns as
// b has, and outputs, of N rows each.
template <class M>
void side_by_side(const AxisTable& axis, Part outputs, const Strip<typename M::Acc>& b, int64_t first, int64_t columns,
                  typename M::Acc* room, const Strip<typename M::Acc>& out) {
    using Acc = typename M::Acc;
    using W = V<Acc>;
    constexpr int N = kN<Acc>;
    const Sliding& s = axis.slide;
    const int64_t wide = outputs.size();
    Acc* results = room + (columns + N) * N;
    W block[N];
    for (int64_t r = 0; r < b.rows; r += N) {
        const auto row = [&](const Strip<Acc>& strip, int64_t j) {
            return strip.first + std::min(r + j, b.rows - 1) * strip.pitch;
        };
        for (int64_t i = 0; i < columns; i += N) {
            for (int j = 0; j < N; ++j) block[j] = load<W>(row(b, j) + i);
            transpose(block);
            for (int j = 0; j < N; ++j) store(room + (i + j) * N, block[j]);
        }
        for (int64_t i = 0; i < wide; ++i) {
            const auto o = static_cast<size_t>(outputs.first + i);
            const bool slides = s.k > 0;  // padding has its place in b
            const Acc* from = room + (slides ? i * s.stride : axis.start[o] - first) * N;
            const int64_t far = (slides ? s.dilation : axis.step[o]) * N;
            W all[1];
            joined<M, 1>(slides ? s.k : axis.count[o], slides ? 0 : axis.skipped[o], all,
                         [&](int64_t j, W* tap) { tap[0] = load<W>(from + j * far); });
            store(results + i * N, all[0]);
        }
        for (int64_t i = 0; i < wide; i += N) {
            for (int j = 0; j < N; ++j) block[j] = load<W>(results + (i + j) * N);
            transpose(block);
            for (int j = 0; j < N && r + j < b.rows; ++j) store(row(out, j) + i, block[j]);
        }
    }
}

// Rows b begin with the pads before the first cell, cell number `first`; elements of c each. b is used up.
template <class M, class Put>
void along(const AxisTable& axis, Part outputs, int64_t c, const Strip<typename M::Acc>& b, int64_t first,
           Scratch& scratch, const Put& put) {
    using Acc = typename M::Acc;
    constexpr int N = kN<Acc>;
    const Sliding& s = axis.slide;
    const int64_t wide = outputs.size();
    const auto room = [&](int64_t n) { return scratch.get<Acc>(Scratch::kAlong, n + 2 * N); };
    if (s.k > 0 && s.stride == 1 && (wide > 1 || s.k == 1))
        return slide<M>(b, s.k, s.dilation * c, wide * c,
                        s.k > 5 ? room(slide_room<M>(b, s.k, s.dilation * c)) : nullptr, put);
    const auto dense = [&](int64_t results) {  // windows at every cell
        Acc* every = room(b.rows * b.pitch + slide_room<M>(b, s.k, s.dilation));
        Acc* spare = every + b.rows * b.pitch;
        slide<M>(b, s.k, s.dilation, results, spare, ToRows<Acc>{every, b.pitch});
        return Strip<Acc>{every, b.rows, b.pitch};
    };
    if (s.k > 0 && s.stride == 2 && c == 1 && s.dilation == 1 && wide > 1) {
        if (s.k == 1) return keep_even(b, wide, put);
        if (s.k == 2) return merge_pairs<M>(b, wide, put);
        if (s.k == 3) return merge_triples<M>(b, wide, put);
        return keep_even(dense(2 * wide - 1), wide, put);
    }
    Strip<Acc> stage{nullptr, b.rows, wide * c};
    const int64_t columns = s.k > 0 ? (wide - 1) * s.stride + (s.k - 1) * s.dilation + 1 : b.pitch;
    if (c == 1 && s.k > 0 && s.k < 32 && s.stride < s.k && wide > 1) {
        const Strip<Acc> every = dense((wide - 1) * s.stride + 1);
        stage.first = every.first;  // in place: every element moves towards the front
        for (int64_t r = 0; r < b.rows; ++r)
            for (int64_t i = 0; i < wide; ++i) stage.first[r * wide + i] = every.first[r * b.pitch + i * s.stride];
    } else if (sizeof(Acc) > 1 && c == 1 && b.rows >= N / 2 && (wide > 1 || columns <= 4 * N)) {
        if constexpr (sizeof(Acc) > 1) {
            stage.pitch = (wide + N - 1) / N * N;
            stage.first = room(b.rows * stage.pitch + (columns + N) * N + stage.pitch * N);
            side_by_side<M>(axis, outputs, b, first, columns, stage.first + b.rows * stage.pitch, stage);
        }
    } else {
        stage.first = room(b.rows * wide * c);
        one_by_one<M>(axis, outputs, c, b, first, stage.first);
    }
    each_register(stage, wide * c, put, [&](const Acc* row, int64_t i) { return load<V<Acc>>(row + i); });
}
