// Forward with positions where windows overlap: the winners of every row along W first, which all windows that hold the
// row share, then the winner of a window's rows.
//
// That gives what taps in row-major order give, where a later one takes the place if it is larger or NaN: the last NaN,
// or else the first of the largest. A part of the window hands on its own last NaN, or else its first largest; when parts
// join in their order by the same rule, a NaN of the last part that has one stays, or else the first part that has the
// largest. It holds for parts that overlap too, as long as neither first nor last taps of a part come before those of the
// part before it: what both hold is equal, and stays with the earlier part; a NaN that both hold goes to the later, which
// has the last one.
//
// Where windows reach into the padding, the row's first or last cell stands there in its place: it wins or loses as the
// cell itself does, and marks outside the axis become that cell's.
#pragma once

// Windows of more taps along an axis are joined from halves that overlap.
constexpr int64_t kFewTaps = 6;

// Outputs of a tile along W and H: what they share with the next tile is computed twice.
inline int64_t wide_by_rows(const Problem& p) { return p.axis[2]->slide.k > 8 ? 256 : 512; }

inline int64_t high_by_rows(const Problem& p) {
    constexpr int64_t places = 1 << 14;
    const Sliding &h = p.axis[1]->slide, &w = p.axis[2]->slide;
    const int64_t row = std::min(p.axis[2]->out(), wide_by_rows(p)) * w.stride + w.k, deep = p.axis[0]->most_taps;
    return std::max({int64_t{8}, std::min<int64_t>(256, 2 * h.k), (places / (row * deep) - h.k) / h.stride});
}

// Is it quicker? In steps of meeting a tap for every output.
inline bool pays_by_rows(const Problem& p) {
    const Sliding &h = p.axis[1]->slide, &w = p.axis[2]->slide;
    if (p.c != 1 || h.k == 0 || w.k == 0 || w.dilation != 1 || h.dilation != 1 || w.stride > 2) return false;
    constexpr int64_t most = 512;
    if (w.k > most || h.k > most || h.stride > h.k || p.axis[0]->most_taps > most) return false;
    const int64_t room = p.axis[0]->most_taps * (std::min(p.axis[1]->out(), high_by_rows(p)) * h.stride + h.k) *
                         (std::min(p.axis[2]->out(), wide_by_rows(p)) * w.stride + w.k);
    if (room > 1 << 21) return false;
    const auto joined = [](const Sliding& s) {
        auto steps = static_cast<double>(s.k);
        if (s.stride > 1 || s.k <= kFewTaps) return steps;
        steps = 4;
        for (int64_t size = 4; size < s.k; size *= 2) steps += 1.5;
        return steps;
    };
    return static_cast<double>(h.stride) * (joined(w) + 1) + 1.3 * joined(h) < static_cast<double>(h.k * w.k);
}

// A row of winners, and what their marks lack.
template <class K>
struct RowOfWinners {
    const typename K::Acc* values;
    const typename K::Mark* marks;
    typename K::Mark more;
};

// U registers of winners of the rows, from place i on.
template <class K, int U>
CENOTE_INLINE void join_rows(const K& k, const RowOfWinners<K>* rows, int64_t n, int64_t i, typename K::Acc* values,
                             typename K::Mark* marks) {
    using W = V<typename K::Acc>;
    using M = V<typename K::Mark>;
    constexpr int N = kN<typename K::Acc>;
    W best[U];
    V<typename K::Key> best_key[U];
    M found[U];
    CENOTE_UNROLL for (int u = 0; u < U; ++u) {
        best[u] = load<W>(rows->values + i + u * N);
        best_key[u] = k.key(best[u]);
        found[u] = load<M>(rows->marks + i + u * N) + rows->more;
    }
    for (const RowOfWinners<K>*row = rows + 1, *end = rows + n; row != end; ++row)
        CENOTE_UNROLL for (int u = 0; u < U; ++u) {
            const W v = load<W>(row->values + i + u * N);
            const auto key = k.key(v);
            const auto wins = k.wins(key, best_key[u]);
            best[u] = wins ? v : best[u];
            best_key[u] = wins ? key : best_key[u];
            found[u] = wins ? load<M>(row->marks + i + u * N) + row->more : found[u];
        }
    CENOTE_UNROLL for (int u = 0; u < U; ++u) {
        store(values + i + u * N, best[u]);
        store(marks + i + u * N, found[u]);
    }
}

// n places. Writes up to one register past them.
template <class K>
__attribute__((noinline)) void join_rows(const K& k, const RowOfWinners<K>* rows, int64_t count, int64_t n,
                                         typename K::Acc* values, typename K::Mark* marks) {
    constexpr int N = kN<typename K::Acc>, U = 2;
    int64_t i = 0;
    for (; i + N < n; i += U * N) join_rows<K, U>(k, rows, count, i, values, marks);
    if (i < n) join_rows<K, 1>(k, rows, count, i, values, marks);
}

// Outputs hs, ws of one plane and one D.
template <class K>
class RowsFirst {
    using Acc = typename K::Acc;
    using Mark = typename K::Mark;
    using In = typename K::In;
    using M = V<Mark>;
    static constexpr int N = kN<Acc>;
    static constexpr int64_t kItem = sizeof(In);

public:
    RowsFirst(const K& k, const Problem& p, int64_t d, Part hs, Part ws, Scratch& scratch)
        : k_(k), p_(p), h_(p.axis[1]->slide), w_(p.axis[2]->slide), hs_(hs), ws_(ws) {
        const AxisTable &axis_d = *p.axis[0], &axis_h = *p.axis[1];
        const auto first = static_cast<size_t>(hs.first), last = static_cast<size_t>(hs.end - 1);
        deep_ = axis_d.count[static_cast<size_t>(d)], step_d_ = axis_d.step[static_cast<size_t>(d)] * p.x.stride[0];
        lowest_ = axis_h.start[first], rows_ = axis_h.start[last] + axis_h.count[last] - lowest_;
        cells_ = (ws.size() - 1) * w_.stride + w_.k;
        pitch_ = (cells_ + w_.stride * N - 1) / (w_.stride * N) * N;
        halves_ = h_.stride == 1 && h_.k > kFewTaps;
        kept_ = halves_ ? hs.size() + h_.k - 4 : rows_;
        const int64_t room = w_.k + 4 * N;
        cell_ = scratch.get<In>(Scratch::kPads, (rows_ * pitch_ + room) * w_.stride);
        end_ = reinterpret_cast<const char*>(cell_ + (rows_ * pitch_ + room) * w_.stride);
        values_ = scratch.get<Acc>(Scratch::kKept, deep_ * kept_ * pitch_ + room);
        marks_ = scratch.get<Mark>(Scratch::kAlong, deep_ * kept_ * pitch_ + room);
        if (halves_) {
            single_values_ = scratch.get<Acc>(Scratch::kRaw, rows_ * pitch_ + room);
            single_marks_ = scratch.get<Mark>(Scratch::kDone, rows_ * pitch_ + room);
        }
        row_ = scratch.get<RowOfWinners<K>>(Scratch::kPlanes, deep_ * std::max<int64_t>(h_.k, 4));
        for (int64_t i = ws.first; i < ws.end; ++i) cut_ = cut_ || p.axis[2]->count[static_cast<size_t>(i)] < w_.k;
        if (cut_) prepare_cuts();
    }

    // x: the plane, at the first tap along D. Marks of taps along D and H are as far apart as said. The results' rows
    // follow one another; behind them is room for two registers.
    void find(const char* x, int64_t mark_d, int64_t mark_h, Acc* values, Mark* marks) {
        const AxisTable& axis = *p_.axis[1];
        for (int64_t i = 0; i < deep_; ++i) {
            take_cells(x + i * step_d_ + lowest_ * p_.x.stride[1]);
            Acc* const kept_values = values_ + i * kept_ * pitch_;
            Mark* const kept_marks = marks_ + i * kept_ * pitch_;
            if (!halves_) {
                along_rows(kept_values, kept_marks);
                continue;
            }
            along_rows(single_values_, single_marks_);
            join_some(static_cast<Mark>(mark_h), kept_values, kept_marks);
        }
        int64_t size = 4;
        if (halves_)
            for (; 2 * size < h_.k; size *= 2)
                for (int64_t i = 0; i < deep_; ++i)
                    join_with(values_ + i * kept_ * pitch_, marks_ + i * kept_ * pitch_,
                              (hs_.size() + h_.k - 2 * size) * pitch_, size * pitch_, 0);
        for (int64_t h = hs_.first; h < hs_.end; ++h) {
            const auto hi = static_cast<size_t>(h);
            const int64_t first = axis.start[hi] - lowest_;
            RowOfWinners<K>* row = row_;
            for (int64_t i = 0; i < deep_; ++i) {
                const auto add = [&](int64_t r, int64_t mark) {
                    const int64_t at = (i * kept_ + r) * pitch_;
                    *row++ = {values_ + at, marks_ + at, static_cast<Mark>(i * mark_d + mark)};
                };
                if (halves_) {  // whose marks count from the tile's first row
                    add(h - hs_.first, -first * mark_h);
                    add(h - hs_.first + h_.k - size, -first * mark_h);
                } else {
                    for (int64_t j = 0; j < axis.count[hi]; ++j) add(first + j, j * mark_h);
                }
            }
            const int64_t line = ws_.size(), at = (h - hs_.first) * line;
            join_rows(k_, row_, row - row_, line, values + at, marks + at);
        }
    }

private:
    // By output, how many taps it lacks before the axis, and its last tap's number.
    void prepare_cuts() {
        const AxisTable& axis = *p_.axis[2];
        skipped_.assign(static_cast<size_t>(ws_.size() + N), 0), last_ = skipped_;
        for (int64_t i = ws_.first; i < ws_.end; ++i) {
            const auto to = static_cast<size_t>(i - ws_.first), from = static_cast<size_t>(i);
            skipped_[to] = static_cast<Mark>(axis.skipped[from]), last_[to] = static_cast<Mark>(axis.count[from] - 1);
        }
    }

    // The cells under all windows, `pitch_` outputs from row to row.
    void take_cells(const char* x) {
        constexpr int n = kN<In>;
        const int64_t from = ws_.first * w_.stride - w_.lo, first = std::max<int64_t>(0, from),
                      end = std::min(p_.axis[2]->in, from + cells_), own = end - first;
        const int64_t step = p_.x.stride[2];
        x += first * step;
        for (int64_t r = 0; r < rows_; ++r, x += p_.x.stride[1]) {
            In* const row = cell_ + r * pitch_ * w_.stride;
            In* const to = row + (first - from);
            if (!p_.x_rows)
                for (int64_t i = 0; i < own; ++i) std::memcpy(to + i, x + i * step, sizeof(In));
            else if (own < n)
                std::memcpy(to, x, static_cast<size_t>(own) * sizeof(In));
            else {
                for (int64_t i = 0; i + n < own; i += n) store(to + i, load<V<In>>(x + i * kItem));
                store(to + own - n, load<V<In>>(x + (own - n) * kItem));
            }
            for (In* cell = row; cell < to; ++cell) *cell = *to;
            for (In *cell = to + own, *behind = row + cells_; cell < behind; ++cell) *cell = to[own - 1];
        }
    }

    // The winners of all rows along W: as if they were one row.
    void along_rows(Acc* values, Mark* marks) {
        const auto* x = reinterpret_cast<const char*>(cell_);
        const int64_t all = rows_ * pitch_;
        Window window{};
        window.d = window.h = 1, window.w = w_.k, window.step_w = kItem, window.mark_w = 1;
        if (w_.stride == 2) {
            winners<K, Reading::pairs>(k_, x, window, 2 * kItem, all, end_, values, marks);
        } else {
            const bool halves = w_.k > kFewTaps;
            if (halves) window.w = 4;
            winners<K, Reading::near>(k_, x, window, kItem, all, end_, values, marks);
            for (int64_t size = 4, next = 0; halves && size < w_.k; size = next) {
                next = std::min(2 * size, w_.k);
                join_with(values, marks, all, next - size, static_cast<Mark>(next - size));
            }
        }
        if (!cut_) return;
        for (int64_t r = 0; r < rows_; ++r)
            for (int64_t i = 0; i < ws_.size(); i += N) {
                Mark* const at = marks + r * pitch_ + i;
                const M mark = load<M>(at), before = load<M>(skipped_.data() + i), last = load<M>(last_.data() + i);
                const M real = mark > before ? mark - before : M{};
                store(at, real < last ? real : last);
            }
    }

    // Windows of four rows from every row on, those in the padding included. Their marks count from the tile's first row.
    void join_some(Mark mark_h, Acc* values, Mark* marks) {
        const int64_t above = hs_.first - h_.lo - lowest_;
        for (int64_t r = 0; r < kept_; ++r) {
            for (int64_t j = 0; j < 4; ++j) {
                const int64_t from = std::clamp<int64_t>(above + r + j, 0, rows_ - 1);
                row_[j] = {single_values_ + from * pitch_, single_marks_ + from * pitch_,
                           static_cast<Mark>(static_cast<Mark>(from) * mark_h)};
            }
            join_rows(k_, row_, 4, pitch_, values + r * pitch_, marks + r * pitch_);
        }
    }

    // Each of n places joins the one that is `far` on, whose mark lacks `more`.
    __attribute__((noinline)) void join_with(Acc* values, Mark* marks, int64_t n, int64_t far, Mark more) {
        const RowOfWinners<K> rows[] = {{values, marks, 0}, {values + far, marks + far, more}};
        for (int64_t i = 0; i < n; i += N) join_rows<K, 1>(k_, rows, 2, i, values, marks);
    }

    const K& k_;
    const Problem& p_;
    const Sliding &h_, &w_;
    Part hs_, ws_;
    int64_t deep_, step_d_;         // taps along D, and bytes between them
    int64_t lowest_, rows_;         // of the input
    int64_t cells_, pitch_, kept_;  // of a row; places from row to row; rows from which windows are joined
    bool halves_, cut_ = false;     // rows are joined from halves; windows lack taps along W
    In* cell_;
    const char* end_;
    Acc *values_, *single_values_ = nullptr;
    Mark *marks_, *single_marks_ = nullptr;
    RowOfWinners<K>* row_;
    std::vector<Mark> skipped_, last_;
};

// Away from the code for other windows, which it would slow down.
template <class K>
__attribute__((noinline)) void winners_by_rows(const K& k, const Problem& p, int64_t d, Part hs, Part ws, const char* x,
                                               int64_t mark_d, int64_t mark_h, typename K::Acc* values,
                                               typename K::Mark* marks, Scratch& scratch) {
    RowsFirst<K>(k, p, d, hs, ws, scratch).find(x, mark_d, mark_h, values, marks);
}
