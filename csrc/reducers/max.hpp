// max: the largest tap. A NaN, once in, stays; the first of equals stays.
#pragma once

#include "reducers/common.hpp"

namespace cenote {

template <class Acc>
struct Max {
    static constexpr bool kTree = false, kDivides = false;
    Acc identity;

    explicit Max(const Params& params) : identity(lowest<Acc>(params.in)) {}

    // Does a later tap replace the best so far? `b != b` is true for NaN alone.
    static bool wins(Acc later, Acc best) { return later > best || later != later; }

    void lift(Acc*, int) const {}
    void merge(Acc* a, const Acc* b, int n) const {
        for (int i = 0; i < n; ++i) a[i] = wins(b[i], a[i]) ? b[i] : a[i];
    }
    Acc empty() const { return identity; }
    void finish(Acc*, int, By) const {}
};

}  // namespace cenote
