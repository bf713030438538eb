// Gradients cell by cell, the elements of a cell side by side: any windows.
#pragma once

template <class E, class A, Rule rule>
class SingleCells : public SlidingRows<E, A, rule> {
protected:
    using Base = SlidingRows<E, A, rule>;
    using Base::c_;
    using Base::d_;
    using Base::finished;
    using Base::h_;
    using Base::kItem;
    using Base::kNorm;
    using Base::kShares;
    using Base::kWinner;
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
    using typename Base::Norm;
    using typename Base::Raw;
    using typename Base::Share;
    using typename Base::W;

    using Base::Base;

    struct Source {
        const char *g, *other;  // offsets or norms
        Code wanted;
        Share by;
        int64_t d, h;
    };

    void collect_cells(int64_t h, A* out) {
        this->as_stored([&](auto stored) { collect_cells_as<decltype(stored)>(h, out); });
    }

    template <class T>
    void collect_cells_as(int64_t h, A* out) {
        const auto di = static_cast<size_t>(d_), hi = static_cast<size_t>(h);
        const int64_t pairs = (s_.d.first[di + 1] - s_.d.first[di]) * (s_.h.first[hi + 1] - s_.h.first[hi]);
        Source* const rows = scratch_.template get<Source>(Scratch::kPads, pairs * (s_.w->most + 1) + 1);
        Source *const sources = rows + pairs, *row = rows;
        for (int64_t i = s_.d.first[di]; i < s_.d.first[di + 1]; ++i)
            for (int64_t j = s_.h.first[hi]; j < s_.h.first[hi + 1]; ++j, ++row) {
                const auto ii = static_cast<size_t>(i), ji = static_cast<size_t>(j);
                row->d = s_.d.out[ii], row->h = s_.h.out[ji];
                row->g = output(1, row->d, row->h, 0) + c_.first * kItem;
                row->other = nullptr;
                if constexpr (!kShares)
                    row->other = output(2, row->d, row->h, 0) + c_.first * static_cast<int64_t>(sizeof(T));
                row->wanted = static_cast<Code>((s_.d.tap[ii] * s_.box_h + s_.h.tap[ji]) * s_.box_w);
                row->by = share(row->d, row->h, 0);
            }
        const bool by_each = kShares && s_.by != nullptr && !s_.same_by_w;
        const int64_t c = c_.size(), g_step = p_.array[1].stride[2], o_step = kShares ? 0 : p_.array[2].stride[2];
        for (int64_t x = w_.first; x < w_.end; ++x, out += c) {
            Source* s = sources;
            const int64_t *k = s_.w->first.data() + x, *at = s_.w->out.data(), *tap = s_.w->tap.data();
            for (const Source* r = rows; r != row; ++r)
                for (int64_t i = k[0]; i < k[1]; ++i, ++s) {
                    s->g = r->g + at[i] * g_step;
                    if constexpr (!kShares) s->other = r->other + at[i] * o_step;
                    if constexpr (kWinner) s->wanted = static_cast<Code>(r->wanted + static_cast<Code>(tap[i]));
                    if constexpr (kShares) s->by = by_each ? share(r->d, r->h, at[i]) : r->by;
                }
            x_cell_ = kNorm ? output(3, d_, h, x) + c_.first * kItem : nullptr;
            collect_cell<T>(sources, s, c, out);
        }
    }

    // Divides all outputs that cells of the tile collect from, once for all of them.
    void divide_outputs() {
        const auto di = static_cast<size_t>(d_);
        divided_h_ = s_.h.outputs_of(h_.first, h_.end), divided_w_ = s_.w->outputs_of(w_.first, w_.end);
        divided_pitch_ = (c_.size() + N - 1) / N * N;
        const int64_t row = divided_w_.size() * divided_pitch_, deep = s_.d.first[di + 1] - s_.d.first[di];
        divided_ = scratch_.template get<A>(Scratch::kPlanes, deep * divided_h_.size() * row);
        A* to = divided_;
        for (int64_t i = s_.d.first[di]; i < s_.d.first[di + 1]; ++i) {
            const int64_t d = s_.d.out[static_cast<size_t>(i)];
            for (int64_t h = divided_h_.first; h < divided_h_.end; ++h)
                for (int64_t w = divided_w_.first; w < divided_w_.end; ++w, to += divided_pitch_) {
                    const char* g = output(1, d, h, w) + c_.first * kItem;
                    const Share by = share(d, h, w);
                    for (int64_t e = 0; e < c_.size(); e += N) {
                        const char* p = g + e * kItem;
                        const W v =
                            take(p + sizeof(Raw) <= p_.end[1] ? load<Raw>(p) : load_part<Raw>(p, c_.size() - e, In{}));
                        store(to + e, by.times ? v * by.by : v / by.by);
                    }
                }
        }
    }

    // A row of cells from outputs that are divided.
    void collect_divided(int64_t h, A* out) {
        const auto di = static_cast<size_t>(d_), hi = static_cast<size_t>(h);
        const int64_t pairs = (s_.d.first[di + 1] - s_.d.first[di]) * (s_.h.first[hi + 1] - s_.h.first[hi]);
        const A** const rows = scratch_.template get<const A*>(Scratch::kPads, pairs * (s_.w->most + 1) + 1);
        const A** row = rows;
        const int64_t line = divided_w_.size() * divided_pitch_;
        for (int64_t i = 0; i < s_.d.first[di + 1] - s_.d.first[di]; ++i)
            for (int64_t j = s_.h.first[hi]; j < s_.h.first[hi + 1]; ++j)
                *row++ =
                    divided_ + (i * divided_h_.size() + s_.h.out[static_cast<size_t>(j)] - divided_h_.first) * line;
        const int64_t c = c_.size(), *first = s_.w->first.data(), *at = s_.w->out.data();
        for (int64_t x = w_.first; x < w_.end; ++x, out += c) {
            const A** source = row;
            for (const A** r = rows; r != row; ++r)
                for (int64_t i = first[x]; i < first[x + 1]; ++i)
                    *source++ = *r + (at[i] - divided_w_.first) * divided_pitch_;
            add_up(row, source, c, out);
        }
    }

    // Writes up to a register past the cell.
    __attribute__((noinline)) void add_up(const A* const* source, const A* const* end, int64_t c, A* out) const {
        constexpr int U = 4;
        const auto some = [&](auto registers, int64_t e) __attribute__((always_inline)) {
            constexpr int u_most = decltype(registers)::value;
            W acc[u_most]{};
            for (const A* const* s = source; s != end; ++s)
                CENOTE_UNROLL for (int u = 0; u < u_most; ++u) acc[u] = acc[u] + load<W>(*s + e + u * N);
            CENOTE_UNROLL for (int u = 0; u < u_most; ++u) write(out + e + u * N, acc[u]);
        };
        int64_t e = 0;
        for (; e + U * N <= c; e += U * N) some(std::integral_constant<int, U>{}, e);
        for (; e < c; e += N) some(std::integral_constant<int, 1>{}, e);
    }

    template <class T, bool times>
    static CENOTE_INLINE W given(const Source& s, Raw raw, Vec<T, N> other, [[maybe_unused]] W size,
                                 [[maybe_unused]] const Norm& norms) {
        const W g = take(raw);
        if constexpr (kNorm) return Base::part_of(g, size, norms.of(other));
        if constexpr (kWinner) return as<W>(as<C>(g) & (as<C>(widened<Unsigned<A>>(other)) == s.wanted));
        if constexpr (kShares) return times ? g * s.by.by : g / s.by.by;
    }

    template <class T>
    void collect_cell(const Source* sources, const Source* end, int64_t c, A* out) const {
        int64_t e = 0;
        if (sources == end)
            for (; e < c; e += N) write(out + e, W{});
        else if (end - sources == 1)
            e = sources->by.times ? collect_one<T, true>(*sources, c, out) : collect_one<T, false>(*sources, c, out);
        else
            e = collect_some<T>(sources, end, c, out);
        if (sources != end && e < c) collect_rest<T>(sources, end, e, c, out);
    }

    template <class T, bool times>
    CENOTE_INLINE int64_t collect_one(const Source& s, int64_t c, A* out) const {
        using O = Vec<T, N>;
        const Source own = s;
        const char* const x = x_cell_;
        const auto norms = this->norm_;
        int64_t e = 0;
        for (; e + N <= c; e += N) {
            O other{};
            W cell{};
            if constexpr (!kShares) other = load<O>(own.other + e * static_cast<int64_t>(sizeof(T)));
            if constexpr (kNorm) cell = take(load<Raw>(x + e * kItem));
            const W size = norms.size(cell);
            write(out + e,
                  finished(given<T, times>(own, load<Raw>(own.g + e * kItem), other, size, norms) + W{}, cell));
        }
        return e;
    }

    template <class T>
    __attribute__((noinline)) int64_t collect_some(const Source* sources, const Source* end, int64_t c, A* out) const {
        using O = Vec<T, N>;
        constexpr int U = 2;
        const char* const x = x_cell_;
        const auto norms = this->norm_;
        int64_t e = 0;
        const auto some = [&](auto registers) __attribute__((always_inline)) {
            constexpr int u_most = decltype(registers)::value;
            W acc[u_most]{}, cell[u_most]{}, size[u_most]{};
            if constexpr (kNorm) {
                CENOTE_UNROLL for (int u = 0; u < u_most; ++u) {
                    cell[u] = take(load<Raw>(x + (e + u * N) * kItem));
                    size[u] = norms.size(cell[u]);
                }
            }
            for (const Source* s = sources; s != end; ++s) {
                const char *g = s->g + e * kItem, *o = s->other + e * static_cast<int64_t>(sizeof(T));
                CENOTE_UNROLL for (int u = 0; u < u_most; ++u) {
                    const Raw raw = load<Raw>(g + u * static_cast<int64_t>(sizeof(Raw)));
                    O other{};
                    if constexpr (!kShares) other = load<O>(o + u * static_cast<int64_t>(sizeof(O)));
                    if (kShares && s->by.times)
                        acc[u] = acc[u] + given<T, true>(*s, raw, other, size[u], norms);
                    else
                        acc[u] = acc[u] + given<T, false>(*s, raw, other, size[u], norms);
                }
            }
            CENOTE_UNROLL for (int u = 0; u < u_most; ++u) write(out + e + u * N, finished(acc[u], cell[u]));
        };
        for (; e + U * N <= c; e += U * N) some(std::integral_constant<int, U>{});
        for (; e + N <= c; e += N) some(std::integral_constant<int, 1>{});
        return e;
    }

    template <class T>
    __attribute__((noinline)) void collect_rest(const Source* sources, const Source* end, int64_t e, int64_t c,
                                                A* out) const {
        using O = Vec<T, N>;
        const auto at = [&](const char* p, size_t array) __attribute__((always_inline)) {
            return p + sizeof(Raw) <= p_.end[array] ? load<Raw>(p) : load_part<Raw>(p, c - e, In{});
        };
        const auto norms = this->norm_;
        W acc{}, cell{};
        if constexpr (kNorm) cell = take(at(x_cell_ + e * kItem, 3));
        const W size = norms.size(cell);
        for (const Source* s = sources; s != end; ++s) {
            const Raw raw = at(s->g + e * kItem, 1);
            O other{};
            if constexpr (!kShares) {
                const char* o = s->other + e * static_cast<int64_t>(sizeof(T));
                other = o + sizeof(O) <= p_.end[2] ? load<O>(o) : load_part<O>(o, c - e, T{});
            }
            acc = acc + (kShares && s->by.times ? given<T, true>(*s, raw, other, size, norms)
                                                : given<T, false>(*s, raw, other, size, norms));
        }
        store(out + e, finished(acc, cell));
    }

    CENOTE_INLINE void write(A* to, W v) const {
        if (past_)
            stream(to, v);
        else
            store(to, v);
    }

    bool past_ = false;  // cells are written where they lie, past the caches

    // outputs that were divided: whose they are, where, and how far apart along W
    Gathered::Outputs divided_h_, divided_w_;
    A* divided_ = nullptr;
    int64_t divided_pitch_ = 0;

    const char* x_cell_ = nullptr;  // the cell being worked on, in x
};
