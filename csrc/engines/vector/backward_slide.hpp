// Gradients of windows that slide over single elements: the cells of one residue of the stride side by side.
#pragma once

template <class E, class A, bool winner>
class SlidingRows : public DoubledRows<E, A, winner> {
protected:
    using Base = DoubledRows<E, A, winner>;
    using Base::d_;
    using Base::h_;
    using Base::kItem;
    using Base::line_;
    using Base::N;
    using Base::output;
    using Base::p_;
    using Base::s_;
    using Base::scratch_;
    using Base::share;
    using Base::take;
    using Base::w_;
    using typename Base::C;
    using typename Base::Code;
    using typename Base::In;
    using typename Base::Raw;
    using typename Base::Share;
    using typename Base::W;

    using Base::Base;

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
        g_ = scratch_.template get<A>(Scratch::kPlanes, deep_ * rows_ * pitch_);
        if constexpr (winner) code_ = scratch_.template get<Code>(Scratch::kKept, deep_ * rows_ * pitch_);
        pair_ = scratch_.template get<Pair>(Scratch::kPads, s_.d.most * s_.h.most + 1);
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

    using Collect = void (SlidingRows::*)(int64_t pairs, A* out) const;

    Collect way() const {
        const Residues& r = *s_.residues;
        const auto taps = [&](size_t k) { return r.first[k + 1] - r.first[k]; };
        const int64_t stride = p_.axis[2]->slide.stride;
        if (stride == 2) {
            if (taps(0) == 1 && taps(1) == 2) return &SlidingRows::collect_pairs<1, 2>;
            if (taps(0) == 2 && taps(1) == 1) return &SlidingRows::collect_pairs<2, 1>;
            return &SlidingRows::collect_pairs<0, 0>;
        }
        if (stride > 1) return &SlidingRows::collect_apart;
        if (taps(0) == 2) return &SlidingRows::collect_near<2>;
        if (taps(0) == 3) return &SlidingRows::collect_near<3>;
        return &SlidingRows::collect_near<0>;
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

    int64_t lowest_ = 0, rows_ = 0, deep_ = 0, from_ = 0, pitch_ = 0;
    A* g_ = nullptr;
    Code* code_ = nullptr;
    Pair* pair_ = nullptr;
};
