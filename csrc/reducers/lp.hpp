// lp: (sum |x|^p)^(1/p). p = 1, 2 and infinity need no power function and are exact IEEE operations.
#pragma once

#include <cmath>

#include "reducers/common.hpp"

namespace cenote {

template <class Acc>
struct Lp {
    static constexpr bool kTree = true, kDivides = false;
    Acc p, inverse;
    enum class Power { one, two, any, inf } power;

    explicit Lp(const Params& params)
        : p(static_cast<Acc>(params.p)),
          inverse(static_cast<Acc>(1.0 / params.p)),
          power(params.p == 1.0        ? Power::one
                : params.p == 2.0      ? Power::two
                : std::isinf(params.p) ? Power::inf
                                       : Power::any) {}

    void lift(Acc* v, int n) const {
        switch (power) {
            case Power::two:
                for (int i = 0; i < n; ++i) v[i] = v[i] * v[i];
                return;
            case Power::any:
                for (int i = 0; i < n; ++i) v[i] = std::pow(std::abs(v[i]), p);
                return;
            default:
                for (int i = 0; i < n; ++i) v[i] = std::abs(v[i]);
        }
    }

    void merge(Acc* a, const Acc* b, int n) const {
        if (power == Power::inf)
            for (int i = 0; i < n; ++i) a[i] = (b[i] > a[i] || b[i] != b[i]) ? b[i] : a[i];
        else
            for (int i = 0; i < n; ++i) a[i] = a[i] + b[i];
    }

    Acc empty() const { return Acc(0); }

    void finish(Acc* a, int n, By) const {
        if (power == Power::two)
            for (int i = 0; i < n; ++i) a[i] = std::sqrt(a[i]);
        else if (power == Power::any)
            for (int i = 0; i < n; ++i) a[i] = std::pow(a[i], inverse);
    }
};

// The largest |x|, for the selecting engine alone: where the gradient of p = infinity goes.
template <class Acc>
struct MaxAbs {
    Acc identity = Acc(0);
    explicit MaxAbs(const Params&) {}
    static bool wins(Acc later, Acc best) { return later > best || later != later; }
    void lift(Acc* v, int n) const {
        for (int i = 0; i < n; ++i) v[i] = std::abs(v[i]);
    }
};

}  // namespace cenote
