// Chooses reducer and accumulator for a forward call.
#include <stdexcept>

#include "calls.hpp"
#include "engines/select.hpp"
#include "engines/window.hpp"
#include "reducers/avg.hpp"
#include "reducers/lp.hpp"
#include "reducers/max.hpp"
#include "reducers/min.hpp"
#include "reducers/sum.hpp"

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

template <template <class> class R>
struct Values {
    // Which accumulators a reducer is compiled for follows from what it does with its taps.
    static void run(const ForwardCall& call, const Geometry& g, const Layout& layout, Control& control) {
        const auto as = [&](auto acc) { values_as<R, decltype(acc)>(call, g, layout, control); };
        if constexpr (!R<float>::kTree)
            with_ordered(call.params.in, as);
        else if constexpr (requires(R<float> r) { r.inverse; }) {
            if (is_complex(call.params.in)) throw std::invalid_argument("no norm of complex values");
            if (is_double(call.params.in) || is_double(call.params.out))
                as(double{});
            else
                as(float{});
        } else
            with_summing(call.params, g, as);
    }
};

template <template <class> class R>
void select_with(const ForwardCall& call, const Geometry& g, const Layout& layout, DType position_type,
                 Position position, Control& control) {
    with_ordered(call.params.in, [&](auto acc) {
        using Acc = decltype(acc);
        forward_select<R<Acc>, Acc>(R<Acc>(call.params), g, layout, call.params.in, position_type, position,
                                    call.threads, control);
    });
}

template <template <class> class R, bool selects>
void select_if(const ForwardCall& call, const Geometry& g, const Layout& layout, DType position_type, Position position,
               Control& control) {
    if constexpr (selects)
        select_with<R>(call, g, layout, position_type, position, control);
    else
        throw std::invalid_argument("this reducer selects no tap");
}

}  // namespace

void run_forward(const ForwardCall& call, const Geometry& g, const Layout& layout, Control& control) {
    if (call.divisor == Divisor::number && call.params.whole_number == 0 && is_integral(call.params.out))
        throw std::invalid_argument("an integer average by 0");
    switch (call.reducer) {
#define CENOTE_REDUCER(name, type, selects) \
    case Reducer::name: return Values<type>::run(call, g, layout, control);
#include "ops.def"
#undef CENOTE_REDUCER
    }
}

void run_select(const ForwardCall& call, const Geometry& g, const Layout& layout, DType position_type,
                Position position, Control& control) {
    if (call.reducer == Reducer::lp) {
        if (is_integral(call.params.in)) throw std::invalid_argument("integers have no gradient");
        if (is_complex(call.params.in)) throw std::invalid_argument("no norm of complex values");
        if (call.params.in == DType::f64) {
            forward_select<MaxAbs<double>, double>(MaxAbs<double>(call.params), g, layout, call.params.in,
                                                   position_type, position, call.threads, control);
        } else {
            forward_select<MaxAbs<float>, float>(MaxAbs<float>(call.params), g, layout, call.params.in, position_type,
                                                 position, call.threads, control);
        }
        return;
    }
    switch (call.reducer) {
#define CENOTE_REDUCER(name, type, selects) \
    case Reducer::name: return select_if<type, selects>(call, g, layout, position_type, position, control);
#include "ops.def"
#undef CENOTE_REDUCER
    }
}

}  // namespace cenote
