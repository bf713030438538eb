// avg: the sum, divided. Floats divide in their accumulator; integers round the exact quotient half to even.
#pragma once

#include "reducers/sum.hpp"

namespace cenote {

template <class Int>
inline Int divide_half_even(Int total, Int by) {
    Int quotient = total / by, rest = total % by;  // toward zero; rest has the sign of total
    // Sizes with the sign turned: the lowest number has no positive twin.
    const Int size = rest < 0 ? rest : -rest, left = (by < 0 ? by : -by) - size;
    if (size < left || (size == left && (quotient & 1))) quotient += (total < 0) == (by < 0) ? 1 : -1;
    return quotient;
}

template <class Acc>
struct Avg : Sum<Acc> {
    static constexpr bool kDivides = true;
    bool to_float;

    explicit Avg(const Params& params) : Sum<Acc>(params), to_float(!is_integral(params.out)) {}

    void finish(Acc* a, int n, By by) const {
        if constexpr (is_integer_v<Acc>) {
            // A float result of integers is divided where it is stored: see finish_real.
            if (!to_float)
                for (int i = 0; i < n; ++i) a[i] = divide_half_even<Acc>(a[i], static_cast<Acc>(by.whole));
        } else {
            for (int i = 0; i < n; ++i) a[i] = divided(a[i], by.real);
        }
    }

    // Integers to a float result: the exact sum is rounded to double, divided, and rounded to the result.
    void finish_real(const Acc* a, int n, By by, double* out) const {
        if constexpr (is_integer_v<Acc>)
            for (int i = 0; i < n; ++i) out[i] = static_cast<double>(a[i]) / by.real;
    }
};

}  // namespace cenote
