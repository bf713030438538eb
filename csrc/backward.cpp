// Chooses gradient rule and accumulator for a backward call.
#include <cmath>
#include <stdexcept>

#include "calls.hpp"
#include "engines/backward.hpp"
#include "reducers/all.hpp"
#include "simd/targets.hpp"

namespace cenote {
namespace {

template <class Acc, class Rule>
void with_rule(const Rule& rule, const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type,
               DType other_type, Control& control) {
    Backward<Acc, Rule>(rule, g, layout, call.params.in, g_type, other_type).run(call.threads, control);
}

template <class Acc>
void real_backward(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, DType other_type,
                   Control& control) {
    if (kind_of(call.reducer) == Kind::winner)
        with_rule<Acc>(ToWinner<Acc, false>{}, call, g, layout, g_type, other_type, control);
    else if (std::isinf(call.params.p))
        with_rule<Acc>(ToWinner<Acc, true>{}, call, g, layout, g_type, other_type, control);
    else
        with_rule<Acc>(LpShare<Acc>{call.params.p}, call, g, layout, g_type, other_type, control);
}

bool divides(Reducer reducer) {
    switch (reducer) {
#define CENOTE_REDUCER(name, type, kind) \
    case Reducer::name: return type<float>::kDivides;
#include "ops.def"
#undef CENOTE_REDUCER
    }
    return false;
}

template <class Acc>
void spread_backward(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, Control& control) {
    const Divisors divisors{g, call.divisor, {call.params.whole_number, call.params.number}};
    with_rule<Acc>(Spread<Acc>{divisors, divides(call.reducer)}, call, g, layout, g_type, g_type, control);
}

}  // namespace

void run_backward(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, DType other_type,
                  Control& control) {
    const DType in = call.params.in;
    if (is_integral(in) || is_integral(g_type)) throw std::invalid_argument("integers have no gradient");
    const bool wide = is_double(in) || is_double(g_type);
    if (target().backward(call, g, layout, g_type, other_type, control)) return;
    if (kind_of(call.reducer) == Kind::spread) {
        if (is_complex(in) || is_complex(g_type))
            return wide ? spread_backward<c128>(call, g, layout, g_type, control)
                        : spread_backward<c64>(call, g, layout, g_type, control);
        return wide ? spread_backward<double>(call, g, layout, g_type, control)
                    : spread_backward<float>(call, g, layout, g_type, control);
    }
    if (is_complex(in) || is_complex(g_type)) throw std::invalid_argument("complex values have no order");
    return wide ? real_backward<double>(call, g, layout, g_type, other_type, control)
                : real_backward<float>(call, g, layout, g_type, other_type, control);
}

}  // namespace cenote
