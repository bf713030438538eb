// Gradients, tile by tile: every row of cells collects from the windows that hold it, in row-major order of the outputs,
// and is written once.
#pragma once

template <class E, class A, Rule rule>
class Gradients : public SingleCells<E, A, rule> {
    using Base = SingleCells<E, A, rule>;
    using Base::c_;
    using Base::d_;
    using Base::h_;
    using Base::kItem;
    using Base::line_;
    using Base::N;
    using Base::p_;
    using Base::s_;
    using Base::scratch_;
    using Base::w_;
    using typename Base::In;
    using typename Base::W;

public:
    using Base::Base;

    void tile(int64_t unit) {
        const auto part = [&](int64_t tiles, int64_t size, int64_t total) {
            const int64_t at = unit % tiles;
            unit /= tiles;
            return Part{at * size, std::min(total, (at + 1) * size)};
        };
        // steps of the stride cover all cells
        const int64_t stride = s_.residues == nullptr ? 1 : p_.axis[2]->slide.stride;
        const int64_t steps = (p_.axis[2]->in + stride - 1) / stride;
        c_ = part(s_.c_tiles, s_.deep, p_.c);
        w_ = part(s_.w_tiles, s_.wide, steps);
        h_ = part(s_.h_tiles, s_.high, p_.axis[1]->in);
        d_ = unit % p_.axis[0]->in;
        unit /= p_.axis[0]->in;
        const Part planes{unit * s_.planes, std::min(p_.planes, (unit + 1) * s_.planes)};
        const Part cells{w_.first * stride, std::min(p_.axis[2]->in, w_.end * stride)};
        line_ = cells.size() * c_.size();
        const int64_t all = h_.size() * line_;
        if (s_.doubled && this->in_place()) {
            for (int64_t plane = planes.first; plane < planes.end; ++plane) {
                this->at_planes(plane);
                this->double_rows_in_place();
            }
            return;
        }
        if (s_.cells_in_place) {
            const Array& dx = p_.array[0];
            this->past_ = s_.past_caches;
            for (int64_t plane = planes.first; plane < planes.end; ++plane) {
                this->at_planes(plane);
                if (s_.divided_first) this->divide_outputs();
                for (int64_t h = h_.first; h < h_.end; ++h) {
                    char* const to =
                        dx.data + p_.plane(plane, 0) + d_ * dx.stride[0] + h * dx.stride[1] + w_.first * dx.stride[2];
                    if (s_.divided_first)
                        this->collect_divided(h, reinterpret_cast<A*>(to));
                    else
                        this->collect_cells(h, reinterpret_cast<A*>(to));
                }
            }
            return;
        }
        A* const stage = scratch_.template get<A>(Scratch::kRows, planes.size() * all + 8 * N * stride);
        if (s_.by_rows() && !s_.doubled) this->plan_rows();
        A* out = stage;
        for (int64_t plane = planes.first; plane < planes.end; ++plane, out += all) {
            this->at_planes(plane);
            if (s_.doubled) {
                this->double_rows(out);
            } else if (s_.by_rows()) {
                this->prepare();
                this->collect_rows(out);
            } else {
                A* row = out;
                if (s_.divided_first) this->divide_outputs();
                for (int64_t h = h_.first; h < h_.end; ++h, row += line_)
                    if (this->as_row_before(h))
                        this->copy_row_before(row);
                    else if (s_.divided_first)
                        this->collect_divided(h, row);
                    else
                        this->collect_cells(h, row);
            }
        }
        const Array& dx = p_.array[0];
        const auto give_rows = [&](int64_t plane, int64_t count, const A* from) {
            const Sink to{dx.data + p_.plane(plane, 0) + d_ * dx.stride[0] + h_.first * dx.stride[1] +
                              cells.first * dx.stride[2] + c_.first * kItem,
                          dx.stride[1], dx.stride[2], kItem};
            flush(to, count * h_.size(), cells.size(), c_.size(), scratch_, [&](int64_t i, int64_t n, char* to_there) {
                put<In, N>(to_there, n, s_.past_caches, [&](int64_t e) { return Base::give(load<W>(from + i + e)); });
            });
        };
        bool follow = true;  // one plane's rows after the other's
        for (int64_t plane = planes.first + 1; plane < planes.end; ++plane)
            follow = follow && p_.plane(plane, 0) - p_.plane(plane - 1, 0) == h_.size() * dx.stride[1];
        if (follow) return give_rows(planes.first, planes.size(), stage);
        for (int64_t plane = planes.first; plane < planes.end; ++plane)
            give_rows(plane, 1, stage + (plane - planes.first) * all);
    }
};

// Accumulators that the prepared rows of outputs of one tile take, at most: `line` for each row.
inline double prepared(const Gathered& d, const Gathered& h, int64_t cells, int64_t high, double line) {
    int64_t rows = 0;
    for (int64_t from = 0; from < cells; from += high)
        rows = std::max(rows, h.outputs_of(from, std::min(cells, from + high)).size());
    return static_cast<double>(d.most) * static_cast<double>(rows) * line;
}

template <class E, class A, Rule rule>
bool spread_tiles(const Spreading& s, double taps, int threads, Control& control) {
    double cells = static_cast<double>(s.p.c * s.p.planes);
    for (const AxisTable* axis : s.p.axis) cells *= static_cast<double>(axis->in);
    constexpr double each = rule == Rule::norm ? 0.4 : 0.1;
    const auto nanoseconds = static_cast<int64_t>(std::min(0x1p60, cells * (0.2 + each * taps)));
    const auto work = static_cast<int64_t>(std::min(0x1p40, 1 + cells * taps / static_cast<double>(s.units())));
    parallel_for(s.units(), nanoseconds, threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
        Gradients<E, A, rule> gradients(s, scratch());
        for (int64_t unit = begin; unit < end; ++unit) {
            gradients.tile(unit);
            if (!ticker.go_on(work)) break;
        }
        if (s.past_caches) stream_end();
        scratch().trim();
    });
    return true;
}

// Does every row of cells begin a line of the caches?
inline bool rows_begin_lines(const Problem& p) {
    const Array& dx = p.array[0];
    const auto whole = [](int64_t bytes) { return bytes % 64 == 0; };
    return std::all_of(p.loop, p.loop + p.loops, [&](const Loop& l) { return whole(l.stride[0]); }) &&
           whole(dx.stride[0]) && whole(dx.stride[1]) && reinterpret_cast<uintptr_t>(dx.data) % 64 == 0;
}

// May cells of many elements be written where they lie? Whole registers then, and past the caches whole lines of them.
inline bool cells_in_place(const Problem& p, int64_t deep, int64_t item, bool past_caches) {
    const int64_t cell = p.c * item;
    if (item < 4 || p.c == 1 || deep != p.c || !p.rows[0] || cell % kBytes != 0) return false;
    if (reinterpret_cast<uintptr_t>(p.array[0].data) % static_cast<uintptr_t>(item) != 0) return false;
    return !past_caches || (cell % 64 == 0 && rows_begin_lines(p));
}

inline bool backward(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, DType other_type,
                     Control& control) {
    const DType in = call.params.in;
    const Kind kind = kind_of(call.reducer);
    if (in != g_type || is_complex(in)) return false;
    const bool winner = kind == Kind::winner, norm = kind == Kind::norm;
    const DType accumulator = in == DType::f64 ? DType::f64 : DType::f32;
    if (norm && (other_type != accumulator || (call.params.p != 1 && call.params.p != 2))) return false;
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
    const int64_t other_item = winner || norm ? item_size(other_type) : 0;
    if (!stated(g, layout, {item, item, other_item, norm ? item : 0}, false, p)) return false;
    if (p.planes == 0 || p.c == 0) return true;  // no gradient at all
    const AxisTable &d = *p.axis[0], &h = *p.axis[1], &w = *p.axis[2];
    // winners of pairs are found side by side; any others are fewer than what their cells would look at
    const bool pairs = w.slide.k == 2 && w.slide.stride == 2 && w.slide.dilation == 1 && w.slide.lo == 0;
    if (winner && p.c == 1 && !(pairs && windows_of_a_cell(p) <= 1) &&
        scatter(p, in, other_type, call.threads, control))
        return true;

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

    if (kind == Kind::spread && spreads_whole(p, item)) {
        for (size_t a = 0; counts && a < kMostPooled; ++a) number *= by[a][0];
        switch (in) {
            case DType::f32: return spread_whole<float, float>(p, number, call.threads, control);
            case DType::f64: return spread_whole<double, double>(p, number, call.threads, control);
            case DType::f16: return spread_whole<F16, float>(p, number, call.threads, control);
            case DType::bf16: return spread_whole<Bf16, float>(p, number, call.threads, control);
            default: return false;
        }
    }

    double cells = static_cast<double>(p.planes);
    for (const AxisTable* axis : p.axis) cells *= static_cast<double>(axis->in);
    // Cells of several elements are worked on one by one, by a table; rows of single elements by how windows slide, or
    // by a table where they do not or slide too far: in a call that is long enough to make one.
    const bool single = p.c == 1, sliding = single && w.slide.k > 0 && w.slide.stride <= 64 && w.slide.k <= 4096;
    const double entries = Gathered::size(w);
    const bool table = sliding ? w.slide.stride > 2 && 16 * entries <= cells : entries <= 0x1p20;
    if (!table && !sliding) return false;
    if (Gathered::size(d) + Gathered::size(h) > 0x1p20) return false;
    const Gathered of_d(d), of_h(h), of_w(table ? w : single_cell());

    constexpr int64_t kCellsOfTile = 4096;
    const auto ceil = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
    const int64_t deep = std::min<int64_t>(p.c, kCellsOfTile);
    // Where many cells collect from an output, it is divided once, and tiles are so high that few are in two of them.
    // Only small dense windows: what others of a tile hold may be far more than what its cells collect from.
    const auto dense = [](const AxisTable* axis) {
        return axis->slide.k > 0 && axis->slide.k <= 8 && axis->slide.dilation == 1;
    };
    const bool divided_first = kind == Kind::spread && !single && divides && windows_of_a_cell(p) > 2 &&
                               std::all_of(p.axis, p.axis + kMostPooled, dense);
    const int64_t most_cells = divided_first ? 8 * kCellsOfTile : kCellsOfTile;
    const auto high_of = [&](int64_t line) { return std::clamp<int64_t>(most_cells / (line * deep), 1, h.in); };
    bool slides = sliding;
    if (single && table) {
        const int64_t line = std::min(w.in, kCellsOfTile);
        const bool fits = of_w.most <= kMostRanks &&
                          prepared(of_d, of_h, h.in, high_of(line), static_cast<double>(of_w.most * line)) <= 0x1p19;
        if (!fits && !sliding) return false;
        slides = !fits;
    }
    std::vector<int64_t> astray;
    if (winner && slides)
        for (int64_t i = 0; i < w.out(); ++i)
            if (w.skipped[static_cast<size_t>(i)] > 0) astray.push_back(i);
    if (!astray.empty() && w.most_taps != w.slide.k) return false;
    const Residues residues(slides ? w.slide : Sliding{1, 1, 1, 0});
    const int64_t taps_w = slides ? (w.slide.k + w.slide.stride - 1) / w.slide.stride : of_w.most;
    const double taps = static_cast<double>(of_d.most) * static_cast<double>(of_h.most) * static_cast<double>(taps_w);
    // where windows hold each other's cells many times over, winners are rarer than what would be looked at, and a
    // tile's parts of norms take long
    if (taps > (winner ? 64 : norm ? 0x1p16 : 0x1p60)) return false;

    const bool doubled = slides && w.slide.stride == 2 && w.slide.k == 2 && w.slide.dilation == 1 && w.slide.lo == 0 &&
                         of_d.most <= 1 && of_h.most <= 1 && p.rows[1] && (!(winner || norm) || p.rows[2]) &&
                         (!norm || p.rows[3]) && w.most_taps == w.slide.k;
    const bool same_by_w = std::all_of(by[2].begin(), by[2].end(), [&](double n) { return n == by[2][0]; });

    const int64_t steps = slides ? ceil(w.in, w.slide.stride) : w.in, stride = slides ? w.slide.stride : 1;
    const int64_t wide = std::clamp<int64_t>(kCellsOfTile / (stride * deep), 1, steps);
    const int64_t high = high_of(wide * stride);
    const bool whole = high == h.in && wide == steps && deep == p.c && d.in == 1;
    const int64_t planes = whole ? std::clamp<int64_t>(kCellsOfTile / (h.in * w.in * p.c), 1, p.planes) : 1;
    double outputs = static_cast<double>(p.planes * p.c * item);
    for (const AxisTable* axis : p.axis) outputs *= static_cast<double>(axis->out());
    const bool past = past_caches(outputs, cells * static_cast<double>(p.c * item));
    const Spreading s{p,
                      of_d,
                      of_h,
                      slides ? nullptr : &of_w,
                      slides ? &residues : nullptr,
                      counts ? by : nullptr,
                      number,
                      other_type,
                      norm && call.params.p == 1,
                      std::max<int64_t>(1, h.most_taps),
                      std::max<int64_t>(1, w.most_taps),
                      astray,
                      doubled && same_by_w,
                      same_by_w,
                      divided_first,
                      cells_in_place(p, deep, item, past),
                      rows_begin_lines(p),
                      planes,
                      high,
                      wide,
                      deep,
                      ceil(p.planes, planes),
                      ceil(h.in, high),
                      ceil(steps, wide),
                      ceil(p.c, deep),
                      past};
    const auto as = [&]<class E, class A>() {
        if (norm) return spread_tiles<E, A, Rule::norm>(s, taps, call.threads, control);
        return winner ? spread_tiles<E, A, Rule::winner>(s, taps, call.threads, control)
                      : spread_tiles<E, A, Rule::share>(s, taps, call.threads, control);
    };
    switch (in) {
        case DType::f32: return as.template operator()<float, float>();
        case DType::f64: return as.template operator()<double, double>();
        case DType::f16: return as.template operator()<F16, float>();
        case DType::bf16: return as.template operator()<Bf16, float>();
        default: return false;
    }
}
