// sum: all real taps added up.
#pragma once

#include "reducers/common.hpp"

namespace cenote {

template <class Acc>
struct Sum {
    static constexpr bool kTree = true, kDivides = false;

    explicit Sum(const Params&) {}

    void lift(Acc*, int) const {}
    void merge(Acc* a, const Acc* b, int n) const {
        // Integer accumulators are wide enough for every real array, and lowered modulo 2^64 where they wrap.
        for (int i = 0; i < n; ++i) a[i] = a[i] + b[i];
    }
    Acc empty() const { return Acc{}; }
    void finish(Acc*, int, By) const {}
};

}  // namespace cenote
