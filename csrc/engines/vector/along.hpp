// The contiguous axis of a tile: which of the ways of lanes.hpp, and where its results lie.
#pragma once

struct Part {
    int64_t first, end;
    int64_t size() const { return end - first; }
};

// Rows of accumulators in scratch memory.
template <class Acc>
struct Strip {
    Acc* first;
    int64_t rows, pitch;  // from row to row, in elements
};

// Rows b begin with the pads before the first cell, cell number `first`; elements of c each. b is used up.
template <class M>
Strip<typename M::Acc> along(const AxisTable& axis, Part outputs, int64_t c, Strip<typename M::Acc> b, int64_t first,
                             Scratch& scratch) {
    using Acc = typename M::Acc;
    constexpr int N = kN<Acc>;
    const Sliding& s = axis.slide;
    const int64_t wide = outputs.size(), rows = b.rows;
    if (s.k == 1 && s.stride == 1) return b;
    Acc* stage = scratch.get<Acc>(Scratch::kStage, rows * std::max(b.pitch, wide * c) + 2 * N);
    if (s.k > 0 && s.stride == 1 && wide > 1) {
        slide<M>(b.first, s.k, s.dilation * c, (rows - 1) * b.pitch + wide * c, stage);
        return {stage, rows, b.pitch};
    }
    if (s.k > 0 && s.stride == 2 && c == 1 && s.dilation == 1 && wide > 1) {
        const int64_t all = (rows - 1) * b.pitch / 2 + wide;
        if (s.k == 1)
            keep_even(b.first, all, stage);
        else if (s.k == 2)
            merge_pairs<M>(b.first, all, stage);
        else if (s.k == 3)
            merge_triples<M>(b.first, all, stage);
        else {
            slide<M>(b.first, s.k, 1, (rows - 1) * b.pitch + 2 * wide - 1, stage);
            keep_even(stage, all, stage);
        }
        return {stage, rows, b.pitch / 2};
    }
    if (c == 1 && s.k > 0 && s.k < 32 && s.stride < s.k && wide > 1) {
        slide<M>(b.first, s.k, s.dilation, (rows - 1) * b.pitch + (wide - 1) * s.stride + 1, stage);
        for (int64_t r = 0; r < rows; ++r)  // in place: every element moves towards the front
            for (int64_t i = 0; i < wide; ++i) stage[r * wide + i] = stage[r * b.pitch + i * s.stride];
        return {stage, rows, wide};
    }
    // Output by output. Padding has its place in b, so that sliding windows are whole.
    const bool slides = s.k > 0;
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t i = 0; i < wide; ++i) {
            const auto o = static_cast<size_t>(outputs.first + i);
            const int64_t at = slides ? i * s.stride : axis.start[o] - first;
            const int64_t count = slides ? s.k : axis.count[o], far = (slides ? s.dilation : axis.step[o]) * c;
            const int64_t skipped = slides ? 0 : axis.skipped[o];
            Acc* from = b.first + r * b.pitch + at * c;
            Acc* to = stage + (r * wide + i) * c;
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
    return {stage, rows, wide * c};
}
