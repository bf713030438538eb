// The calls that the bindings (and the native tests) make: run-time types in, templates chosen behind.
#pragma once

#include "dtype.hpp"
#include "engines/layout.hpp"
#include "geometry.hpp"
#include "reducers/common.hpp"
#include "threads/parallel.hpp"

namespace cenote {

enum class Reducer : int {
#define CENOTE_REDUCER(name, type, selects) name,
#include "ops.def"
#undef CENOTE_REDUCER
};

struct ForwardCall {
    Reducer reducer;
    Params params;
    Divisor divisor;
    int threads;
};

// Values only. Arrays: 0 = x, 1 = y.
void run_forward(const ForwardCall& call, const Geometry& geometry, const Layout& layout, Control& control);

// Values (unless array 1 is null) and positions. Arrays: 0 = x, 1 = y, 2 = positions. lp with p = infinity selects the
// largest |x|.
void run_select(const ForwardCall& call, const Geometry& geometry, const Layout& layout, DType position_type,
                Position position, Control& control);

// Arrays: 0 = dx, 1 = g, 2 = offsets (max, min, lp at p = infinity) or y (lp), 3 = x (lp).
void run_backward(const ForwardCall& call, const Geometry& geometry, const Layout& layout, DType g_type,
                  DType other_type, Control& control);

}  // namespace cenote
