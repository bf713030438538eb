// Chooses merging and finishing for a call, and runs its tiles on threads. False: the call is for another engine.
#pragma once

// May a tile be computed at once? Its scratch memory must be small, and its work too: calls are stopped between tiles.
template <class K>
bool handy(const Problem& p, const Tiles& t) {
    const auto span = [](const AxisTable& axis, int64_t outputs) {
        const Sliding& s = axis.slide;
        const auto all = static_cast<double>(axis.in);
        if (s.k == 0) return all;
        return std::min(all, static_cast<double>(outputs - 1) * static_cast<double>(s.stride) +
                                 static_cast<double>(s.k) * static_cast<double>(s.dilation));
    };
    const AxisTable &d = *p.axis[0], &h = *p.axis[1], &w = *p.axis[2];
    const double row = span(w, t.w) * static_cast<double>(p.c), rows = span(h, t.h);
    const double pads = w.slide.k > 0 ? static_cast<double>(w.slide.k) * static_cast<double>(w.slide.dilation) : 0;
    const double depth = static_cast<double>(d.most_taps);
    const double outputs = static_cast<double>(t.planes) * static_cast<double>(t.h);
    const double room = (row + pads * static_cast<double>(p.c)) * sizeof(typename K::Acc);
    double memory = outputs * room;
    if (!p.x_rows) memory += depth * rows * room;
    if (depth > 1 || way_for<K>(h) != Rows::alone) memory += (rows + static_cast<double>(h.slide.k)) * room;
    const double taps =
        static_cast<double>(t.planes) * depth * rows * row + outputs * depth * static_cast<double>(h.most_taps) * row;
    return memory < 0x1p26 && taps < 0x1p28;
}

template <class K, class C, class F>
bool run_tiles(const K& quick, const C& careful, const F& finish, const ForwardCall& call, const Problem& p,
               bool divides, Control& control) {
    const Tiles tiles = cut<K>(p, call.threads);
    if (!handy<K>(p, tiles)) return false;
    const Divide divide(p, call.divisor, call.params.number, divides);
    const int64_t units = tiles.total(p.axis[0]->out());
    double in = static_cast<double>(p.c * p.planes), out = in;
    for (const AxisTable* axis : p.axis) {
        in *= static_cast<double>(std::min(axis->in, axis->out() * axis->most_taps));
        out *= static_cast<double>(axis->out());
    }
    const double bytes =
        in * static_cast<double>(sizeof(typename K::In)) + out * static_cast<double>(sizeof(typename F::Out));
    const auto nanoseconds = static_cast<int64_t>(std::min(0x1p60, bytes * 0.04 + out * 0.1));
    const bool past = past_caches(in * static_cast<double>(sizeof(typename K::In)),
                                  out * static_cast<double>(sizeof(typename F::Out)));
    const auto work =
        static_cast<int64_t>(std::min(0x1p40, 1 + (in + out) / static_cast<double>(std::max<int64_t>(1, units))));
    if constexpr (kPacking<K, F>) {
        if (packs<K>(p)) {
            constexpr int64_t lanes = kN<typename K::Acc>;
            const int64_t groups = Packed<K, C, F>::together(p, call.threads),
                          all = (p.planes + groups * lanes - 1) / (groups * lanes);
            const auto each = static_cast<int64_t>(1 + (in + out) / static_cast<double>(all));
            parallel_for(all, nanoseconds, call.threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
                Finish<F> finisher(finish);
                Packed<K, C, F> packed(quick, careful, p, divide, finisher, groups, past, scratch());
                for (int64_t unit = begin; unit < end; ++unit) {
                    packed.run(unit);
                    if (!ticker.go_on(each)) break;
                }
                if (past) stream_end();
                scratch().trim();
            });
            return true;
        }
    }
    parallel_for(units, nanoseconds, call.threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
        Finish<F> finisher(finish);
        Results<F> results(p, divide, finisher, past, scratch());
        Values<K, C, F> values(quick, careful, p, tiles, results, scratch());
        for (int64_t unit = begin; unit < end; ++unit) {
            values.tile(unit);
            if (!ticker.go_on(work)) break;
        }
        if (past) stream_end();
        scratch().trim();
    });
    return true;
}

template <class T, class B>
bool extreme(B flip, const ForwardCall& call, const Problem& p, Control& control) {
    const auto bits = static_cast<Signed<T>>(flip);
    return run_tiles(Extreme<T, false>{bits}, Extreme<T, false>{bits}, UndoFlip<T>{bits}, call, p, false, control);
}

template <class T>
bool extreme_float(bool largest, const ForwardCall& call, const Problem& p, Control& control) {
    if (largest) return run_tiles(Extreme<T, false>{}, Extreme<T, true>{}, UndoFlip<T>{}, call, p, false, control);
    return run_tiles(Extreme<T, false, true>{}, Extreme<T, true, true>{}, UndoFlip<T>{}, call, p, false, control);
}

inline bool extreme_half(bool largest, uint16_t infinity, const ForwardCall& call, const Problem& p, Control& control) {
    const auto flip = static_cast<uint16_t>(largest ? 0 : 0x8000);
    return run_tiles(ExtremeHalf<false>{flip, infinity}, ExtremeHalf<true>{flip, infinity}, UndoKey{flip}, call, p,
                     false, control);
}

inline bool extremes(bool largest, const ForwardCall& call, const Problem& p, Control& control) {
    const auto turn = [&](auto top) { return largest ? decltype(top)(0) : decltype(top)(~decltype(top)(0)); };
    constexpr uint16_t top16 = 0x8000;
    constexpr uint32_t top32 = 0x80000000u;
    constexpr uint64_t top64 = uint64_t{1} << 63;
    switch (call.params.in) {
        case DType::b8: {
            const auto flip = static_cast<uint8_t>(largest ? 0 : 0xff);
            const UndoFlip<uint8_t> undo{static_cast<int8_t>(flip)};
            return run_tiles(ExtremeTruth{flip}, ExtremeTruth{flip}, undo, call, p, false, control);
        }
        case DType::u8: return extreme<uint8_t>(turn(uint8_t{}), call, p, control);
        case DType::i8: return extreme<uint8_t>(turn(uint8_t{}) ^ 0x80, call, p, control);
        case DType::i16: return extreme<int16_t>(turn(uint16_t{}), call, p, control);
        case DType::u16: return extreme<int16_t>(turn(uint16_t{}) ^ top16, call, p, control);
        case DType::i32: return extreme<int32_t>(turn(uint32_t{}), call, p, control);
        case DType::u32: return extreme<int32_t>(turn(uint32_t{}) ^ top32, call, p, control);
        case DType::i64: return extreme<int64_t>(turn(uint64_t{}), call, p, control);
        case DType::u64: return extreme<int64_t>(turn(uint64_t{}) ^ top64, call, p, control);
        case DType::f32: return extreme_float<float>(largest, call, p, control);
        case DType::f64: return extreme_float<double>(largest, call, p, control);
        case DType::f16: return extreme_half(largest, 0x7c00, call, p, control);
        case DType::bf16: return extreme_half(largest, 0x7f80, call, p, control);
        default: return false;
    }
}

template <class From, class A, class To, Lift lift, Last last>
bool added(const ForwardCall& call, const Problem& p, Control& control) {
    const Added<From, A, lift> k{};
    return run_tiles(k, k, Rounded<A, To, last>{}, call, p, last == Last::divide, control);
}

template <class From, class A>
bool float_sums(const ForwardCall& call, const Problem& p, Control& control) {
    if (call.reducer == Reducer::avg) return added<From, A, From, Lift::none, Last::divide>(call, p, control);
    if (call.reducer == Reducer::sum) return added<From, A, From, Lift::none, Last::nothing>(call, p, control);
    if (call.params.p == 2.0) return added<From, A, From, Lift::square, Last::root>(call, p, control);
    if (call.params.p == 1.0) return added<From, A, From, Lift::magnitude, Last::nothing>(call, p, control);
    return false;
}

// The largest divisor of a call where it is a count of taps; 0 where one of them is none.
inline double most_taps(const Problem& p, Divisor rule) {
    double most = 1;
    for (const AxisTable* axis : p.axis) {
        const std::vector<int64_t>& by = axis->divisor(rule);
        if (*std::min_element(by.begin(), by.end()) < 1) return 0;
        most *= static_cast<double>(*std::max_element(by.begin(), by.end()));
    }
    return most;
}

template <class A, class T>
bool whole_average(const ForwardCall& call, const Problem& p, Control& control) {
    const Divide divide(p, call.divisor, call.params.number, true);
    int shift = -1;
    if (divide.same()) {
        const auto by = static_cast<uint64_t>(divide.only(p));
        if (std::has_single_bit(by)) shift = std::countr_zero(by);
    }
    const Added<T, A, Lift::none> k{};
    return run_tiles(k, k, HalfEven<A, T>{shift}, call, p, true, control);
}

// Averages of integers whose sums fit into 16 or 32 bits.
inline bool whole_averages(const ForwardCall& call, const Problem& p, uint64_t box, Control& control) {
    if (call.reducer != Reducer::avg || call.params.out != call.params.in || call.divisor == Divisor::number)
        return false;
    const double most = most_taps(p, call.divisor);
    if (most < 1 || most >= 0x1p24) return false;
    switch (call.params.in) {
        case DType::u8:
            if (box <= 256) return whole_average<uint16_t, uint8_t>(call, p, control);
            return box <= (1u << 15) && whole_average<int32_t, uint8_t>(call, p, control);
        case DType::i8:
            if (box <= 256) return whole_average<int16_t, int8_t>(call, p, control);
            return box <= (1u << 15) && whole_average<int32_t, int8_t>(call, p, control);
        case DType::u16: return box <= (1u << 15) && whole_average<int32_t, uint16_t>(call, p, control);
        case DType::i16: return box <= (1u << 15) && whole_average<int32_t, int16_t>(call, p, control);
        default: return false;
    }
}

// Sums, averages and norms; `box` is the number of taps of the largest window.
inline bool sums(const ForwardCall& call, const Problem& p, uint64_t box, Control& control) {
    const DType in = call.params.in;
    if (is_integral(in)) return whole_averages(call, p, box, control);
    if (call.params.out != in || (call.divisor != Divisor::number && most_taps(p, call.divisor) < 1)) return false;
    switch (in) {
        case DType::f32: return float_sums<float, float>(call, p, control);
        case DType::f64: return float_sums<double, double>(call, p, control);
        case DType::f16: return float_sums<F16, float>(call, p, control);
        case DType::bf16: return float_sums<Bf16, float>(call, p, control);
        default: return false;
    }
}

// By way of the target's parts, which are compiled apart.
inline bool values(const ForwardCall& call, const Geometry& g, const Layout& layout, Control& control) {
    for (const AxisTable& axis : g.axis)
        if (axis.out() == 0 || *std::min_element(axis.count.begin(), axis.count.end()) < 1) return false;
    const DType in = call.params.in;
    if (is_complex(in)) return false;
    Problem p;
    if (!stated(g, layout, item_size(in), item_size(call.params.out), p)) return false;
    if (p.planes == 0 || p.c == 0) return true;  // no results at all
    if (kind_of(call.reducer) == Kind::winner) return extremes_part(call.reducer == Reducer::max, call, p, control);
    return sums_part(call, p, g.box(), control);
}
