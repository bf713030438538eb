// Chooses gradient rule and accumulator for a backward call.
#include <cmath>
#include <stdexcept>

#include "calls.hpp"
#include "engines/backward.hpp"

namespace cenote {
namespace {

template <class Acc>
void real_backward(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, DType other_type,
                   Control& control) {
    const char* other = layout.array[2].data;
    const DType dx_type = call.params.in;
    if (call.reducer == Reducer::lp) {
        if (std::isinf(call.params.p))
            return backward<Acc>(ToLargest<Acc>{{other, other_type}}, g, layout, dx_type, g_type, true, call.threads,
                                 control);
        return backward<Acc>(LpShare<Acc>{other, other_type, call.params.p}, g, layout, dx_type, g_type, true,
                             call.threads, control);
    }
    backward<Acc>(ToWinner<Acc>{other, other_type}, g, layout, dx_type, g_type, false, call.threads, control);
}

template <class Acc>
void spread_backward(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type,
                     Control& control) {
    const Divisors divisors{g, call.divisor, {call.params.whole_number, call.params.number}};
    backward<Acc>(Spread<Acc>{divisors, call.reducer == Reducer::avg}, g, layout, call.params.in, g_type, false,
                  call.threads, control);
}

}  // namespace

void run_backward(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, DType other_type,
                  Control& control) {
    const DType in = call.params.in;
    if (is_integral(in) || is_integral(g_type)) throw std::invalid_argument("integers have no gradient");
    const bool wide = is_double(in) || is_double(g_type);
    if (call.reducer == Reducer::avg || call.reducer == Reducer::sum) {
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
