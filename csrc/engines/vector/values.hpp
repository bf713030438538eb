// Values of windows, tile by tile: rows are reduced into scratch memory, then along the contiguous axis, then finished.
#pragma once

// The tiles of one thread. K merges; C is K, or its careful twin for rows with NaN; F finishes.
template <class K, class C, class F>
class Values {
public:
    using In = typename K::In;
    using Acc = typename K::Acc;
    static constexpr int N = kN<Acc>;
    static constexpr int64_t kItem = sizeof(In);

    Values(const K& quick, const C& careful, const Problem& p, const Tiles& tiles, const Divide& divide,
           Finish<F>& finisher, bool past_caches, Scratch& scratch)
        : quick_(quick),
          careful_(careful),
          p_(p),
          tiles_(tiles),
          divide_(divide),
          finisher_(finisher),
          past_caches_(past_caches),
          far_(p.x_end - p.x_begin > kFar),
          scratch_(scratch) {}

    void tile(int64_t unit) {
        const int64_t w = unit % tiles_.w_tiles;
        unit /= tiles_.w_tiles;
        const int64_t h = unit % tiles_.h_tiles;
        unit /= tiles_.h_tiles;
        d_ = unit % p_.axis[0]->out();
        const int64_t first = unit / p_.axis[0]->out() * tiles_.planes;
        planes_ = {first, std::min(p_.planes, first + tiles_.planes)};
        h_ = {h * tiles_.h, std::min(p_.axis[1]->out(), (h + 1) * tiles_.h)};
        w_ = {w * tiles_.w, std::min(p_.axis[2]->out(), (w + 1) * tiles_.w)};
        along_w_ = reach_of(*p_.axis[2], w_);
        along_h_ = reach_of(*p_.axis[1], h_);
        n_ = (along_w_.end - along_w_.first) * p_.c;
        int64_t gap = std::max(along_w_.before, along_w_.behind) * p_.c;
        if (n_ < N) gap = std::max(gap, N - n_);
        if (way_for<K>(*p_.axis[1]) == Rows::running) gap = std::max<int64_t>(gap, N);
        pitch_ = n_ + gap;
        if (pitch_ % 2 != 0) ++pitch_;  // so that every second element of all rows is every second of each
        if (pitch_ * static_cast<int64_t>(sizeof(Acc)) % 4096 == 0) pitch_ += 2 * N;
        if (fuses()) {
            if constexpr (kFusing<K>) {
                if (run_fused(quick_)) return;
                if constexpr (K::kDoubts) run_fused(careful_);
            }
            return;
        }
        if (cells()) {
            if (run_cells(quick_)) return;
            if constexpr (K::kDoubts) run_cells(careful_);
            return;
        }
        if constexpr (K::kDoubts) {
            if (nan()) return run(careful_);
        }
        run(quick_);
    }

private:
    int64_t height() const { return h_.size(); }

    bool nan() const {
        const AxisTable& d = *p_.axis[0];
        const auto i = static_cast<size_t>(d_);
        if (!p_.x_rows) return true;  // rows that are not whole are rare enough
        for (int64_t plane = planes_.first; plane < planes_.end; ++plane) {
            const char* base = p_.x.data + p_.plane(plane, 0) + along_w_.first * p_.c * kItem;
            const bool follow = p_.x.stride[1] == n_ * kItem;  // rows without a gap: one long row
            const int64_t high = along_h_.end - along_h_.first;
            for (int64_t j = 0; j < d.count[i]; ++j)
                for (int64_t r = 0; r < (follow ? 1 : high); ++r) {
                    const char* row =
                        base + (d.start[i] + j * d.step[i]) * p_.x.stride[0] + (along_h_.first + r) * p_.x.stride[1];
                    const int64_t n = follow ? high * n_ : n_;
                    if constexpr (std::is_floating_point_v<In>) {
                        if (has_nan<In>(row, n)) return true;
                    } else {
                        if (has_nan_half(row, n, quick_.infinity)) return true;
                    }
                }
        }
        return false;
    }

    bool fuses() const {
        const Sliding& w = p_.axis[2]->slide;
        if (!kFusing<K> || p_.c != 1 || !p_.x_rows || w.stride != 2 || w.dilation != 1 || (w.k != 2 && w.k != 3))
            return false;
        if (along_w_.before > (w.k == 3 ? 1 : 0) || w_.size() < 2) return false;
        const AxisTable &d = *p_.axis[0], &h = *p_.axis[1];
        const auto i = static_cast<size_t>(d_);
        // one to three rows, or a square of four: in the tree's order without a look at the numbers of the taps
        if (d.count[i] == 2 && h.most_taps == 2) return w.k == 2 && h.slide.k == 2 && h.slide.lo == 0;
        return d.count[i] <= 2 && d.count[i] * h.most_taps <= w.k && (h.most_taps < 3 || h.slide.k == 3);
    }

    // False: there is a NaN, and M cannot tell.
    template <class M>
    bool run_fused(const M& m) {
        const int64_t wide = w_.size(), rows = planes_.size() * height();
        if constexpr (std::is_same_v<M, K>) {
            char* result_at = result(planes_.first, h_.first);
            const int64_t line = wide * finisher_.item();
            const bool past = past_caches_ && streams(result_at, line);
            if (follow_one_another(rows) && divide_.same() && past == past_caches_) {
                const DivideBy<typename F::Div> by{static_cast<typename F::Div>(divide_.only(p_)), nullptr};
                return !fused(m, [&](int64_t row) {
                    return ToResult<F>{finisher_.how(), by, result_at + row * line, wide, (rows - row) * wide, past};
                });
            }
        }
        Acc* stage = scratch_.get<Acc>(Scratch::kStage, rows * wide + 2 * N);
        if (fused(m, [&](int64_t row) { return ToStage<Acc>{stage + row * wide, wide}; })) return false;
        finish(stage, rows, wide);
        return true;
    }

    // Whole registers at aligned addresses, row after row.
    static bool streams(const char* out, int64_t line) {
        constexpr int64_t size = sizeof(Vec<typename F::Out, N>);
        return size >= 16 && line % size == 0 && reinterpret_cast<uintptr_t>(out) % size == 0;
    }

    // Runs of rows with the same taps; sink(first row) takes their results. True: there is a NaN, and M cannot tell.
    template <class M, class Sink>
    bool fused(const M& m, const Sink& sink) {
        const AxisTable &d = *p_.axis[0], &h = *p_.axis[1];
        const Level depth = level_of(d, d_, p_.x.stride[0]);
        V<Signed<In>> doubts{};
        int64_t row = 0;
        for (int64_t plane = planes_.first; plane < planes_.end; ++plane) {
            const char* base = p_.x.data + p_.plane(plane, 0) + d.start[static_cast<size_t>(d_)] * p_.x.stride[0] +
                               along_w_.first * kItem;
            for (int64_t r = h_.first, end; r < h_.end; row += end - r, r = end) {
                const auto at = [&](const std::vector<int64_t>& table, int64_t i) {
                    return table[static_cast<size_t>(i)];
                };
                const int64_t first = at(h.start, r), count = at(h.count, r),
                              step = r + 1 < h_.end ? at(h.start, r + 1) - first : 0;
                for (end = r + 1;
                     end < h_.end && at(h.count, end) == count && at(h.start, end) == first + (end - r) * step;)
                    ++end;
                const bool deep = depth.count == 2, only_deep = deep && count == 1;
                const RowRun run{base + first * p_.x.stride[1],
                                 end - r,
                                 step * p_.x.stride[1],
                                 depth.step,
                                 only_deep ? depth.step : at(h.step, r) * p_.x.stride[1],
                                 n_,
                                 along_w_.before,
                                 w_.size(),
                                 far_,
                                 {p_.x_end}};
                doubts |= fused_run(m, deep && !only_deep ? 2 : 1, only_deep ? 2 : count, p_.axis[2]->slide.k == 3, run,
                                    sink(row));
            }
        }
        if constexpr (M::kDoubts) return any(doubts);
        return false;
    }

    // Cells of many elements and few taps: output by output from memory, no rows between.
    bool cells() const {
        const auto taps = static_cast<double>(p_.axis[0]->most_taps) * static_cast<double>(p_.axis[1]->most_taps) *
                          static_cast<double>(p_.axis[2]->most_taps);
        const bool overlap = p_.axis[2]->slide.stride == 1 && p_.axis[2]->slide.k > 2;
        return p_.x_rows && p_.c >= 2 * N && taps <= 9 && !overlap;
    }

    // False: there is a NaN, and M cannot tell.
    template <class M>
    bool run_cells(const M& m) {
        const int64_t wide = w_.size(), rows = planes_.size() * height();
        if constexpr (std::is_same_v<M, K>) {
            char* result_at = result(planes_.first, h_.first);
            const bool past = past_caches_ && streams(result_at, p_.c * finisher_.item());
            if (follow_one_another(rows) && divide_.same() && past == past_caches_) {
                const DivideBy<typename F::Div> by{static_cast<typename F::Div>(divide_.only(p_)), nullptr};
                return !each_cell(m, ToResult<F>{finisher_.how(), by, result_at, p_.c, rows * wide * p_.c, past});
            }
        }
        Acc* stage = scratch_.get<Acc>(Scratch::kStage, rows * wide * p_.c + 2 * N);
        if (each_cell(m, ToStage<Acc>{stage, p_.c})) return false;
        finish(stage, rows, wide * p_.c);
        return true;
    }

    // True: there is a NaN, and M cannot tell.
    template <class M, class Put>
    bool each_cell(const M& m, const Put& put) {
        const AxisTable &d = *p_.axis[0], &h = *p_.axis[1], &w = *p_.axis[2];
        const Level depth = level_of(d, d_, p_.x.stride[0]);
        const int64_t cell = p_.c * kItem, together = std::max<int64_t>(1, 2048 / cell);
        V<Signed<In>> doubts{};
        int64_t index = 0;
        for (int64_t plane = planes_.first; plane < planes_.end; ++plane) {
            const char* base = p_.x.data + p_.plane(plane, 0) + d.start[static_cast<size_t>(d_)] * p_.x.stride[0];
            for (int64_t r = h_.first; r < h_.end; ++r) {
                const Level height = level_of(h, r, p_.x.stride[1]);
                const char* row = base + h.start[static_cast<size_t>(r)] * p_.x.stride[1];
                for (int64_t i = w_.first; i < w_.end;) {
                    const int64_t end = std::min(w_.end, i + together);
                    if (far_) {
                        const Reach reach = reach_of(w, {i, end});
                        for (int64_t a = 0; a < depth.count; ++a)
                            for (int64_t b = 0; b < height.count; ++b)
                                touch(row + a * depth.step + b * height.step + reach.first * cell,
                                      (reach.end - reach.first) * cell);
                    }
                    for (; i < end; ++i)
                        doubts |= reduce_cell(m, row + w.start[static_cast<size_t>(i)] * cell, depth, height,
                                              level_of(w, i, cell), p_.c, {p_.x_end}, index++, put);
                }
            }
        }
        if constexpr (M::kDoubts) return any(doubts);
        return false;
    }

    template <class M>
    void run(const M& m) {
        const int64_t rows = planes_.size() * height();
        const int64_t before = along_w_.before * p_.c, room = 2 * N + 2;
        Acc* rows_at = scratch_.get<Acc>(Scratch::kRows, before + rows * pitch_ + 2 * room) + before;
        for (int64_t plane = planes_.first; plane < planes_.end; ++plane)
            reduce_plane(m, plane, rows_at + (plane - planes_.first) * height() * pitch_);
        // reducing rows may have run over into the gaps
        if (before > 0) std::fill(rows_at - before, rows_at, m.pad());
        if (before > 0 || along_w_.behind > 0)
            for (int64_t r = 0; r < rows; ++r) std::fill_n(rows_at + r * pitch_ + n_, pitch_ - n_, m.pad());
        const Strip<Acc> done =
            along<Again<M>>(*p_.axis[2], w_, p_.c, {rows_at - before, rows, pitch_}, along_w_.first, scratch_);
        finish(done.first, rows, done.pitch);
    }

    // The rows [along_h_.first, along_h_.end) of a plane of this D, where they lie and how far apart.
    struct Source {
        const char* first;  // of row 0 of the axis
        int64_t step;
        Level d;
        Readable readable;
    };

    Source source(int64_t plane) {
        const AxisTable& d = *p_.axis[0];
        Level level = level_of(d, d_, p_.x.stride[0]);
        const char* base = p_.x.data + p_.plane(plane, 0) + d.start[static_cast<size_t>(d_)] * p_.x.stride[0];
        if (p_.x_rows) return {base + along_w_.first * p_.c * kItem, p_.x.stride[1], level, {p_.x_end}};
        // Cells that do not follow one another are brought together first.
        const int64_t high = along_h_.end - along_h_.first, line = (n_ + N) * kItem;
        char* raw = scratch_.get<char>(Scratch::kRaw, level.count * high * line + N * kItem);
        for (int64_t i = 0; i < level.count; ++i)
            for (int64_t r = 0; r < high; ++r) {
                const char* from =
                    base + i * level.step + (along_h_.first + r) * p_.x.stride[1] + along_w_.first * p_.x.stride[2];
                char* to = raw + (i * high + r) * line;
                for (int64_t w = along_w_.first; w < along_w_.end; ++w, from += p_.x.stride[2], to += p_.c * kItem)
                    std::memcpy(to, from, static_cast<size_t>(p_.c) * sizeof(In));
            }
        level.step = high * line;
        return {raw - along_h_.first * line, line, level, {raw + level.count * high * line + N * kItem}};
    }

    template <class M>
    void reduce_plane(const M& m, int64_t plane, Acc* out) {
        Source s = source(plane);
        const AxisTable& h = *p_.axis[1];
        const bool overlap = h.slide.k == 0 || h.slide.stride < h.slide.k;
        if (s.d.count == 1 || !overlap || height() == 1) return reduce_height(m, s, out);
        reduce_height(again(m), taken(m, s), out);  // D first, once for every row; then the rows of that
    }

    // All rows of a plane with D reduced, at a distance that does not make them compete for the same lines of the cache.
    template <class M>
    Source taken(const M& m, const Source& s) {
        const int64_t high = along_h_.end - along_h_.first, line = (n_ + N + 31) / 32 * 32 + 16;
        Acc* rows = scratch_.get<Acc>(Scratch::kPlanes, high * line + N);
        for (int64_t r = 0; r < high; ++r)
            reduce_rows(m, s.first + (along_h_.first + r) * s.step, {1, 0, 0}, s.d, n_, s.readable, rows + r * line);
        constexpr auto item = static_cast<int64_t>(sizeof(Acc));
        return {reinterpret_cast<const char*>(rows) - along_h_.first * line * item,
                line * item,
                {1, 0, 0},
                {reinterpret_cast<const char*>(rows + high * line + N)}};
    }

    template <class M>
    void reduce_height(const M& m, const Source& s, Acc* out) {
        const AxisTable& h = *p_.axis[1];
        const auto alone = [&](int64_t first, int64_t end) {
            for (int64_t r = first; r < end; ++r)
                reduce_rows(m, s.first + h.start[static_cast<size_t>(r)] * s.step, s.d, level_of(h, r, s.step), n_,
                            s.readable, out + (r - h_.first) * pitch_);
        };
        const Rows way = s.d.count > 1 ? Rows::alone : way_for<M>(h);
        if (way == Rows::alone) return alone(h_.first, h_.end);
        if (way != Rows::doubled && s.step % 1024 == 0 && h.slide.k > 3)
            return reduce_height(again(m), taken(m, s), out);
        const int64_t k = h.slide.k, first = h_.first - h.slide.lo, rows = height() + (k - 1) * h.slide.dilation;
        if constexpr (M::kIdempotent) {
            using MIn = typename M::In;
            MIn* pads = scratch_.get<MIn>(Scratch::kPads, n_ + N);
            std::fill_n(pads, n_ + N, m.raw_pad());
            row_.resize(static_cast<size_t>(rows));
            for (int64_t i = 0; i < rows; ++i)
                row_[static_cast<size_t>(i)] = first + i < 0 || first + i >= h.in ? reinterpret_cast<const char*>(pads)
                                                                                  : s.first + (first + i) * s.step;
            // pads are as good as readable memory: a row of them has room for a register behind it
            if (way == Rows::running) {
                Acc* kept = scratch_.get<Acc>(Scratch::kKept, k * 4 * N);
                herk_rows(m, row_.data(), k, height(), n_, s.readable, out, pitch_, kept);
                return;
            }
            int64_t r = 0;
            const auto share = [&](auto b) {
                constexpr int B = decltype(b)::value;
                for (; r + B <= height(); r += B)
                    share_rows<M, B>(m, row_.data() + r, k, n_, s.readable, out + r * pitch_, pitch_);
            };
            if (k >= 8) share(std::integral_constant<int, 8>{});
            if (k >= 4) share(std::integral_constant<int, 4>{});
            share(std::integral_constant<int, 2>{});
            alone(h_.first + r, h_.end);
        } else {
            Acc* taken = scratch_.get<Acc>(Scratch::kKept, rows * pitch_ + 2 * N);
            for (int64_t i = 0; i < rows; ++i) {
                Acc* to = taken + i * pitch_;
                if (first + i < 0 || first + i >= h.in)
                    std::fill_n(to, n_, m.pad());
                else
                    reduce_rows(m, s.first + (first + i) * s.step, {1, 0, 0}, {1, 0, 0}, n_, s.readable, to);
                if (pitch_ > n_) std::fill_n(to + n_, pitch_ - n_, m.pad());
            }
            slide<M>(taken, k, h.slide.dilation * pitch_, (height() - 1) * pitch_ + n_, out);
        }
    }

    char* result(int64_t plane, int64_t h) const {
        return p_.y.data + p_.plane(plane, 1) + d_ * p_.y.stride[0] + h * p_.y.stride[1] + w_.first * p_.y.stride[2];
    }

    void finish(const Acc* stage, int64_t rows, int64_t pitch) {
        const int64_t wide = w_.size(), line = wide * p_.c, item = finisher_.item();
        const bool whole =
            p_.y_rows && (rows == 1 || (wide == p_.axis[2]->out() && (height() == 1 || p_.y.stride[1] == line * item) &&
                                        (planes_.size() == 1 || planes_follow(line * height() * item))));
        if (whole && divide_.same()) {
            if (pitch != line && rows > 1) stage = packed(stage, rows, pitch, line);
            finisher_.put(stage, rows * line, divide_.only(p_), result(planes_.first, h_.first), past_caches_);
            return;
        }
        if (whole && past_caches_) {  // whole lines of the cache have to be written, rows are none
            char* done = scratch_.get<char>(Scratch::kDone, rows * line * item);
            char* out = done;
            for (int64_t plane = planes_.first; plane < planes_.end; ++plane)
                for (int64_t h = h_.first; h < h_.end; ++h, stage += pitch, out += line * item)
                    finish_row(stage, h, wide, out);
            copy_past_caches(result(planes_.first, h_.first), done, rows * line * item);
            return;
        }
        for (int64_t plane = planes_.first; plane < planes_.end; ++plane)
            for (int64_t h = h_.first; h < h_.end; ++h, stage += pitch) {
                char* to = result(plane, h);
                if (p_.y_rows) {
                    finish_row(stage, h, wide, to);
                    continue;
                }
                char* done = scratch_.get<char>(Scratch::kDone, line * item);
                finish_row(stage, h, wide, done);
                for (int64_t i = 0; i < wide; ++i)
                    std::memcpy(to + i * p_.y.stride[2], done + i * p_.c * item, static_cast<size_t>(p_.c * item));
            }
    }

    // Do the results of the tile's rows lie one behind the other?
    bool follow_one_another(int64_t rows) const {
        const int64_t line = w_.size() * p_.c * finisher_.item();
        return p_.y_rows &&
               (rows == 1 || (w_.size() == p_.axis[2]->out() && (height() == 1 || p_.y.stride[1] == line) &&
                              (planes_.size() == 1 || planes_follow(line * height()))));
    }

    bool planes_follow(int64_t bytes) const {
        for (int64_t plane = planes_.first + 1; plane < planes_.end; ++plane)
            if (p_.plane(plane, 1) - p_.plane(plane - 1, 1) != bytes) return false;
        return true;
    }

    // Rows without what lies between them.
    const Acc* packed(const Acc* stage, int64_t rows, int64_t pitch, int64_t line) {
        Acc* to = const_cast<Acc*>(stage);
        for (int64_t r = 1; r < rows; ++r) {
            const Acc* from = to + r * pitch;
            Acc* row = to + r * line;
            if (line < N) {
                std::memmove(row, from, static_cast<size_t>(line) * sizeof(Acc));
                continue;
            }
            const V<Acc> last = load<V<Acc>>(from + line - N);  // before the row itself runs over it
            for (int64_t i = 0; i + N <= line; i += N) store(row + i, load<V<Acc>>(from + i));
            store(row + line - N, last);
        }
        return stage;
    }

    void finish_row(const Acc* row, int64_t h, int64_t wide, char* out) {
        const int64_t line = wide * p_.c, item = finisher_.item();
        if (divide_.none) return finisher_.put(row, line, divide_.number, out, false);
        const double factor = divide_.at(p_, 0, d_) * divide_.at(p_, 1, h);
        if (divide_.same_w) return finisher_.put(row, line, factor * divide_.at(p_, 2, 0), out, false);
        if (p_.c == 1) {
            if (factor != divisors_of_ || w_.first != divisors_from_) {
                by_.resize(static_cast<size_t>(wide));
                for (int64_t i = 0; i < wide; ++i)
                    by_[static_cast<size_t>(i)] = factor * divide_.at(p_, 2, w_.first + i);
                finisher_.divisors(by_.data(), wide);
                divisors_of_ = factor, divisors_from_ = w_.first;
            }
            return finisher_.put(row, wide, 0, out, false);
        }
        for (int64_t i = 0, end; i < wide; i = end) {
            const double by = divide_.at(p_, 2, w_.first + i);
            for (end = i + 1; end < wide && divide_.at(p_, 2, w_.first + end) == by;) ++end;
            finisher_.put(row + i * p_.c, (end - i) * p_.c, factor * by, out + i * p_.c * item, false);
        }
    }

    const K quick_;
    const C careful_;
    const Problem& p_;
    const Tiles& tiles_;
    const Divide& divide_;
    Finish<F>& finisher_;
    bool past_caches_, far_;
    Scratch& scratch_;
    int64_t d_ = 0, n_ = 0, pitch_ = 0;
    Part planes_{}, h_{}, w_{};
    Reach along_h_{}, along_w_{};
    std::vector<const char*> row_;
    std::vector<double> by_;
    double divisors_of_ = 0;
    int64_t divisors_from_ = -1;
};
