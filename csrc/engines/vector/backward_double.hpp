// Gradients of windows of two cells, none in another's: every output becomes two cells of the rows that it holds, straight
// from memory.
#pragma once

template <class E, class A, bool winner>
class DoubledRows : public GradientTile<E, A, winner> {
protected:
    using Base = GradientTile<E, A, winner>;
    using Base::d_;
    using Base::h_;
    using Base::kItem;
    using Base::line_;
    using Base::N;
    using Base::output;
    using Base::p_;
    using Base::s_;
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
};
