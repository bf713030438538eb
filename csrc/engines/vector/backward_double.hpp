// Gradients of windows of two cells, none in another's: every output becomes two cells of the rows that it holds, straight
// from memory.
#pragma once

template <class E, class A, Rule rule>
class DoubledRows : public GradientTile<E, A, rule> {
protected:
    using Base = GradientTile<E, A, rule>;
    using Base::at_;
    using Base::d_;
    using Base::h_;
    using Base::kItem;
    using Base::kNorm;
    using Base::kShares;
    using Base::kWinner;
    using Base::line_;
    using Base::N;
    using Base::output;
    using Base::p_;
    using Base::part_of;
    using Base::s_;
    using Base::share;
    using Base::take;
    using Base::w_;
    using Base::with_sign;
    using typename Base::C;
    using typename Base::Code;
    using typename Base::In;
    using typename Base::Raw;
    using typename Base::Share;
    using typename Base::W;

    using Base::Base;

    // To scratch memory, rows of `line_` elements; or straight to where rows of cells lie.
    void double_rows(A* out) const {
        this->as_stored([&](auto stored) {
            double_rows_as<decltype(stored)>([&](int64_t h) { return ToStage{out + (h - h_.first) * line_}; });
        });
    }
    void double_rows_in_place() const {
        this->as_stored([&](auto stored) {
            double_rows_as<decltype(stored)>([&](int64_t h) { return ToCells{cells_at(h), line_, s_.past_caches}; });
        });
    }

    // Past the caches only whole lines of them may go.
    bool in_place() const {
        if constexpr (!std::is_same_v<E, A>) return false;
        const auto whole = [](int64_t cells) { return cells * kItem % 64 == 0; };
        return p_.rows[0] && (!s_.past_caches || (s_.whole_lines && whole(line_) && whole(2 * w_.first)));
    }

    struct ToStage {
        A* out;
        CENOTE_INLINE void operator()(int64_t i, W low, W high, int64_t) const {
            store(out + i, low);
            store(out + i + N, high);
        }
        void zeros(int64_t first, int64_t end) const { std::fill(out + first, out + end, A(0)); }
    };

    struct ToCells {
        char* out;
        int64_t line;
        bool past;
        CENOTE_INLINE void operator()(int64_t i, W low, W high, int64_t left) const {
            if (left >= 2 * N) {
                put(i, low);
                put(i + N, high);
            } else {
                part(i, low, left);
                part(i + N, high, left - N);
            }
        }
        // `first` may lie anywhere, and streaming stores must not.
        void zeros(int64_t first, int64_t end) const {
            for (int64_t i = first; i < end;) {
                const int64_t n = std::min(end - i, N - i % N);
                if (n == N)
                    put(i, W{});
                else
                    store_part(out + i * kItem, W{}, n);
                i += n;
            }
        }

    private:
        CENOTE_INLINE void put(int64_t i, W v) const {
            if (past)
                stream(out + i * kItem, v);
            else
                store(out + i * kItem, v);
        }
        CENOTE_INLINE void part(int64_t i, W v, int64_t left) const {
            if (left >= N)
                put(i, v);
            else if (left > 0)
                store_part(out + i * kItem, v, left);
        }
    };

    char* cells_at(int64_t h) const {
        const Array& dx = p_.array[0];
        return const_cast<char*>(at_[0]) + d_ * dx.stride[0] + h * dx.stride[1] + 2 * w_.first * dx.stride[2];
    }

    template <class T, class Sinks>
    void double_rows_as(const Sinks& sink_of) const {
        const auto di = static_cast<size_t>(d_);
        const bool held = s_.d.first[di] < s_.d.first[di + 1];
        const int64_t n = std::max<int64_t>(0, std::min(w_.end, p_.axis[2]->out()) - w_.first);
        for (int64_t h = h_.first; h < h_.end; ++h) {
            const auto to = sink_of(h);
            const auto first = static_cast<size_t>(s_.h.first[static_cast<size_t>(h)]);
            if (!held || static_cast<int64_t>(first) == s_.h.first[static_cast<size_t>(h) + 1]) {
                to.zeros(0, line_);
                continue;
            }
            const int64_t d = s_.d.out[static_cast<size_t>(s_.d.first[di])], row = s_.h.out[first];
            const int64_t tap = s_.d.tap[static_cast<size_t>(s_.d.first[di])] * s_.box_h + s_.h.tap[first];
            const Share by = share(d, row, 0);
            const Source from{output(1, d, row, w_.first), kShares ? nullptr : output(2, d, row, w_.first),
                              kNorm ? output(3, d_, h, 2 * w_.first) : nullptr, static_cast<Code>(tap * s_.box_w),
                              by.by};
            by.times ? double_row<T, true>(from, n, to) : double_row<T, false>(from, n, to);
            if (2 * n < line_) to.zeros(2 * n, line_);
        }
    }

    // A row of outputs, its offsets or norms, and the row of x.
    struct Source {
        const char *g, *other, *x;
        Code wanted;  // of the first tap of its row
        A by;
    };

    template <class T, bool times, class To>
    __attribute__((noinline)) void double_row(const Source from, int64_t n, const To to) const {
        // Copies: what is reached through a reference would be read again after every store.
        const auto norms = this->norm_;
        const A by = from.by;
        const Code wanted = from.wanted;
        const char *const g = from.g, *const others = from.other, *const cells = from.x;
        const int64_t line = line_;
        constexpr auto size = static_cast<int64_t>(sizeof(T));
        // `left`: cells from 2i on
        const auto some = [=](const Raw raw, Vec<T, N> other, int64_t i, int64_t left) __attribute__((always_inline)) {
            W given = take(raw), even, odd, low, high;
            if constexpr (kShares) given = times ? given * by : given / by;
            if constexpr (!kNorm) given = given + W{};
            even = odd = given;
            if constexpr (kWinner) {
                const C code = as<C>(widened<Unsigned<A>>(other));
                even = as<W>(as<C>(given) & (code == wanted));
                odd = as<W>(as<C>(given) & (code == static_cast<Code>(wanted + 1)));
            }
            interleave(even, odd, low, high);
            if constexpr (kNorm) {
                const W norm = norms.of(other);
                W norm_low, norm_high;
                interleave(norm, norm, norm_low, norm_high);
                const char* x = cells + 2 * i * kItem;
                const auto at = [&](int64_t e) __attribute__((always_inline)) {
                    return take(left >= 2 * N ? load<Raw>(x + e * kItem)
                                              : load_part<Raw>(x + e * kItem, left - e, In{}));
                };
                const W x_low = at(0), x_high = at(N);
                low = with_sign(part_of(low, norms.size(x_low), norm_low), x_low);
                high = with_sign(part_of(high, norms.size(x_high), norm_high), x_high);
            }
            to(2 * i, low, high, left);
        };
        int64_t i = 0;
        for (; i + N <= n; i += N) {
            Vec<T, N> other{};
            if constexpr (!kShares) other = load<Vec<T, N>>(others + i * size);
            some(load<Raw>(g + i * kItem), other, i, line - 2 * i);
        }
        if (i == n) return;
        Vec<T, N> other{};
        if constexpr (!kShares) other = load_part<Vec<T, N>>(others + i * size, n - i, T{});
        some(load_part<Raw>(g + i * kItem, n - i, In{}), other, i, line - 2 * i);
    }
};
