// Chooses merging and finishing for a call, and runs its tiles on threads. False: the call is for another engine.
#pragma once

template <class K, class C, class F>
void run_tiles(const K& quick, const C& careful, const F& finish, const ForwardCall& call, const Problem& p,
               bool divides, Control& control) {
    const Tiles tiles = cut<K>(p, call.threads);
    const Divide divide(p, call.divisor, call.params.number, divides);
    const int64_t units = tiles.total(p.axis[0]->out());
    double in = static_cast<double>(p.c * p.planes), out = in;
    for (const AxisTable* axis : p.axis) {
        in *= static_cast<double>(std::min(axis->in, axis->out() * axis->most_taps));
        out *= static_cast<double>(axis->out());
    }
    const double bytes =
        in * static_cast<double>(sizeof(typename K::In)) + out * static_cast<double>(sizeof(typename F::Out));
    const auto nanoseconds = static_cast<int64_t>(std::min(0x1p60, bytes * 0.1 + out * 0.2));
    const bool past_caches = out * static_cast<double>(sizeof(typename F::Out)) >= kPastCaches;
    const auto work =
        static_cast<int64_t>(std::min(0x1p40, 1 + (in + out) / static_cast<double>(std::max<int64_t>(1, units))));
    parallel_for(units, nanoseconds, call.threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
        Finish<F> finisher(finish);
        Values<K, C, F> values(quick, careful, p, tiles, divide, finisher, past_caches, scratch());
        for (int64_t unit = begin; unit < end; ++unit) {
            values.tile(unit);
            if (!ticker.go_on(work)) break;
        }
        if (past_caches) stream_end();
        scratch().trim();
    });
}

template <class T, class B>
void extreme(B flip, const ForwardCall& call, const Problem& p, Control& control) {
    const auto bits = static_cast<Signed<T>>(flip);
    if constexpr (std::is_floating_point_v<T>)
        run_tiles(Extreme<T, false>{bits}, Extreme<T, true>{bits}, UndoFlip<T>{bits}, call, p, false, control);
    else
        run_tiles(Extreme<T, false>{bits}, Extreme<T, false>{bits}, UndoFlip<T>{bits}, call, p, false, control);
}

inline void extreme_half(bool largest, uint16_t infinity, const ForwardCall& call, const Problem& p, Control& control) {
    const auto flip = static_cast<uint16_t>(largest ? 0 : 0x8000);
    run_tiles(ExtremeHalf<false>{flip, infinity}, ExtremeHalf<true>{flip, infinity}, UndoKey{flip}, call, p, false,
              control);
}

inline bool extremes(bool largest, const ForwardCall& call, const Problem& p, Control& control) {
    const auto turn = [&](auto top) { return largest ? decltype(top)(0) : decltype(top)(~decltype(top)(0)); };
    constexpr uint16_t top16 = 0x8000;
    constexpr uint32_t top32 = 0x80000000u;
    constexpr uint64_t top64 = uint64_t{1} << 63;
    switch (call.params.in) {
        case DType::b8:
        case DType::u8: extreme<uint8_t>(turn(uint8_t{}), call, p, control); return true;
        case DType::i8: extreme<uint8_t>(turn(uint8_t{}) ^ 0x80, call, p, control); return true;
        case DType::i16: extreme<int16_t>(turn(uint16_t{}), call, p, control); return true;
        case DType::u16: extreme<int16_t>(turn(uint16_t{}) ^ top16, call, p, control); return true;
        case DType::i32: extreme<int32_t>(turn(uint32_t{}), call, p, control); return true;
        case DType::u32: extreme<int32_t>(turn(uint32_t{}) ^ top32, call, p, control); return true;
        case DType::i64: extreme<int64_t>(turn(uint64_t{}), call, p, control); return true;
        case DType::u64: extreme<int64_t>(turn(uint64_t{}) ^ top64, call, p, control); return true;
        case DType::f32: extreme<float>(largest ? 0u : top32, call, p, control); return true;
        case DType::f64: extreme<double>(largest ? uint64_t{0} : top64, call, p, control); return true;
        case DType::f16: extreme_half(largest, 0x7c00, call, p, control); return true;
        case DType::bf16: extreme_half(largest, 0x7f80, call, p, control); return true;
        default: return false;
    }
}

template <class From, class A, class To, Lift lift, Last last>
bool added(const ForwardCall& call, const Problem& p, Control& control) {
    const Added<From, A, lift> k{};
    run_tiles(k, k, Rounded<A, To, last>{}, call, p, last == Last::divide, control);
    return true;
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
    run_tiles(k, k, HalfEven<A, T>{shift}, call, p, true, control);
    return true;
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

inline bool values(const ForwardCall& call, const Geometry& g, const Layout& layout, Control& control) {
    for (const AxisTable& axis : g.axis)
        if (axis.out() == 0 || *std::min_element(axis.count.begin(), axis.count.end()) < 1) return false;
    const DType in = call.params.in;
    if (is_complex(in)) return false;
    Problem p;
    if (!stated(g, layout, item_size(in), item_size(call.params.out), p)) return false;
    // a row of accumulators has to fit into memory of a thread's own
    const AxisTable& w = *p.axis[2];
    const double longest = static_cast<double>(w.slide.k > 0 ? w.slide.k * w.slide.dilation : w.in);
    if (longest * static_cast<double>(p.c) > 0x1p22) return false;
    if (kind_of(call.reducer) == Kind::winner) return extremes(call.reducer == Reducer::max, call, p, control);
    if (is_integral(in)) return whole_averages(call, p, g.box(), control);
    if (call.params.out != in || (call.divisor != Divisor::number && most_taps(p, call.divisor) < 1)) return false;
    switch (in) {
        case DType::f32: return float_sums<float, float>(call, p, control);
        case DType::f64: return float_sums<double, double>(call, p, control);
        case DType::f16: return float_sums<F16, float>(call, p, control);
        case DType::bf16: return float_sums<Bf16, float>(call, p, control);
        default: return false;
    }
}
