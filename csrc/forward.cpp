// Chooses reducer and accumulator for a forward call.
#include <stdexcept>

#include "calls.hpp"
#include "engines/select.hpp"
#include "engines/window.hpp"
#include "reducers/all.hpp"
#include "simd/targets.hpp"

namespace cenote {
namespace {

template <template <class> class R, class Acc>
void values_as(const ForwardCall& call, const Geometry& g, const Layout& layout, Control& control) {
    const Divisors divisors{g, call.divisor, {call.params.whole_number, call.params.number}};
    forward_values<R<Acc>, Acc>(R<Acc>(call.params), g, layout, call.params.in, call.params.out, divisors, call.threads,
                                control);
}

// The accumulator that compares values of a type: every value fits, and order is kept.
template <class Run>
void with_ordered(DType in, const Run& run) {
    if (is_complex(in)) throw std::invalid_argument("complex values have no order");
    if (in == DType::f64) return run(double{});
    if (!is_integral(in)) return run(float{});
    if (in == DType::u64) return run(uint64_t{});
    run(int64_t{});
}

// The accumulator that adds values of a type.
template <class Run>
void with_summing(const Params& params, const Geometry& g, const Run& run) {
    const bool wide = is_double(params.in) || is_double(params.out);
    if (is_complex(params.in)) return wide ? run(c128{}) : run(c64{});
    if (!is_integral(params.in)) return wide ? run(double{}) : run(float{});
    // 2^31 taps of 32 bits still fit into 63.
    if (item_size(params.in) < 8 && g.box() <= (uint64_t{1} << 31)) return run(int64_t{});
    run(int128{});
}

// The accumulator that adds powers of values of a type.
template <class Run>
void with_powers(const Params& params, const Run& run) {
    if (is_complex(params.in)) throw std::invalid_argument("no norm of complex values");
    if (is_double(params.in) || is_double(params.out)) return run(double{});
    run(float{});
}

template <template <class> class R, Kind kind>
void values(const ForwardCall& call, const Geometry& g, const Layout& layout, Control& control) {
    const auto as = [&](auto acc) { values_as<R, decltype(acc)>(call, g, layout, control); };
    if constexpr (kind == Kind::winner)
        with_ordered(call.params.in, as);
    else if constexpr (kind == Kind::norm)
        with_powers(call.params, as);
    else
        with_summing(call.params, g, as);
}

// A norm has a winner for p = infinity alone, and it is wanted for the gradient of floats.
template <template <class> class R, Kind kind>
void select(const ForwardCall& call, const Geometry& g, const Layout& layout, DType position_type, Position position,
            Control& control) {
    const auto with = [&](auto reducer, auto acc) {
        forward_select<decltype(reducer), decltype(acc)>(reducer, g, layout, call.params.in, position_type, position,
                                                         call.threads, control);
    };
    if constexpr (kind == Kind::winner)
        with_ordered(call.params.in, [&](auto acc) { with(R<decltype(acc)>(call.params), acc); });
    else if constexpr (kind == Kind::norm) {
        if (is_integral(call.params.in)) throw std::invalid_argument("integers have no gradient");
        with_powers({call.params.in, call.params.in}, [&](auto acc) { with(MaxAbs<decltype(acc)>(call.params), acc); });
    } else
        throw std::invalid_argument("this reducer selects no tap");
}

}  // namespace

void run_forward(const ForwardCall& call, const Geometry& g, const Layout& layout, Control& control) {
    if (call.divisor == Divisor::number && call.params.whole_number == 0 && is_integral(call.params.out))
        throw std::invalid_argument("an integer average by 0");
    if (target().values(call, g, layout, control)) return;
    switch (call.reducer) {
#define CENOTE_REDUCER(name, type, kind) \
    case Reducer::name: return values<type, Kind::kind>(call, g, layout, control);
#include "ops.def"
#undef CENOTE_REDUCER
    }
}

void run_select(const ForwardCall& call, const Geometry& g, const Layout& layout, DType position_type,
                Position position, Control& control) {
    if (target().select(call, g, layout, position_type, position, control)) return;
    switch (call.reducer) {
#define CENOTE_REDUCER(name, type, kind) \
    case Reducer::name: return select<type, Kind::kind>(call, g, layout, position_type, position, control);
#include "ops.def"
#undef CENOTE_REDUCER
    }
}

}  // namespace cenote
