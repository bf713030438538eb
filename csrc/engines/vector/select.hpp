// Forward with positions, tile by tile: whole rows of windows side by side, every tap in row-major order.
#pragma once

// A call, ready to be cut into tiles.
struct Chosen {
    const Problem& p;
    const std::vector<Run>& runs;
    DType position_type;
    bool indices, values, by_rows;
    int64_t high, wide, deep;  // outputs of a tile along H, runs along W, elements of a cell
    int64_t h_tiles, w_tiles, c_tiles;
    bool values_past, positions_past;  // the caches
    int64_t row_cells, plane_cells, box_h, box_w;

    int64_t units() const { return p.planes * p.axis[0]->out() * h_tiles * w_tiles * c_tiles; }
};

template <class T, class Mark>
void put_marks(const Mark* marks, int64_t n, char* out, bool past_caches) {
    constexpr int N = sizeof(T) > sizeof(Mark) ? kN<T> : kN<Mark>;
    put<T, N>(out, n, past_caches, [&](int64_t i) {
        const auto mark = load<Vec<Mark, N>>(marks + i);
        if constexpr (sizeof(T) == sizeof(Mark))
            return as<Vec<T, N>>(mark);
        else if constexpr (sizeof(T) < sizeof(Mark))
            return narrowed<Vec<T, N>>(mark);
        else
            return convert<Vec<T, N>>(mark);
    });
}

template <class Mark>
void put_marks_as(DType type, const Mark* marks, int64_t n, char* out, bool past_caches) {
    switch (item_size(type)) {
        case 1: return put_marks<uint8_t>(marks, n, out, past_caches);
        case 2: return put_marks<uint16_t>(marks, n, out, past_caches);
        case 4: return put_marks<uint32_t>(marks, n, out, past_caches);
        default: return put_marks<uint64_t>(marks, n, out, past_caches);
    }
}

template <class K>
void select_tile(const K& k, const Chosen& s, int64_t unit, Scratch& scratch) {
    using Acc = typename K::Acc;
    using Mark = typename K::Mark;
    using In = typename K::In;
    constexpr int N = kN<Acc>;
    constexpr int64_t item = sizeof(In);
    const Problem& p = s.p;
    const AxisTable &axis_d = *p.axis[0], &axis_h = *p.axis[1], &axis_w = *p.axis[2];
    const auto part = [&](int64_t tiles, int64_t size, int64_t total) {
        const int64_t at = unit % tiles;
        unit /= tiles;
        return Part{at * size, std::min(total, (at + 1) * size)};
    };
    const Part cs = part(s.c_tiles, s.deep, p.c);
    const Part ws = part(s.w_tiles, s.wide, static_cast<int64_t>(s.runs.size()));
    const Part hs = part(s.h_tiles, s.high, axis_h.out());
    const int64_t d = unit % axis_d.out(), plane = unit / axis_d.out();
    const auto di = static_cast<size_t>(d);
    const Run &first_run = s.runs[static_cast<size_t>(ws.first)], &last_run = s.runs[static_cast<size_t>(ws.end - 1)];
    const Part outputs{first_run.first, last_run.first + last_run.n};
    const int64_t c = cs.size(), wide = outputs.size(), line = wide * c;

    Acc* values = scratch.get<Acc>(Scratch::kRows, hs.size() * line + 4 * N);
    Mark* marks = scratch.get<Mark>(Scratch::kStage, hs.size() * line + 4 * N);
    const char* x = p.x.data + p.plane(plane, 0) + axis_d.start[di] * p.x.stride[0] + cs.first * item;
    Window window{};
    window.far_away = p.end[0] - p.begin[0] > kFar;
    window.d = axis_d.count[di], window.step_d = axis_d.step[di] * p.x.stride[0];
    window.mark_d = s.indices ? axis_d.step[di] * s.plane_cells : s.box_h * s.box_w;
    if (s.by_rows)
        winners_by_rows(k, p, d, hs, outputs, x, window.mark_d, s.indices ? s.row_cells : s.box_w, values, marks,
                        scratch);
    for (int64_t h = hs.first; h < hs.end && !s.by_rows; ++h) {
        const auto hi = static_cast<size_t>(h);
        window.h = axis_h.count[hi], window.step_h = axis_h.step[hi] * p.x.stride[1];
        window.mark_h = s.indices ? axis_h.step[hi] * s.row_cells : s.box_w;
        const char* row = x + axis_h.start[hi] * p.x.stride[1];
        for (int64_t r = ws.first; r < ws.end; ++r) {
            const Run& run = s.runs[static_cast<size_t>(r)];
            const auto w = static_cast<size_t>(run.first);
            window.w = axis_w.count[w], window.step_w = axis_w.step[w] * p.x.stride[2];
            window.mark_w = s.indices ? axis_w.step[w] : 1;
            const char* from = row + axis_w.start[w] * p.x.stride[2];
            const int64_t at = (h - hs.first) * line + (run.first - outputs.first) * c;
            const int64_t far = run.distance * p.x.stride[2];
            const char* end = p.end[0];
            if (p.c > 1 || run.n == 1)  // cells side by side, or all elements of one
                winners<K, Reading::near>(k, from, window, item, run.n * c, end, values + at, marks + at);
            else if (far == item)
                winners<K, Reading::near>(k, from, window, far, run.n, end, values + at, marks + at);
            else if (far == 2 * item && window.step_w == item)
                winners<K, Reading::pairs>(k, from, window, far, run.n, end, values + at, marks + at);
            else
                winners<K, Reading::apart>(k, from, window, far, run.n, end, values + at, marks + at);
        }
    }

    const auto sink = [&](size_t a, int64_t size) {
        const Array& to = p.array[a];
        return Sink{to.data + p.plane(plane, static_cast<int>(a)) + d * to.stride[0] + hs.first * to.stride[1] +
                        outputs.first * to.stride[2] + cs.first * size,
                    to.stride[1], to.stride[2], size};
    };
    if (s.values)
        flush(sink(1, item), hs.size(), wide, c, scratch, [&](int64_t i, int64_t n, char* out) {
            put<In, N>(out, n, s.values_past, [&](int64_t e) { return k.give(load<V<Acc>>(values + i + e)); });
        });
    const Sink to = sink(2, item_size(s.position_type));
    if (!s.indices) {
        flush(to, hs.size(), wide, c, scratch, [&](int64_t i, int64_t n, char* out) {
            put_marks_as(s.position_type, marks + i, n, out, s.positions_past);
        });
        return;
    }
    int64_t* places = scratch.get<int64_t>(Scratch::kPlanes, hs.size() * line + 4 * N);
    for (int64_t h = hs.first; h < hs.end; ++h) {
        const int64_t first = axis_d.start[di] * s.plane_cells + axis_h.start[static_cast<size_t>(h)] * s.row_cells;
        const int64_t at = (h - hs.first) * line;
        const int64_t* starts = axis_w.start.data() + outputs.first;
        if (c == 1)
            for (int64_t i = 0; i < wide; ++i) places[at + i] = first + starts[i] + static_cast<int64_t>(marks[at + i]);
        else
            for (int64_t i = 0; i < wide; ++i)
                for (int64_t e = i * c; e < (i + 1) * c; ++e)
                    places[at + e] = first + starts[i] + static_cast<int64_t>(marks[at + e]);
    }
    flush(to, hs.size(), wide, c, scratch, [&](int64_t i, int64_t n, char* out) {
        put<int64_t, kN<int64_t>>(out, n, s.positions_past,
                                  [&](int64_t e) { return load<V<int64_t>>(places + i + e); });
    });
}

template <class K>
bool select_tiles(const K& k, const Chosen& s, int threads, Control& control) {
    double out = static_cast<double>(s.p.c * s.p.planes), taps = 1;
    for (const AxisTable* axis : s.p.axis)
        out *= static_cast<double>(axis->out()), taps *= static_cast<double>(axis->most_taps);
    const auto nanoseconds = static_cast<int64_t>(std::min(0x1p60, out * (0.5 + 0.2 * taps)));
    const auto work = static_cast<int64_t>(std::min(0x1p40, 1 + out * taps / static_cast<double>(s.units())));
    parallel_for(s.units(), nanoseconds, threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
        for (int64_t unit = begin; unit < end; ++unit) {
            select_tile(k, s, unit, scratch());
            if (!ticker.go_on(work)) break;
        }
        if (s.values_past || s.positions_past) stream_end();
        scratch().trim();
    });
    return true;
}

// `most` is the largest mark.
inline bool select_as(const ForwardCall& call, const Chosen& s, uint64_t most, Control& control) {
    const bool largest = call.reducer == Reducer::max;
    const auto turn = [&](auto flip, bool is_unsigned) {
        using T = decltype(flip);
        return static_cast<T>((largest ? T(0) : T(~T(0))) ^ (is_unsigned ? std::numeric_limits<T>::min() : T(0)));
    };
    const auto integers = [&](auto zero, bool is_unsigned) {
        using T = decltype(zero);
        const T flip = turn(zero, is_unsigned);
        if (most <= std::numeric_limits<Unsigned<T>>::max())
            return select_tiles(Ordered<T>{flip}, s, call.threads, control);
        if constexpr (sizeof(T) < 4)
            if (most <= std::numeric_limits<uint32_t>::max())
                return select_tiles(OrderedWide<T>{flip}, s, call.threads, control);
        return false;
    };
    const auto floats = [&](auto zero) {
        using T = decltype(zero);
        if (most > std::numeric_limits<Unsigned<T>>::max()) return false;
        const auto flip = largest ? Signed<T>(0) : std::numeric_limits<Signed<T>>::min();
        return select_tiles(Ordered<T>{flip}, s, call.threads, control);
    };
    const auto halves = [&](int16_t infinity) {
        const int16_t flip = largest ? int16_t{0} : std::numeric_limits<int16_t>::min();
        if (most <= std::numeric_limits<uint16_t>::max())
            return select_tiles(OrderedHalf<int16_t>{flip, infinity}, s, call.threads, control);
        if (most > std::numeric_limits<uint32_t>::max()) return false;
        return select_tiles(OrderedHalf<int32_t>{flip, infinity}, s, call.threads, control);
    };
    switch (call.params.in) {
        case DType::i8: return integers(int8_t{}, false);
        case DType::u8: return integers(int8_t{}, true);
        case DType::i16: return integers(int16_t{}, false);
        case DType::u16: return integers(int16_t{}, true);
        case DType::i32: return integers(int32_t{}, false);
        case DType::u32: return integers(int32_t{}, true);
        case DType::i64: return integers(int64_t{}, false);
        case DType::u64: return integers(int64_t{}, true);
        case DType::f32: return floats(float{});
        case DType::f64: return floats(double{});
        case DType::f16: return halves(0x7c00);
        case DType::bf16: return halves(0x7f80);
        default: return false;
    }
}

inline bool select(const ForwardCall& call, const Geometry& g, const Layout& layout, DType position_type,
                   Position position, Control& control) {
    const DType in = call.params.in;
    if (kind_of(call.reducer) != Kind::winner || is_complex(in)) return false;
    for (const AxisTable& axis : g.axis)
        if (axis.out() == 0 || *std::min_element(axis.count.begin(), axis.count.end()) < 1) return false;
    const bool indices = position == Position::indices, values = layout.array[1].data != nullptr;
    if (indices && item_size(position_type) != 8) return false;
    Problem p;
    if (!stated(g, layout, {item_size(in), values ? item_size(in) : 0, item_size(position_type), 0}, indices, p))
        return false;
    if (p.planes == 0 || p.c == 0) return true;  // no results at all
    const AxisTable &d = *p.axis[0], &h = *p.axis[1], &w = *p.axis[2];

    const int64_t row_cells = w.in, plane_cells = h.in * w.in;
    double most = static_cast<double>(g.box()) - 1;
    if (indices) {
        double reach[kMostPooled] = {};
        for (size_t a = 0; a < kMostPooled; ++a)
            for (size_t i = 0; i < p.axis[a]->count.size(); ++i)
                reach[a] = std::max(reach[a], static_cast<double>(p.axis[a]->step[i] * (p.axis[a]->count[i] - 1)));
        most = reach[0] * static_cast<double>(plane_cells) + reach[1] * static_cast<double>(row_cells) + reach[2];
    }
    if (most > 0x1p50) return false;

    // Windows that lie one register after the other are computed side by side; else all elements of a cell are.
    constexpr int64_t kOutputs = 2048;
    const bool flat = p.c == 1;
    std::vector<Run> runs = runs_along(w, flat ? kOutputs : std::max<int64_t>(1, p.x_rows ? kOutputs / p.c : 1));
    if (!flat) {
        std::vector<Run> cells;
        for (const Run& run : runs)
            if (run.n == 1 || run.distance == 1)
                cells.push_back(run);
            else
                for (int64_t i = 0; i < run.n; ++i) cells.push_back({run.first + i, 1, 0});
        runs.swap(cells);
    }
    const auto ceil = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
    const bool by_rows = pays_by_rows(p);
    if (by_rows) {
        const int64_t most = wide_by_rows(p), n = ceil(w.out(), ceil(w.out(), most));
        runs.clear();
        for (int64_t i = 0; i < w.out(); i += n) runs.push_back({i, std::min(n, w.out() - i), w.slide.stride});
    }
    const auto total_runs = static_cast<int64_t>(runs.size());
    int64_t longest = 1;
    for (const Run& run : runs) longest = std::max(longest, run.n);
    const int64_t deep = std::min<int64_t>(p.c, 2 * kOutputs);
    const int64_t wide = by_rows                          ? 1
                         : w.out() * deep <= 2 * kOutputs ? total_runs
                                                          : std::max<int64_t>(1, 2 * kOutputs / (longest * deep));
    int64_t high =
        std::clamp<int64_t>(kOutputs / std::max<int64_t>(1, std::min(w.out(), wide * longest) * deep), 1, h.out());
    if (by_rows) high = std::min(h.out(), high_by_rows(p));
    const bool eager = work_per_thread.load(std::memory_order_relaxed) < kWorkPerThread;
    while (high > (eager ? 1 : 8) && p.planes * d.out() * ceil(h.out(), high) < 2 * call.threads) high = ceil(high, 2);
    const auto past = [&](DType type) {
        double cells = static_cast<double>(p.c * p.planes * item_size(in)),
               written = static_cast<double>(p.c * p.planes * item_size(type));
        for (const AxisTable* axis : p.axis)
            cells *= static_cast<double>(axis->in), written *= static_cast<double>(axis->out());
        return past_caches(cells, written);
    };
    const Chosen s{p,
                   runs,
                   position_type,
                   indices,
                   values,
                   by_rows,
                   high,
                   wide,
                   deep,
                   ceil(h.out(), high),
                   ceil(total_runs, wide),
                   ceil(p.c, deep),
                   past(in),
                   past(position_type),
                   row_cells,
                   plane_cells,
                   std::max<int64_t>(1, h.most_taps),
                   std::max<int64_t>(1, w.most_taps)};
    return select_as(call, s, static_cast<uint64_t>(most), control);
}
