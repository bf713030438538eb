// Gradients of rows of single elements: where windows slide, the cells of one residue of the stride side by side; where
// they are a table, all of them.
#pragma once

template <class E, class A, Rule rule>
class SlidingRows : public PreparedRows<E, A, rule> {
protected:
    using Base = PreparedRows<E, A, rule>;
    using Base::d_;
    using Base::deep_;
    using Base::finished;
    using Base::from_;
    using Base::g_;
    using Base::h_;
    using Base::kNorm;
    using Base::kShares;
    using Base::kWinner;
    using Base::line_;
    using Base::lowest_;
    using Base::N;
    using Base::other_;
    using Base::p_;
    using Base::pair_;
    using Base::pitch_;
    using Base::rows_;
    using Base::s_;
    using Base::shift_;
    using Base::w_;
    using Base::x_;
    using typename Base::C;
    using typename Base::Code;
    using typename Base::Pair;
    using typename Base::W;

    using Base::Base;

    static constexpr int64_t none_[kMostRanks] = {};

    // The taps of one residue; of a table, its ranks.
    struct Taps {
        const int64_t *shift, *tap;
        int64_t n;
    };

    Taps taps_of(size_t residue) const {
        if (s_.residues == nullptr) return {shift_, none_, s_.w->most};
        const Residues& r = *s_.residues;
        const int64_t first = r.first[residue];
        return {r.shift.data() + first, r.tap.data() + first, r.first[residue + 1] - first};
    }

    // U registers of the cells of one residue, q steps on. `count` taps, or any number where it is 0.
    template <int U, int count>
    static CENOTE_INLINE void sum(const Pair* pair, int64_t pairs, const Taps& taps, int64_t q,
                                  [[maybe_unused]] const W* size, W* acc) {
        const int64_t *shift = taps.shift, *tap = taps.tap;
        CENOTE_UNROLL for (int u = 0; u < U; ++u) acc[u] = W{};
        for (const Pair *p = pair, *end = pair + pairs; p != end; ++p) {
            const auto add = [&](int64_t t) __attribute__((always_inline)) {
                const A* g = p->g + shift[t] + q;
                const Code* other = kShares ? nullptr : p->other + shift[t] + q;
                const auto wanted = static_cast<Code>(p->wanted + static_cast<Code>(tap[t]));
                CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                    W given = load<W>(g + u * N);
                    if constexpr (kWinner) given = as<W>(as<C>(given) & (load<C>(other + u * N) == wanted));
                    if constexpr (kNorm) given = Base::part_of(given, size[u], load<W>(other + u * N));
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
        const A* const x = x_;
        const auto norms = this->norm_;
        const auto some = [=]<int U>(int64_t q) __attribute__((always_inline)) {
            W even_sum[U], odd_sum[U], even_size[U], odd_size[U];
            if constexpr (kNorm) {
                CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                    const W a = load<W>(x + 2 * (q + u * N)), b = load<W>(x + 2 * (q + u * N) + N);
                    even_size[u] = norms.size(even(a, b)), odd_size[u] = norms.size(odd(a, b));
                }
            }
            sum<U, even_taps>(pair, pairs, of_even, q, even_size, even_sum);
            sum<U, odd_taps>(pair, pairs, of_odd, q, odd_size, odd_sum);
            CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                const int64_t at = 2 * (q + u * N);
                W low, high, of_low{}, of_high{};
                interleave(even_sum[u], odd_sum[u], low, high);
                if constexpr (kNorm) of_low = load<W>(x + at), of_high = load<W>(x + at + N);
                store(out + at, finished(low, of_low));
                store(out + at + N, finished(high, of_high));
            }
        };
        blocks(some);
    }

    template <int taps>
    __attribute__((noinline)) void collect_near(int64_t pairs, A* out) const {
        const Taps of_all = taps_of(0);
        const Pair* const pair = pair_;
        const A* const x = x_;
        const auto norms = this->norm_;
        const auto some = [=]<int U>(int64_t q) __attribute__((always_inline)) {
            W acc[U], own[U]{}, size[U];
            if constexpr (kNorm) {
                CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                    own[u] = load<W>(x + q + u * N);
                    size[u] = norms.size(own[u]);
                }
            }
            sum<U, taps>(pair, pairs, of_all, q, size, acc);
            CENOTE_UNROLL for (int u = 0; u < U; ++u) store(out + q + u * N, finished(acc[u], own[u]));
        };
        blocks(some);
    }

    __attribute__((noinline)) void collect_apart(int64_t pairs, A* out) const {
        const int64_t stride = p_.axis[2]->slide.stride;
        const auto norms = this->norm_;
        const auto some = [&]<int U>(int64_t q) {
            for (int64_t k = 0; k < stride; ++k) {
                W acc[U], own[U]{}, size[U];
                A lane[U * N];
                if constexpr (kNorm) {
                    for (int i = 0; i < U * N; ++i) lane[i] = x_[(q + i) * stride + k];
                    CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                        own[u] = load<W>(lane + u * N);
                        size[u] = norms.size(own[u]);
                    }
                }
                sum<U, 0>(pair_, pairs, taps_of(static_cast<size_t>(k)), q, size, acc);
                CENOTE_UNROLL for (int u = 0; u < U; ++u) store(lane + u * N, finished(acc[u], own[u]));
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
        if (s_.residues == nullptr) {
            if (s_.w->most == 1) return &SlidingRows::collect_near<1>;
            return s_.w->most == 2 ? &SlidingRows::collect_near<2> : &SlidingRows::collect_near<0>;
        }
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
        const int64_t stride = s_.residues == nullptr ? 1 : p_.axis[2]->slide.stride;
        const auto di = static_cast<size_t>(d_);
        const int64_t *d_tap = s_.d.tap.data() + s_.d.first[di], *h_tap = s_.h.tap.data(), *h_out = s_.h.out.data(),
                      *h_first = s_.h.first.data();
        const int64_t ahead = s_.residues == nullptr ? 0 : w_.first - from_, plane = rows_ * pitch_;
        for (int64_t h = h_.first; h < h_.end; ++h, out += line_) {
            if (this->as_row_before(h)) {
                this->copy_row_before(out);
                continue;
            }
            Pair* p = pair_;
            for (int64_t i = 0; i < deep_; ++i)
                for (int64_t j = h_first[h]; j < h_first[h + 1]; ++j, ++p) {
                    const int64_t at = i * plane + (h_out[j] - lowest_) * pitch_ + ahead;
                    p->g = g_ + at;
                    if constexpr (!kShares) p->other = other_ + at;
                    p->wanted = static_cast<Code>((d_tap[i] * s_.box_h + h_tap[j]) * s_.box_w);
                }
            if constexpr (kNorm) this->prepare_x(h, w_.first * stride, line_);
            (this->*collect)(p - pair_, out);
        }
    }
};
