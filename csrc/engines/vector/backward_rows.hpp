// Rows of outputs as the rows of cells collect from them: as accumulators, divided, with what no cell takes around
// them. Where windows along W are a table, every row becomes several: what the first window that holds a cell gives to
// it, what the second does, and so on.
#pragma once

// Most windows along W that hold one cell of a table of single elements.
constexpr int64_t kMostRanks = 64;

template <class E, class A, Rule rule>
class PreparedRows : public DoubledRows<E, A, rule> {
protected:
    using Base = DoubledRows<E, A, rule>;
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

    // A row of outputs that holds the row of cells, from the output that is as far on as the tile's first cells.
    struct Pair {
        const A* g;
        const Code* other;  // offsets, or norms as they lie in memory
        Code wanted;        // of the first tap of its row
    };

    // The rows of outputs that the tile needs.
    void plan_rows() {
        const auto same = [](Part& planned, const Part& now) {
            const bool is = planned.first == now.first && planned.end == now.end;
            planned = now;
            return is;
        };
        const bool same_w = same(planned_w_, w_), same_h = same(planned_h_, h_);
        if (same_w && same_h && planned_d_ == d_) return;
        planned_d_ = d_;
        const auto di = static_cast<size_t>(d_);
        const auto outputs = s_.h.outputs_of(h_.first, h_.end);
        lowest_ = outputs.first, rows_ = outputs.size();
        deep_ = s_.d.first[di + 1] - s_.d.first[di];
        if (s_.residues != nullptr) {
            from_ = w_.first + s_.residues->least;
            pitch_ = reach_ = (w_.size() + s_.residues->most - s_.residues->least + 5 * N) / N * N;
        } else if (!same_w) {
            plan_ranks();
        }
        g_ = scratch_.template get<A>(Scratch::kPlanes, deep_ * rows_ * pitch_);
        if constexpr (!kShares) other_ = scratch_.template get<Code>(Scratch::kKept, deep_ * rows_ * pitch_);
        pair_ = scratch_.template get<Pair>(Scratch::kPads, s_.d.most * s_.h.most + 1);
        if constexpr (kNorm) {
            const int64_t stride = s_.residues == nullptr ? 1 : p_.axis[2]->slide.stride;
            const int64_t size = (w_.size() + 4 * N) * stride;
            x_ = scratch_.template get<A>(Scratch::kStage, size);
            std::fill(x_ + line_, x_ + size, A(0));
        }
    }

    void prepare() {
        for (int64_t i = 0; i < deep_; ++i)
            for (int64_t r = 0; r < rows_; ++r) {
                const int64_t d = s_.d.out[static_cast<size_t>(s_.d.first[static_cast<size_t>(d_)] + i)];
                const int64_t h = lowest_ + r, at = (i * rows_ + r) * pitch_;
                A* const g = s_.residues != nullptr ? g_ + at : row_;
                prepare_row(d, h, g);
                if (s_.residues == nullptr) spread_out(g, g_ + at);
                if constexpr (!kShares) {
                    Code* const other = s_.residues != nullptr ? other_ + at : other_row_;
                    this->as_stored([&](auto stored) { prepare_other<decltype(stored)>(d, h, other); });
                    if (s_.residues == nullptr) spread_out(other, other_ + at);
                }
            }
    }

    // A row of x, for its sign and size.
    void prepare_x(int64_t h, int64_t first, int64_t n) const {
        const char* x = output(3, d_, h, first);
        const int64_t step = p_.array[3].stride[2];
        int64_t i = 0;
        if (p_.rows[3])
            for (; i + N <= n; i += N) store(x_ + i, take(load<Raw>(x + i * kItem)));
        for (; i < n; i += N) store(x_ + i, take(gathered<Raw>(x + i * step, step, n - i)));
    }

private:
    // At most n elements, `step` bytes apart.
    template <class T>
    static CENOTE_INLINE T gathered(const char* p, int64_t step, int64_t n) {
        Element<T> raw[N] = {};
        for (int64_t l = 0; l < std::min<int64_t>(N, n); ++l) std::memcpy(raw + l, p + l * step, sizeof raw[0]);
        return load<T>(raw);
    }

    // Which output gives to a cell, and as which of its taps, rank by rank. Neighbouring cells collect from
    // neighbouring outputs: those of one register mostly from one register, of which lanes are picked.
    void plan_ranks() {
        const int64_t ranks = s_.w->most, wide = w_.size(), pitch = (wide + 2 * N - 1) / (2 * N) * (2 * N);
        pitch_ = ranks * pitch;
        const int64_t *first = s_.w->first.data(), *out = s_.w->out.data(), *tap = s_.w->tap.data();
        int64_t low = p_.axis[2]->out(), high = -1;
        for (int64_t i = first[w_.first]; i < first[w_.end]; ++i)
            low = std::min(low, out[i]), high = std::max(high, out[i]);
        from_ = high < 0 ? 0 : low;
        const int64_t outputs = high < 0 ? 0 : high + 1 - low;
        reach_ = (outputs + 3 * N) / N * N;
        row_ = scratch_.template get<A>(Scratch::kDone, 2 * reach_);
        other_row_ = reinterpret_cast<Code*>(row_ + reach_);
        source_ = scratch_.template get<Code>(Scratch::kAlong, 3 * pitch_);
        tap_ = source_ + pitch_, held_ = tap_ + pitch_;
        std::fill_n(source_, 3 * pitch_, Code(0));
        for (int64_t k = 0; k < ranks; ++k) shift_[k] = k * pitch;
        for (int64_t x = w_.first; x < w_.end; ++x)
            for (int64_t i = first[x]; i < first[x + 1]; ++i) {
                const int64_t at = shift_[i - first[x]] + x - w_.first;
                source_[at] = static_cast<Code>(out[i] - from_), tap_[at] = static_cast<Code>(tap[i]);
                held_[at] = Code(-1);
            }
        base_.assign(static_cast<size_t>(pitch_ / N), 0);
        for (int64_t i = 0; i < pitch_; i += N) {
            Code least = std::numeric_limits<Code>::max(), most = 0;
            for (int64_t l = i; l < i + N; ++l)
                if (held_[l] != 0) least = std::min(least, source_[l]), most = std::max(most, source_[l]);
            int64_t& base = base_[static_cast<size_t>(i / N)];
            base = most < least ? 0 : most - least < N ? least : kAnywhere;
            if (base == kAnywhere) continue;
            for (int64_t l = i; l < i + N; ++l)
                if (held_[l] != 0) source_[l] -= static_cast<Code>(base);
        }
    }

    // What cells collect from outputs, in prepared rows. Offsets as if every cell were the first tap.
    template <class T>
    CENOTE_INLINE void spread_out(const T* row, T* to) const {
        const Code *source = source_, *held = held_;
        [[maybe_unused]] const Code* const tap = tap_;
        const int64_t* base = base_.data();
        for (int64_t i = 0; i < pitch_; i += N, ++base) {
            V<T> value;
            if (*base == kAnywhere) {
                T lane[N];
                for (int l = 0; l < N; ++l) lane[l] = row[source[i + l]];
                value = load<V<T>>(lane);
            } else {
                value = picked(load<V<T>>(row + *base), load<C>(source + i));
            }
            if constexpr (kWinner && std::is_same_v<T, Code>) value = value - load<C>(tap + i);
            store(to + i, as<V<T>>(as<C>(value) & load<C>(held + i)));
        }
    }

    // fill(to, first, n): outputs [first, first + n) of a row, up to a register more; `none` around them.
    template <class T, class Fill>
    CENOTE_INLINE void around(T* to, T none, const Fill& fill) const {
        const int64_t first = std::max<int64_t>(0, from_),
                      end = std::max(first, std::min(p_.axis[2]->out(), from_ + reach_ - N));
        int64_t i = from_;
        for (; i < first && i < from_ + reach_; i += N) store(to + (i - from_), splat<V<T>>(none));
        if (end > first) fill(to + (first - from_), first, end - first);
        for (i = end; i + N <= from_ + reach_; i += N) store(to + (i - from_), splat<V<T>>(none));
    }

    __attribute__((noinline)) void prepare_row(int64_t d, int64_t h, A* row) const {
        around(row, A(0), [&](A* to, int64_t first, int64_t n) {
            const char* g = output(1, d, h, first);
            const int64_t step = p_.array[1].stride[2];
            int64_t i = 0;
            if (p_.rows[1])
                for (; i + N <= n; i += N) store(to + i, take(load<Raw>(g + i * kItem)));
            for (; i < n; i += N) store(to + i, take(gathered<Raw>(g + i * step, step, n - i)));
            if constexpr (kShares) divide(to, d, h, first, n);
        });
    }

    // What divides the outputs of a row. Rows at the rims of a map have divisors of their own: there are few different ones.
    const A* divisors(double row) const {
        for (const auto& [of, table] : tables_)
            if (of == row) return table.data();
        if (tables_.size() == 8) tables_.clear();
        auto& table = tables_.emplace_back(row, std::vector<A>()).second;
        table.reserve(s_.by[2].size() + N);
        for (const double n : s_.by[2]) table.push_back(static_cast<A>(row * n));
        table.resize(table.size() + N, A(1));
        return table.data();
    }

    void divide(A* to, int64_t d, int64_t h, int64_t first, int64_t n) const {
        if (s_.by != nullptr && !s_.same_by_w && s_.w_tiles > 1) {  // a table of all of W would be for little of it
            const double row = s_.by[0][static_cast<size_t>(d)] * s_.by[1][static_cast<size_t>(h)];
            const double* table = s_.by[2].data() + first;
            for (int64_t i = 0; i < n; ++i) to[i] = to[i] / static_cast<A>(row * table[i]);
            return;
        }
        if (s_.by != nullptr && !s_.same_by_w) {
            const A* by = divisors(s_.by[0][static_cast<size_t>(d)] * s_.by[1][static_cast<size_t>(h)]) + first;
            for (int64_t i = 0; i < n; i += N) store(to + i, load<W>(to + i) / load<W>(by + i));
            return;
        }
        const Share by = share(d, h, 0);
        if (by.times)
            for (int64_t i = 0; i < n; i += N) store(to + i, load<W>(to + i) * by.by);
        else
            for (int64_t i = 0; i < n; i += N) store(to + i, load<W>(to + i) / by.by);
    }

    template <class T>
    __attribute__((noinline)) void prepare_other(int64_t d, int64_t h, Code* row) const {
        using Stored = Vec<T, N>;
        const auto norms = this->norm_;
        const auto code = [&](Stored v) __attribute__((always_inline)) {
            if constexpr (kNorm)
                return as<C>(norms.of(v));
            else
                return as<C>(widened<Unsigned<A>>(v));
        };
        around(row, kNorm ? Code(0) : Code(-1), [&](Code* to, int64_t first, int64_t n) {
            const char* o = output(2, d, h, first);
            const int64_t step = p_.array[2].stride[2];
            int64_t i = 0;
            if (p_.rows[2])
                for (; i + N <= n; i += N) store(to + i, code(load<Stored>(o + i * static_cast<int64_t>(sizeof(T)))));
            for (; i < n; i += N) store(to + i, code(gathered<Stored>(o + i * step, step, n - i)));
        });
        // a window that begins in the padding counts from its first tap: here all count from the window's own
        for (const int64_t i : s_.astray) {
            if (i < from_ || i >= from_ + reach_) continue;
            Code& code = row[i - from_];
            const auto tap = static_cast<int64_t>(static_cast<Unsigned<A>>(code)) % s_.box_w;
            const AxisTable& w = *p_.axis[2];
            code = tap < w.count[static_cast<size_t>(i)] ? code + static_cast<Code>(w.skipped[static_cast<size_t>(i)])
                                                         : Code(-1);
        }
    }

protected:
    int64_t lowest_ = 0, rows_ = 0, deep_ = 0;  // rows of outputs
    int64_t from_ = 0, reach_ = 0;              // of a row of outputs: the first of its stretch, and how long it is
    int64_t pitch_ = 0;                         // from one prepared row to the next
    int64_t shift_[kMostRanks] = {};            // of a table: where a prepared row's ranks begin
    A* g_ = nullptr;
    Code* other_ = nullptr;
    Pair* pair_ = nullptr;
    A* x_ = nullptr;

private:
    static constexpr int64_t kAnywhere = -1;
    Part planned_w_{-1, -1}, planned_h_{-1, -1};
    int64_t planned_d_ = -1;
    A* row_ = nullptr;  // of outputs, before it becomes several
    Code* other_row_ = nullptr;
    // of a table, for every place in a prepared row: the output, counted from its register's base; the tap; whether any
    Code *source_ = nullptr, *tap_ = nullptr, *held_ = nullptr;
    std::vector<int64_t> base_;
    mutable std::vector<std::pair<double, std::vector<A>>> tables_;
};
