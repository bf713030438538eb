// Gradients, tile by tile: every row of cells collects from the windows that hold it, in row-major order of the outputs,
// and is written once. Where windows slide over single elements, cells of one residue side by side; else the elements of
// each cell.
#pragma once

template <class W>
CENOTE_INLINE void interleave(W even, W odd, W& low, W& high) {
    constexpr int N = kCount<W>;
    if constexpr (N == 2) {
        low = __builtin_shufflevector(even, odd, 0, 2), high = __builtin_shufflevector(even, odd, 1, 3);
    } else if constexpr (N == 4) {
        low = __builtin_shufflevector(even, odd, 0, 4, 1, 5), high = __builtin_shufflevector(even, odd, 2, 6, 3, 7);
    } else if constexpr (N == 8) {
        low = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
        high = __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
    } else {
        static_assert(N == 16);
        low = __builtin_shufflevector(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        high = __builtin_shufflevector(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
}

// A backward call, ready to be cut into tiles.
struct Spreading {
    const Problem& p;
    const Gathered &d, &h;
    const Gathered* w;              // where cells are worked on one by one
    const Residues* residues;       // where windows slide over single elements
    const std::vector<double>* by;  // divisors of the outputs along each axis; null where nothing is divided by them
    double number;                  // what everything is divided by
    DType offset_type;
    int64_t box_h, box_w;
    const std::vector<int64_t>& astray;  // outputs along W whose first taps are not their window's
    bool doubled;                        // windows of two cells along W, no cell in more than one window
    bool same_by_w;                      // the divisor along W is the same everywhere
    int64_t planes, high, wide, deep;    // of a tile: cells along H; along W, in cells or steps of the stride; elements
    int64_t plane_tiles, h_tiles, w_tiles, c_tiles;
    bool past_caches;

    int64_t units() const { return plane_tiles * p.axis[0]->in * h_tiles * w_tiles * c_tiles; }
};

template <class E>
using StoredAs = std::conditional_t<std::is_same_v<E, F16> || std::is_same_v<E, Bf16>, uint16_t, E>;

// E: elements of the gradients, A: accumulators. winner: only the cell that won receives.
template <class E, class A, bool winner>
class Gradients {
public:
    using In = StoredAs<E>;
    using Raw = Vec<In, kN<A>>;
    using W = V<A>;
    using Code = Signed<A>;  // offsets, as wide as the accumulators
    using C = V<Code>;
    static constexpr int N = kN<A>;
    static constexpr int64_t kItem = sizeof(In);

    Gradients(const Spreading& s, Scratch& scratch) : s_(s), p_(s.p), scratch_(scratch) {}

    void tile(int64_t unit) {
        const auto part = [&](int64_t tiles, int64_t size, int64_t total) {
            const int64_t at = unit % tiles;
            unit /= tiles;
            return Part{at * size, std::min(total, (at + 1) * size)};
        };
        c_ = part(s_.c_tiles, s_.deep, p_.c);
        w_ = part(s_.w_tiles, s_.wide, s_.residues == nullptr ? p_.axis[2]->in : steps());
        h_ = part(s_.h_tiles, s_.high, p_.axis[1]->in);
        d_ = unit % p_.axis[0]->in;
        unit /= p_.axis[0]->in;
        const Part planes{unit * s_.planes, std::min(p_.planes, (unit + 1) * s_.planes)};
        const int64_t stride = s_.residues == nullptr ? 1 : p_.axis[2]->slide.stride;
        const Part cells{w_.first * stride, std::min(p_.axis[2]->in, w_.end * stride)};
        line_ = cells.size() * c_.size();
        const int64_t all = h_.size() * line_;
        A* const stage = scratch_.get<A>(Scratch::kRows, planes.size() * all + 8 * N * stride);
        if (s_.residues != nullptr && !s_.doubled) plan_rows();
        A* out = stage;
        for (plane_ = planes.first; plane_ < planes.end; ++plane_, out += all) {
            for (size_t a = 0; a < 3; ++a) at_[a] = p_.array[a].data + p_.plane(plane_, static_cast<int>(a));
            if (s_.doubled) {
                double_rows(out);
            } else if (s_.residues != nullptr) {
                prepare();
                collect_rows(out);
            } else {
                for (int64_t h = h_.first; h < h_.end; ++h) collect_cells(h, out + (h - h_.first) * line_);
            }
        }
        const Array& dx = p_.array[0];
        const auto give_rows = [&](int64_t plane, int64_t count, const A* from) {
            const Sink to{dx.data + p_.plane(plane, 0) + d_ * dx.stride[0] + h_.first * dx.stride[1] +
                              cells.first * dx.stride[2] + c_.first * kItem,
                          dx.stride[1], dx.stride[2], kItem};
            flush(to, count * h_.size(), cells.size(), c_.size(), scratch_, [&](int64_t i, int64_t n, char* to_there) {
                put<In, N>(to_there, n, s_.past_caches, [&](int64_t e) { return give(load<W>(from + i + e)); });
            });
        };
        bool follow = true;  // one plane's rows after the other's
        for (int64_t plane = planes.first + 1; plane < planes.end; ++plane)
            follow = follow && p_.plane(plane, 0) - p_.plane(plane - 1, 0) == h_.size() * dx.stride[1];
        if (follow) return give_rows(planes.first, planes.size(), stage);
        for (int64_t plane = planes.first; plane < planes.end; ++plane)
            give_rows(plane, 1, stage + (plane - planes.first) * all);
    }

private:
    // What an output is divided by. By a power of two it is multiplied instead, which gives the same quotient.
    struct Share {
        A by;
        bool times;
    };

    static CENOTE_INLINE W take(Raw raw) { return Added<E, A, Lift::none>{}.take(raw); }
    static CENOTE_INLINE Raw give(W v) { return Rounded<A, E, Last::nothing>{}.give(v, 0, {A(1), nullptr}); }

    // Steps of the stride that cover all cells.
    int64_t steps() const { return (p_.axis[2]->in + p_.axis[2]->slide.stride - 1) / p_.axis[2]->slide.stride; }

    // ---- windows of two cells, none in another's: every output becomes two cells of the rows that it holds ----

    void double_rows(A* out) const {
        switch (s_.offset_type) {
            case DType::u8: return double_rows_as<uint8_t>(out);
            case DType::u16: return double_rows_as<uint16_t>(out);
            default: return double_rows_as<uint32_t>(out);
        }
    }

    template <class T>
    void double_rows_as(A* out) const {
        const auto di = static_cast<size_t>(d_);
        const bool held = s_.d.first[di] < s_.d.first[di + 1];
        const int64_t n = std::max<int64_t>(0, std::min(w_.end, p_.axis[2]->out()) - w_.first);
        for (int64_t h = h_.first; h < h_.end; ++h, out += line_) {
            const auto first = static_cast<size_t>(s_.h.first[static_cast<size_t>(h)]);
            if (!held || static_cast<int64_t>(first) == s_.h.first[static_cast<size_t>(h) + 1]) {
                std::fill_n(out, line_, A(0));
                continue;
            }
            const int64_t d = s_.d.out[static_cast<size_t>(s_.d.first[di])], row = s_.h.out[first];
            const int64_t tap = s_.d.tap[static_cast<size_t>(s_.d.first[di])] * s_.box_h + s_.h.tap[first];
            const char* offset = winner ? output(2, d, row, w_.first) : nullptr;
            const Share by = share(d, row, 0);
            const char* g = output(1, d, row, w_.first);
            const auto wanted = static_cast<Code>(tap * s_.box_w);
            by.times ? double_row<T, true>(g, offset, wanted, n, by.by, out)
                     : double_row<T, false>(g, offset, wanted, n, by.by, out);
            if (2 * n < line_) std::fill(out + 2 * n, out + line_, A(0));
        }
    }

    template <class T, bool times>
    __attribute__((noinline)) static void double_row(const char* g, const char* offset, Code wanted, int64_t n, A by,
                                                     A* out) {
        const auto some = [&](const Raw raw, Vec<T, N> offsets, A* to) __attribute__((always_inline)) {
            W given = take(raw), even, odd, low, high;
            if constexpr (!winner) given = times ? given * by : given / by;
            given = given + W{};
            even = odd = given;
            if constexpr (winner) {
                const C code = as<C>(widened<Unsigned<A>>(offsets));
                even = as<W>(as<C>(given) & (code == wanted));
                odd = as<W>(as<C>(given) & (code == static_cast<Code>(wanted + 1)));
            }
            interleave(even, odd, low, high);
            store(to, low);
            store(to + N, high);
        };
        constexpr auto size = static_cast<int64_t>(sizeof(T));
        int64_t i = 0;
        for (; i + N <= n; i += N)
            some(load<Raw>(g + i * kItem), winner ? load<Vec<T, N>>(offset + i * size) : Vec<T, N>{}, out + 2 * i);
        if (i == n) return;
        Vec<T, N> offsets{};
        if constexpr (winner) offsets = load_part<Vec<T, N>>(offset + i * size, n - i, T{});
        some(load_part<Raw>(g + i * kItem, n - i, In{}), offsets, out + 2 * i);
    }

    Share share(int64_t d, int64_t h, int64_t w) const {
        if constexpr (winner) return {};
        double by = s_.number;
        if (s_.by != nullptr)
            by = s_.by[0][static_cast<size_t>(d)] * s_.by[1][static_cast<size_t>(h)] * s_.by[2][static_cast<size_t>(w)];
        const bool times = by >= 1 && by < 0x1p60 && (static_cast<int64_t>(by) & (static_cast<int64_t>(by) - 1)) == 0 &&
                           by == static_cast<double>(static_cast<int64_t>(by));
        return {static_cast<A>(times ? 1.0 / by : by), times};
    }

    // ---- windows that slide over single elements ----

    // The rows of outputs that the tile needs.
    void plan_rows() {
        const auto di = static_cast<size_t>(d_);
        const auto first = static_cast<size_t>(s_.h.first[static_cast<size_t>(h_.first)]),
                   end = static_cast<size_t>(s_.h.first[static_cast<size_t>(h_.end)]);
        lowest_ = p_.axis[1]->out();
        int64_t highest = -1;
        for (size_t i = first; i < end; ++i) {
            lowest_ = std::min(lowest_, s_.h.out[i]);
            highest = std::max(highest, s_.h.out[i]);
        }
        rows_ = std::max<int64_t>(0, highest - lowest_ + 1);
        from_ = w_.first + s_.residues->least;
        pitch_ = (w_.size() + s_.residues->most - s_.residues->least + 5 * N) / N * N;
        deep_ = s_.d.first[di + 1] - s_.d.first[di];
        g_ = scratch_.get<A>(Scratch::kPlanes, deep_ * rows_ * pitch_);
        if constexpr (winner) code_ = scratch_.get<Code>(Scratch::kKept, deep_ * rows_ * pitch_);
        pair_ = scratch_.get<Pair>(Scratch::kPads, s_.d.most * s_.h.most + 1);
    }

    // As accumulators and codes, with what no cell takes around them.
    void prepare() {
        for (int64_t i = 0; i < deep_; ++i)
            for (int64_t r = 0; r < rows_; ++r) {
                const int64_t d = s_.d.out[static_cast<size_t>(s_.d.first[static_cast<size_t>(d_)] + i)];
                const int64_t h = lowest_ + r;
                prepare_row(d, h, g_ + (i * rows_ + r) * pitch_);
                if constexpr (winner) {
                    Code* to = code_ + (i * rows_ + r) * pitch_;
                    switch (s_.offset_type) {
                        case DType::u8: prepare_codes<uint8_t>(d, h, to); break;
                        case DType::u16: prepare_codes<uint16_t>(d, h, to); break;
                        default: prepare_codes<uint32_t>(d, h, to);
                    }
                }
            }
    }

    const char* output(size_t array, int64_t d, int64_t h, int64_t w) const {
        const Array& a = p_.array[array];
        return at_[array] + d * a.stride[0] + h * a.stride[1] + w * a.stride[2];
    }

    // fill(to, first, n): outputs [first, first + n) of a row, up to a register more; `none` around them.
    template <class T, class Fill>
    CENOTE_INLINE void around(T* to, T none, const Fill& fill) const {
        const int64_t first = std::max<int64_t>(0, from_),
                      end = std::max(first, std::min(p_.axis[2]->out(), from_ + pitch_ - N));
        int64_t i = from_;
        for (; i < first && i < from_ + pitch_; i += N) store(to + (i - from_), splat<V<T>>(none));
        if (end > first) fill(to + (first - from_), first, end - first);
        for (i = end; i + N <= from_ + pitch_; i += N) store(to + (i - from_), splat<V<T>>(none));
    }

    __attribute__((noinline)) void prepare_row(int64_t d, int64_t h, A* row) const {
        around(row, A(0), [&](A* to, int64_t first, int64_t n) {
            const char* g = output(1, d, h, first);
            const int64_t step = p_.array[1].stride[2];
            int64_t i = 0;
            if (p_.rows[1])
                for (; i + N <= n; i += N) store(to + i, take(load<Raw>(g + i * kItem)));
            for (; i < n; i += N) {
                In raw[N] = {};
                const int64_t lanes = std::min<int64_t>(N, n - i);
                for (int64_t l = 0; l < lanes; ++l) std::memcpy(raw + l, g + (i + l) * step, sizeof raw[0]);
                store_part(to + i, take(load<Raw>(raw)), lanes);
            }
            if constexpr (!winner) divide(to, d, h, first, n);
        });
    }

    void divide(A* to, int64_t d, int64_t h, int64_t first, int64_t n) const {
        if (s_.by != nullptr && !s_.same_by_w) {
            const double row = s_.by[0][static_cast<size_t>(d)] * s_.by[1][static_cast<size_t>(h)];
            const double* table = s_.by[2].data() + first;
            for (int64_t i = 0; i < n; ++i) to[i] = to[i] / static_cast<A>(row * table[i]);
            return;
        }
        const Share by = share(d, h, 0);
        if (by.times)
            for (int64_t i = 0; i < n; i += N) store(to + i, load<W>(to + i) * by.by);
        else
            for (int64_t i = 0; i < n; i += N) store(to + i, load<W>(to + i) / by.by);
    }

    template <class T>
    __attribute__((noinline)) void prepare_codes(int64_t d, int64_t h, Code* row) const {
        around(row, Code(-1), [&](Code* to, int64_t first, int64_t n) {
            const char* o = output(2, d, h, first);
            const int64_t step = p_.array[2].stride[2];
            constexpr int64_t item = sizeof(T);
            int64_t i = 0;
            if (p_.rows[2])
                for (; i + N <= n; i += N) store(to + i, as<C>(widened<Unsigned<A>>(load<Vec<T, N>>(o + i * item))));
            for (; i < n; ++i) {
                T code;
                std::memcpy(&code, o + i * step, sizeof code);
                to[i] = static_cast<Code>(code);
            }
        });
        // a window that begins in the padding counts from its first tap: here all count from the window's own
        for (const int64_t i : s_.astray) {
            if (i < from_ || i >= from_ + pitch_) continue;
            Code& code = row[i - from_];
            const auto tap = static_cast<int64_t>(static_cast<Unsigned<A>>(code)) % s_.box_w;
            const AxisTable& w = *p_.axis[2];
            code = tap < w.count[static_cast<size_t>(i)] ? code + static_cast<Code>(w.skipped[static_cast<size_t>(i)])
                                                         : Code(-1);
        }
    }

    // A row of outputs that holds the row of cells, from the output that is as far on as the tile's first cells.
    struct Pair {
        const A* g;
        const Code* code;
        Code wanted;  // of the first tap of its row
    };

    // The taps of one residue.
    struct Taps {
        const int64_t *shift, *tap;
        int64_t n;
    };

    Taps taps_of(size_t residue) const {
        const Residues& r = *s_.residues;
        const int64_t first = r.first[residue];
        return {r.shift.data() + first, r.tap.data() + first, r.first[residue + 1] - first};
    }

    // U registers of the cells of one residue, q steps on. `count` taps, or any number where it is 0.
    template <int U, int count>
    static CENOTE_INLINE void sum(const Pair* pair, int64_t pairs, const Taps& taps, int64_t q, W* acc) {
        const int64_t *shift = taps.shift, *tap = taps.tap;
        CENOTE_UNROLL for (int u = 0; u < U; ++u) acc[u] = W{};
        for (const Pair *p = pair, *end = pair + pairs; p != end; ++p) {
            const auto add = [&](int64_t t) __attribute__((always_inline)) {
                const A* g = p->g + shift[t] + q;
                const Code* code = winner ? p->code + shift[t] + q : nullptr;
                const auto wanted = static_cast<Code>(p->wanted + static_cast<Code>(tap[t]));
                CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                    W given = load<W>(g + u * N);
                    if constexpr (winner) given = as<W>(as<C>(given) & (load<C>(code + u * N) == wanted));
                    acc[u] = acc[u] + given;
                }
            };
            if constexpr (count > 0) {
                CENOTE_UNROLL for (int t = 0; t < count; ++t) add(t);
            } else {
                for (int64_t t = 0; t < taps.n; ++t) add(t);
            }
        }
    }

    template <int even_taps, int odd_taps>
    __attribute__((noinline)) void collect_pairs(int64_t pairs, A* out) const {
        const Taps of_even = taps_of(0), of_odd = taps_of(1);
        const Pair* const pair = pair_;
        const auto some = [=]<int U>(int64_t q) __attribute__((always_inline)) {
            W even[U], odd[U];
            sum<U, even_taps>(pair, pairs, of_even, q, even);
            sum<U, odd_taps>(pair, pairs, of_odd, q, odd);
            CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                W low, high;
                interleave(even[u], odd[u], low, high);
                store(out + 2 * (q + u * N), low);
                store(out + 2 * (q + u * N) + N, high);
            }
        };
        blocks(some);
    }

    template <int taps>
    __attribute__((noinline)) void collect_near(int64_t pairs, A* out) const {
        const Taps of_all = taps_of(0);
        const Pair* const pair = pair_;
        const auto some = [=]<int U>(int64_t q) __attribute__((always_inline)) {
            W acc[U];
            sum<U, taps>(pair, pairs, of_all, q, acc);
            CENOTE_UNROLL for (int u = 0; u < U; ++u) store(out + q + u * N, acc[u]);
        };
        blocks(some);
    }

    __attribute__((noinline)) void collect_apart(int64_t pairs, A* out) const {
        const int64_t stride = p_.axis[2]->slide.stride;
        const auto some = [&]<int U>(int64_t q) {
            for (int64_t k = 0; k < stride; ++k) {
                W acc[U];
                sum<U, 0>(pair_, pairs, taps_of(static_cast<size_t>(k)), q, acc);
                A lane[U * N];
                CENOTE_UNROLL for (int u = 0; u < U; ++u) store(lane + u * N, acc[u]);
                for (int i = 0; i < U * N; ++i) out[(q + i) * stride + k] = lane[i];
            }
        };
        blocks(some);
    }

    template <class Some>
    CENOTE_INLINE void blocks(const Some& some) const {
        const int64_t wide = w_.size();
        int64_t q = 0;
        for (; q + 2 * N < wide; q += 4 * N) some.template operator()<4>(q);
        for (; q < wide; q += 2 * N) some.template operator()<2>(q);
    }

    using Collect = void (Gradients::*)(int64_t pairs, A* out) const;

    Collect way() const {
        const Residues& r = *s_.residues;
        const auto taps = [&](size_t k) { return r.first[k + 1] - r.first[k]; };
        const int64_t stride = p_.axis[2]->slide.stride;
        if (stride == 2) {
            if (taps(0) == 1 && taps(1) == 2) return &Gradients::collect_pairs<1, 2>;
            if (taps(0) == 2 && taps(1) == 1) return &Gradients::collect_pairs<2, 1>;
            return &Gradients::collect_pairs<0, 0>;
        }
        if (stride > 1) return &Gradients::collect_apart;
        if (taps(0) == 2) return &Gradients::collect_near<2>;
        if (taps(0) == 3) return &Gradients::collect_near<3>;
        return &Gradients::collect_near<0>;
    }

    void collect_rows(A* out) {
        const Collect collect = way();
        const auto di = static_cast<size_t>(d_);
        const int64_t *d_tap = s_.d.tap.data() + s_.d.first[di], *h_tap = s_.h.tap.data(), *h_out = s_.h.out.data(),
                      *h_first = s_.h.first.data();
        const int64_t ahead = w_.first - from_, plane = rows_ * pitch_;
        for (int64_t h = h_.first; h < h_.end; ++h, out += line_) {
            Pair* p = pair_;
            for (int64_t i = 0; i < deep_; ++i)
                for (int64_t j = h_first[h]; j < h_first[h + 1]; ++j, ++p) {
                    const int64_t at = i * plane + (h_out[j] - lowest_) * pitch_ + ahead;
                    p->g = g_ + at;
                    if constexpr (winner) p->code = code_ + at;
                    p->wanted = static_cast<Code>((d_tap[i] * s_.box_h + h_tap[j]) * s_.box_w);
                }
            (this->*collect)(p - pair_, out);
        }
    }

    // ---- cells one by one ----

    struct Source {
        const char *g, *offset;
        Code wanted;
        Share by;
        int64_t d, h;
    };

    void collect_cells(int64_t h, A* out) {
        switch (s_.offset_type) {
            case DType::u8: return collect_cells_as<uint8_t>(h, out);
            case DType::u16: return collect_cells_as<uint16_t>(h, out);
            default: return collect_cells_as<uint32_t>(h, out);
        }
    }

    template <class T>
    void collect_cells_as(int64_t h, A* out) {
        const auto di = static_cast<size_t>(d_), hi = static_cast<size_t>(h);
        const int64_t pairs = (s_.d.first[di + 1] - s_.d.first[di]) * (s_.h.first[hi + 1] - s_.h.first[hi]);
        Source* const rows = scratch_.get<Source>(Scratch::kPads, pairs * (s_.w->most + 1) + 1);
        Source *const sources = rows + pairs, *row = rows;
        for (int64_t i = s_.d.first[di]; i < s_.d.first[di + 1]; ++i)
            for (int64_t j = s_.h.first[hi]; j < s_.h.first[hi + 1]; ++j, ++row) {
                const auto ii = static_cast<size_t>(i), ji = static_cast<size_t>(j);
                row->d = s_.d.out[ii], row->h = s_.h.out[ji];
                row->g = output(1, row->d, row->h, 0) + c_.first * kItem;
                row->offset = nullptr;
                if constexpr (winner)
                    row->offset = output(2, row->d, row->h, 0) + c_.first * static_cast<int64_t>(sizeof(T));
                row->wanted = static_cast<Code>((s_.d.tap[ii] * s_.box_h + s_.h.tap[ji]) * s_.box_w);
                row->by = share(row->d, row->h, 0);
            }
        const bool by_each = !winner && s_.by != nullptr && !s_.same_by_w;
        const int64_t c = c_.size(), g_step = p_.array[1].stride[2], o_step = winner ? p_.array[2].stride[2] : 0;
        for (int64_t x = w_.first; x < w_.end; ++x, out += c) {
            Source* s = sources;
            const int64_t *k = s_.w->first.data() + x, *at = s_.w->out.data(), *tap = s_.w->tap.data();
            for (const Source* r = rows; r != row; ++r)
                for (int64_t i = k[0]; i < k[1]; ++i, ++s) {
                    s->g = r->g + at[i] * g_step;
                    if constexpr (winner) {
                        s->offset = r->offset + at[i] * o_step;
                        s->wanted = static_cast<Code>(r->wanted + static_cast<Code>(tap[i]));
                    } else {
                        s->by = by_each ? share(r->d, r->h, at[i]) : r->by;
                    }
                }
            collect_cell<T>(sources, s, c, out);
        }
    }

    template <class T, bool times>
    static CENOTE_INLINE W given(const Source& s, Raw raw, Vec<T, N> offset) {
        const W g = take(raw);
        if constexpr (winner)
            return as<W>(as<C>(g) & (as<C>(widened<Unsigned<A>>(offset)) == s.wanted));
        else
            return times ? g * s.by.by : g / s.by.by;
    }

    template <class T>
    void collect_cell(const Source* sources, const Source* end, int64_t c, A* out) const {
        int64_t e = 0;
        if (sources == end)
            std::fill_n(out, c, A(0));
        else if (end - sources == 1)
            e = sources->by.times ? collect_one<T, true>(*sources, c, out) : collect_one<T, false>(*sources, c, out);
        else
            e = collect_some<T>(sources, end, c, out);
        if (sources != end && e < c) collect_rest<T>(sources, end, e, c, out);
    }

    template <class T, bool times>
    static CENOTE_INLINE int64_t collect_one(const Source& s, int64_t c, A* out) {
        using O = Vec<T, N>;
        const Source own = s;
        int64_t e = 0;
        for (; e + N <= c; e += N) {
            O offset{};
            if constexpr (winner) offset = load<O>(own.offset + e * static_cast<int64_t>(sizeof(T)));
            store(out + e, given<T, times>(own, load<Raw>(own.g + e * kItem), offset) + W{});
        }
        return e;
    }

    template <class T>
    __attribute__((noinline)) static int64_t collect_some(const Source* sources, const Source* end, int64_t c, A* out) {
        using O = Vec<T, N>;
        constexpr int U = 2;
        int64_t e = 0;
        const auto some = [&](auto registers) __attribute__((always_inline)) {
            constexpr int u_most = decltype(registers)::value;
            W acc[u_most]{};
            for (const Source* s = sources; s != end; ++s) {
                const char *g = s->g + e * kItem, *o = s->offset + e * static_cast<int64_t>(sizeof(T));
                CENOTE_UNROLL for (int u = 0; u < u_most; ++u) {
                    const Raw raw = load<Raw>(g + u * static_cast<int64_t>(sizeof(Raw)));
                    O offset{};
                    if constexpr (winner) offset = load<O>(o + u * static_cast<int64_t>(sizeof(O)));
                    if (!winner && s->by.times)
                        acc[u] = acc[u] + given<T, true>(*s, raw, offset);
                    else
                        acc[u] = acc[u] + given<T, false>(*s, raw, offset);
                }
            }
            CENOTE_UNROLL for (int u = 0; u < u_most; ++u) store(out + e + u * N, acc[u]);
        };
        for (; e + U * N <= c; e += U * N) some(std::integral_constant<int, U>{});
        for (; e + N <= c; e += N) some(std::integral_constant<int, 1>{});
        return e;
    }

    template <class T>
    __attribute__((noinline)) void collect_rest(const Source* sources, const Source* end, int64_t e, int64_t c,
                                                A* out) const {
        using O = Vec<T, N>;
        W acc{};
        for (const Source* s = sources; s != end; ++s) {
            const char* g = s->g + e * kItem;
            const Raw raw = g + sizeof(Raw) <= p_.end[1] ? load<Raw>(g) : load_part<Raw>(g, c - e, In{});
            O offset{};
            if constexpr (winner) {
                const char* o = s->offset + e * static_cast<int64_t>(sizeof(T));
                offset = o + sizeof(O) <= p_.end[2] ? load<O>(o) : load_part<O>(o, c - e, T{});
            }
            acc = acc + (s->by.times ? given<T, true>(*s, raw, offset) : given<T, false>(*s, raw, offset));
        }
        store(out + e, acc);
    }

    const Spreading& s_;
    const Problem& p_;
    Scratch& scratch_;
    Part c_{}, w_{}, h_{};
    int64_t d_ = 0, plane_ = 0, line_ = 0;
    int64_t lowest_ = 0, rows_ = 0, deep_ = 0, from_ = 0, pitch_ = 0;
    const char* at_[3] = {};  // the plane in each array
    A* g_ = nullptr;
    Code* code_ = nullptr;
    Pair* pair_ = nullptr;
};

template <class E, class A, bool winner>
bool spread_tiles(const Spreading& s, double taps, int threads, Control& control) {
    double cells = static_cast<double>(s.p.c * s.p.planes);
    for (const AxisTable* axis : s.p.axis) cells *= static_cast<double>(axis->in);
    const auto nanoseconds = static_cast<int64_t>(std::min(0x1p60, cells * (0.2 + 0.1 * taps)));
    const auto work = static_cast<int64_t>(std::min(0x1p40, 1 + cells * taps / static_cast<double>(s.units())));
    parallel_for(s.units(), nanoseconds, threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
        Gradients<E, A, winner> gradients(s, scratch());
        for (int64_t unit = begin; unit < end; ++unit) {
            gradients.tile(unit);
            if (!ticker.go_on(work)) break;
        }
        if (s.past_caches) stream_end();
        scratch().trim();
    });
    return true;
}

inline bool backward(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, DType other_type,
                     Control& control) {
    const DType in = call.params.in;
    const Kind kind = kind_of(call.reducer);
    if (in != g_type || is_complex(in) || kind == Kind::norm) return false;
    const bool winner = kind == Kind::winner;
    if (winner && other_type != DType::u8 && other_type != DType::u16 && other_type != DType::u32) return false;
    double box = 1;
    for (const AxisTable& axis : g.axis) {
        if (axis.in == 0 || axis.out() == 0 || *std::min_element(axis.count.begin(), axis.count.end()) < 1)
            return false;
        box *= static_cast<double>(axis.most_taps);
    }
    if (box > 0x1p30) return false;  // a code that no tap has must be left
    Problem p;
    const int64_t item = item_size(in);
    if (!stated(g, layout, {item, item, winner ? item_size(other_type) : 0, 0}, false, p)) return false;
    const AxisTable &d = *p.axis[0], &h = *p.axis[1], &w = *p.axis[2];

    // Averages divide by a count of taps each, sums by nothing.
    const bool divides = call.reducer == Reducer::avg, counts = divides && call.divisor != Divisor::number;
    std::vector<double> by[kMostPooled];
    double number = divides && !counts ? call.params.number : 1.0;
    if (counts) {
        double most = 1;
        for (size_t a = 0; a < kMostPooled; ++a) {
            double largest = 0;
            for (const int64_t n : p.axis[a]->divisor(call.divisor)) {
                if (n < 1) return false;
                by[a].push_back(static_cast<double>(n));
                largest = std::max(largest, by[a].back());
            }
            most *= largest;
        }
        if (most > 0x1p52) return false;
    }

    const bool slides = p.c == 1 && w.slide.k > 0 && w.slide.stride <= 64 && w.slide.k <= 4096;
    std::vector<int64_t> astray;
    if (winner && slides)
        for (int64_t i = 0; i < w.out(); ++i)
            if (w.skipped[static_cast<size_t>(i)] > 0) astray.push_back(i);
    if (!astray.empty() && w.most_taps != w.slide.k) return false;
    if (!slides && p.c == 1) return false;
    if (Gathered::size(d) + Gathered::size(h) > 0x1p20 || (!slides && Gathered::size(w) > 0x1p20)) return false;
    const Gathered of_d(d), of_h(h);
    const Gathered of_w(slides ? single_cell() : w);
    const Residues residues(slides ? w.slide : Sliding{1, 1, 1, 0});
    const int64_t taps_w = slides ? (w.slide.k + w.slide.stride - 1) / w.slide.stride : of_w.most;
    const double taps = static_cast<double>(of_d.most) * static_cast<double>(of_h.most) * static_cast<double>(taps_w);
    // where windows hold each other's cells many times over, winners are rarer than what would be looked at
    if (winner && taps > 64) return false;

    const bool doubled = slides && w.slide.stride == 2 && w.slide.k == 2 && w.slide.dilation == 1 && w.slide.lo == 0 &&
                         of_d.most <= 1 && of_h.most <= 1 && p.rows[1] && (!winner || p.rows[2]) &&
                         w.most_taps == w.slide.k;
    const bool same_by_w = std::all_of(by[2].begin(), by[2].end(), [&](double n) { return n == by[2][0]; });

    constexpr int64_t kCellsOfTile = 4096;
    const auto ceil = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
    const int64_t steps = slides ? ceil(w.in, w.slide.stride) : w.in, stride = slides ? w.slide.stride : 1;
    const int64_t deep = std::min<int64_t>(p.c, kCellsOfTile);
    const int64_t wide = std::clamp<int64_t>(kCellsOfTile / (stride * deep), 1, steps);
    const int64_t high = std::clamp<int64_t>(kCellsOfTile / (wide * stride * deep), 1, h.in);
    const bool whole = high == h.in && wide == steps && deep == p.c && d.in == 1;
    const int64_t planes = whole ? std::clamp<int64_t>(kCellsOfTile / (h.in * w.in * p.c), 1, p.planes) : 1;
    double bytes = static_cast<double>(p.c * p.planes * item);
    for (const AxisTable* axis : p.axis) bytes *= static_cast<double>(axis->in);
    const Spreading s{p,
                      of_d,
                      of_h,
                      slides ? nullptr : &of_w,
                      slides ? &residues : nullptr,
                      counts ? by : nullptr,
                      number,
                      other_type,
                      std::max<int64_t>(1, h.most_taps),
                      std::max<int64_t>(1, w.most_taps),
                      astray,
                      doubled && same_by_w,
                      same_by_w,
                      planes,
                      high,
                      wide,
                      deep,
                      ceil(p.planes, planes),
                      ceil(h.in, high),
                      ceil(steps, wide),
                      ceil(p.c, deep),
                      bytes >= kPastCaches};
    const auto as = [&]<class E, class A>() {
        return winner ? spread_tiles<E, A, true>(s, taps, call.threads, control)
                      : spread_tiles<E, A, false>(s, taps, call.threads, control);
    };
    switch (in) {
        case DType::f32: return as.template operator()<float, float>();
        case DType::f64: return as.template operator()<double, double>();
        case DType::f16: return as.template operator()<F16, float>();
        case DType::bf16: return as.template operator()<Bf16, float>();
        default: return false;
    }
}
