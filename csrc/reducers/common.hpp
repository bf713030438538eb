// What an engine hands to a reducer, and what every reducer looks like.
//
// A reducer over accumulators Acc has
//   kTree                whether merging order matters for the bits (sums): then the engine keeps to the one tree
//   kDivides             whether `finish`, and so the gradient of a spread kind, divides by the window's divisor
//   lift(v, n)           turn n loaded taps into accumulators, in place
//   merge(a, b, n)       a[i] = a[i] joined with b[i], a being the earlier taps
//   empty()              the value of a window without taps, as accumulator
//   finish(a, n, by)     from accumulator to result, in place; `by` is the divisor of each of the n windows
//   finish_real(...)     where integers may have a float result: the same into doubles, if `to_float` says so
// and, where its kind is winner,
//   identity             the value of a window without taps
//   wins(later, best)    whether a later tap takes the place of the best so far
#pragma once

#include <cstdint>

#include "dtype.hpp"

namespace cenote {

// What a reducer makes of its taps: see ops.def.
enum class Kind : int { winner, spread, norm };

// A call's own parameters, as every reducer is built from them.
struct Params {
    DType in = DType::f32;
    DType out = DType::f32;
    double p = 2.0;
    double number = 1.0;       // the divisor as a real number
    int64_t whole_number = 1;  // the same for integer results, where it is whole
};

// The divisor of one window: a count of taps, or the number that the caller gave.
struct By {
    int64_t whole;
    double real;
};

// value / by in the accumulator's precision; complex numbers part by part.
template <class Acc>
inline Acc divided(Acc value, double by) {
    if constexpr (is_complex_v<Acc>) {
        const auto real = static_cast<typename Acc::value_type>(by);
        return Acc(value.real() / real, value.imag() / real);
    } else {
        return value / static_cast<Acc>(by);
    }
}

}  // namespace cenote
