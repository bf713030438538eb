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

    Values(const K& quick, const C& careful, const Problem& p, const Tiles& tiles, Results<F>& results,
           Scratch& scratch)
        : quick_(quick),
          careful_(careful),
          p_(p),
          tiles_(tiles),
          results_(results),
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
        const Rows way = way_for<K>(*p_.axis[1]);
        if (way == Rows::running || way == Rows::doubled) gap = std::max<int64_t>(gap, N);
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
        if (whole()) {
            if constexpr (sizeof(Acc) > 1) {
                if (run_whole(quick_)) return;
                if constexpr (K::kDoubts) run_whole(careful_);
            }
            return;
        }
        if (cells()) {
            if (run_cells(quick_)) return;
            if constexpr (K::kDoubts) run_cells(careful_);
            return;
        }
        if constexpr (K::kDoubts) {
            doubtful_ = false;
            if (!brings_together<K>() && nan()) return run(careful_);
            run(quick_);
            if (doubtful_) run(careful_);
        } else {
            run(quick_);
        }
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
        if (nears<K>(p_)) return true;
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
        return results_.write(place(), [&](const auto& put) { return !fused(m, put); });
    }

    // Runs of rows with the same taps. True: there is a NaN, and M cannot tell.
    template <class M, class Put>
    bool fused(const M& m, const Put& put) {
        const AxisTable &d = *p_.axis[0], &h = *p_.axis[1];
        const Level depth = level_of(d, d_, p_.x.stride[0]);
        Doubts<In> doubts{};
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
                for (end = r + 1; end < h_.end && at(h.count, end) == count && at(h.step, end) == at(h.step, r) &&
                                  at(h.start, end) == first + (end - r) * step;)
                    ++end;
                const bool deep = depth.count == 2, only_deep = deep && count == 1;
                const RowRun run{base + first * p_.x.stride[1],
                                 end - r,
                                 step * p_.x.stride[1],
                                 row,
                                 depth.step,
                                 only_deep ? depth.step : at(h.step, r) * p_.x.stride[1],
                                 n_,
                                 along_w_.before,
                                 w_.size(),
                                 far_,
                                 {p_.x_end}};
                if constexpr (kNearing<M>) {
                    if (p_.axis[2]->slide.stride == 1) {
                        doubts |= near_run(m, count, p_.axis[2]->slide.k, run, put);
                        continue;
                    }
                }
                doubts |=
                    fused_run(m, deep && !only_deep ? 2 : 1, only_deep ? 2 : count, p_.axis[2]->slide.k == 3, run, put);
            }
        }
        if constexpr (M::kDoubts) return doubts.any();
        return false;
    }

    // One window a plane, of whole rows that fit into a register.
    bool whole() const {
        const AxisTable &d = *p_.axis[0], &h = *p_.axis[1], &w = *p_.axis[2];
        return sizeof(Acc) > 1 && p_.x_rows && p_.c == 1 && d.out() == 1 && h.out() == 1 && w.out() == 1 &&
               w.step[0] == 1 && w.count[0] <= N;
    }

    // False: there is a NaN, and M cannot tell.
    template <class M>
    bool run_whole(const M& m) {
        return results_.write(place(), [&](const auto& put) { return !whole_maps(m, p_, planes_, put); }, true);
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
        return results_.write(place(), [&](const auto& put) { return !each_cell(m, put); });
    }

    // True: there is a NaN, and M cannot tell.
    template <class M, class Put>
    bool each_cell(const M& m, const Put& put) {
        const AxisTable &d = *p_.axis[0], &h = *p_.axis[1], &w = *p_.axis[2];
        const int64_t cell = p_.c * kItem;
        const auto start = [&](int64_t i) { return w.start[static_cast<size_t>(i)]; };
        const auto alike = [&](int64_t i, int64_t j) {
            const Level a = level_of(w, i, 1), b = level_of(w, j, 1);
            return a.count == b.count && a.step == b.step && a.skipped == b.skipped;
        };
        Taps taps{level_of(d, d_, p_.x.stride[0]), {}, {}};
        Doubts<In> doubts{};
        int64_t row = 0;
        for (int64_t plane = planes_.first; plane < planes_.end; ++plane) {
            const char* base = p_.x.data + p_.plane(plane, 0) + d.start[static_cast<size_t>(d_)] * p_.x.stride[0];
            for (int64_t r = h_.first; r < h_.end; ++r, ++row) {
                taps.h = level_of(h, r, p_.x.stride[1]);
                const char* line = base + h.start[static_cast<size_t>(r)] * p_.x.stride[1];
                const auto to = put.row(row);
                for (int64_t i = w_.first, end; i < w_.end; i = end) {
                    taps.w = level_of(w, i, cell);
                    const int64_t step = i + 1 < w_.end ? start(i + 1) - start(i) : 0;
                    for (end = i + 1; end < w_.end && alike(i, end) && start(end) == start(i) + (end - i) * step;)
                        ++end;
                    const auto run = [&](auto box) {
                        return reduce_cells<M, decltype(box)>(m, line + start(i) * cell, taps, step * cell, end - i,
                                                              p_.c, {p_.x_end}, to, (i - w_.first) * p_.c, far_);
                    };
                    doubts |= Box<1, 2, 2>::has(taps)   ? run(Box<1, 2, 2>{})
                              : Box<1, 3, 3>::has(taps) ? run(Box<1, 3, 3>{})
                              : Box<2, 2, 2>::has(taps) ? run(Box<2, 2, 2>{})
                              : Box<1, 1, 2>::has(taps) ? run(Box<1, 1, 2>{})
                                                        : run(AnyBox{});
                }
            }
        }
        if constexpr (M::kDoubts) return doubts.any();
        return false;
    }

    // Rows are reduced some at a time, and taken further while they are still in the nearest cache.
    template <class M>
    void run(const M& m) {
        constexpr int64_t bytes = 12 << 10;
        const Part planes = planes_, h = h_;
        const Rows way = way_for<M>(*p_.axis[1]);
        int64_t few = std::max<int64_t>(1, bytes / (pitch_ * static_cast<int64_t>(sizeof(Acc))));
        if (way == Rows::shared) few = (few + 7) / 8 * 8;
        const int64_t together = std::max<int64_t>(1, few / h.size());
        const bool at_once = way == Rows::running || way == Rows::doubled;  // they go down their columns once
        sourced_ = -1;
        for (int64_t plane = planes.first; plane < planes.end; plane += together) {
            planes_ = {plane, std::min(planes.end, plane + together)};
            for (int64_t r = h.first, end; r < h.end; r = end) {
                h_ = {r, end = at_once ? h.end : std::min(h.end, r + few)};
                Acc* rows = reduced(m);
                if (M::kDoubts && doubtful_) {
                    planes_ = planes, h_ = h;
                    return;
                }
                // The last rows first: what is left of them between rows does no harm to those before.
                const int64_t first = h_.first, piece = planes_.size() > 1 ? h_.size() : few;
                for (int64_t last = h_.end; last > first; last = h_.first) {
                    h_ = {std::max(first, last - piece), last};
                    merge_along<M>(rows + (h_.first - first) * pitch_);
                }
            }
        }
        planes_ = planes, h_ = h;
    }

    // All rows of the place, merged over D and H.
    template <class M>
    Acc* reduced(const M& m) {
        const int64_t before = along_w_.before * p_.c, room = 2 * N + 2;
        Acc* rows = scratch_.get<Acc>(Scratch::kRows, before + place().rows() * pitch_ + 2 * room) + before;
        for (int64_t plane = planes_.first; plane < planes_.end; ++plane)
            reduce_plane(m, plane, rows + (plane - planes_.first) * height() * pitch_);
        return rows;
    }

    template <class M>
    void merge_along(Acc* rows_at) {
        const int64_t rows = place().rows(), before = along_w_.before * p_.c;
        const Acc pad = quick_.pad();
        // reducing rows may have run over into the gaps
        if (before > 0) fill(rows_at - before, before, pad);
        if (before > 0 || along_w_.behind > 0)
            for (int64_t r = 0; r < rows; ++r) fill(rows_at + r * pitch_ + n_, pitch_ - n_, pad);
        results_.write(place(), [&](const auto& put) {
            along<Again<M>>(*p_.axis[2], w_, p_.c, {rows_at - before, rows, pitch_}, along_w_.first, scratch_, put);
            return true;
        });
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
        if (sourced_ != plane) {
            sourced_ = plane;
            source_ = source(plane);
            taken_ = takes<M>(source_);
            if (taken_) source_ = taken(m, source_);
        }
        if (taken_)
            reduce_height(again(m), source_, out);
        else
            reduce_height(m, source_, out);
    }

    // Are rows brought together, because they lie where they would compete for the same lines of the cache?
    template <class M>
    bool brings_together() const {
        const AxisTable &d = *p_.axis[0], &h = *p_.axis[1];
        return p_.x_rows && d.count[static_cast<size_t>(d_)] == 1 && way_for<M>(h) == Rows::shared &&
               p_.x.stride[1] % 1024 == 0 && h.slide.k > 3;
    }

    // Is D reduced first, once for every row, because the windows of several rows hold it?
    template <class M>
    bool takes(const Source& s) const {
        const AxisTable& h = *p_.axis[1];
        const bool overlap = h.slide.k == 0 || h.slide.stride < h.slide.k;
        return s.d.count > 1 ? overlap && height() > 1 : brings_together<M>();
    }

    // All rows of a plane with D reduced, at a distance that does not make them compete for the same lines of the cache.
    template <class M>
    Source taken(const M& m, const Source& s) {
        const int64_t high = along_h_.end - along_h_.first, line = (n_ + N + 31) / 32 * 32 + 16;
        Acc* rows = scratch_.get<Acc>(Scratch::kPlanes, high * line + N);
        const bool together = brings_together<M>();
        for (int64_t r = 0; r < high; ++r) {
            const char* row = s.first + (along_h_.first + r) * s.step;
            if (together)
                doubtful_ = take_row(m, row, n_, s.readable, rows + r * line) || doubtful_;
            else
                reduce_rows(m, row, {1, 0, 0}, s.d, n_, s.readable, rows + r * line);
        }
        constexpr auto item = static_cast<int64_t>(sizeof(Acc));
        return {reinterpret_cast<const char*>(rows) - along_h_.first * line * item,
                line * item,
                {1, 0, 0},
                {reinterpret_cast<const char*>(rows + high * line + N)}};
    }

    // Asks for as many rows of memory ahead as output r has that the next one has not; where windows leave rows out,
    // nobody knows which will be read.
    void fetch_ahead(const Source& s, int64_t r) const {
        const AxisTable& h = *p_.axis[1];
        const auto i = static_cast<size_t>(r);
        const int64_t rows = r + 1 < h.out() ? h.start[i + 1] - h.start[i] : h.count[i];
        constexpr int64_t most = 256 << 10;  // more would be gone again before it is read
        if (rows > h.count[i] || rows * n_ * kItem > most) return;
        const char* row = s.first + h.start[i] * s.step + kAhead;
        for (int64_t j = 0; j < rows; ++j, row += s.step)
            for (int64_t b = 0; b < n_ * kItem; b += 64) __builtin_prefetch(row + b, 0, 2);
    }

    template <class M>
    void reduce_height(const M& m, const Source& s, Acc* out) {
        const AxisTable& h = *p_.axis[1];
        const auto alone = [&](int64_t first, int64_t end) {
            for (int64_t r = first; r < end; ++r) {
                if (far_ && !taken_ && s.d.count == 1) fetch_ahead(s, r);
                reduce_rows(m, s.first + h.start[static_cast<size_t>(r)] * s.step, s.d, level_of(h, r, s.step), n_,
                            s.readable, out + (r - h_.first) * pitch_);
            }
        };
        const Rows way = s.d.count > 1 ? Rows::alone : way_for<M>(h);
        if (way == Rows::alone) return alone(h_.first, h_.end);
        const int64_t k = h.slide.k, far = h.slide.dilation, first = h_.first - h.slide.lo,
                      rows = height() + (k - 1) * far;
        using MIn = typename M::In;
        MIn* pads = scratch_.get<MIn>(Scratch::kPads, n_ + N);  // room for a register behind it, as after other rows
        std::fill_n(pads, n_ + N, m.raw_pad());
        row_.resize(static_cast<size_t>(rows));
        for (int64_t i = 0; i < rows; ++i)
            row_[static_cast<size_t>(i)] = first + i < 0 || first + i >= h.in ? reinterpret_cast<const char*>(pads)
                                                                              : s.first + (first + i) * s.step;
        if constexpr (M::kIdempotent) {
            if (way == Rows::running) {
                Acc* kept = scratch_.get<Acc>(Scratch::kKept, k * 4 * N);
                return herk_rows(m, row_.data(), k, height(), n_, s.readable, out, pitch_, kept);
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
            const Blocks blocks(k, far);
            Acc* kept = scratch_.get<Acc>(Scratch::kKept, blocks.room(2 * N));
            double_rows(m, row_.data(), blocks, k, far, height(), n_, s.readable, out, pitch_, kept);
        }
    }

    Place place() const { return {d_, planes_, h_, w_}; }

    const K quick_;
    const C careful_;
    const Problem& p_;
    const Tiles& tiles_;
    Results<F>& results_;
    bool far_;
    Scratch& scratch_;
    int64_t d_ = 0, n_ = 0, pitch_ = 0;
    Part planes_{}, h_{}, w_{};
    Reach along_h_{}, along_w_{};
    int64_t sourced_ = -1;  // the plane of source_
    Source source_{};
    bool taken_ = false;     // source_ holds elements that were taken
    bool doubtful_ = false;  // rows that were brought together have NaN, and M cannot tell
    std::vector<const char*> row_;
};
