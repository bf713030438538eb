// What an engine hands to a reducer, and what every reducer looks like.
//
// A reducer over accumulators Acc has
//   kTree                whether merging order matters for the bits (sums): then the engine keeps to the one tree
//   lift(v, n)           turn n loaded taps into accumulators, in place
//   merge(a, b, n)       a[i] = a[i] joined with b[i], a being the earlier taps
//   empty()              the value of a window without taps, as accumulator
//   finish(a, n, by)     from accumulator to result, in place; `by` is the divisor of each of the n windows
// and, where it selects a tap,
//   identity             the value of a window without taps
//   wins(later, best)    whether a later tap takes the place of the best so far
#pragma once

#include <cstdint>

#include "dtype.hpp"

namespace cenote {

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

}  // namespace cenote
