// The calls that the bindings (and the native tests) make: run-time types in, templates chosen behind.
#pragma once

#include "dtype.hpp"
#include "engines/layout.hpp"
#include "geometry.hpp"
#include "reducers/common.hpp"
#include "threads/parallel.hpp"

namespace cenote {

enum class Reducer : int {
#define CENOTE_REDUCER(name, type, kind) name,
#include "ops.def"
#undef CENOTE_REDUCER
};

constexpr Kind kKinds[] = {
#define CENOTE_REDUCER(name, type, kind) Kind::kind,
#include "ops.def"
#undef CENOTE_REDUCER
};

constexpr int kReducers = static_cast<int>(sizeof(kKinds) / sizeof(kKinds[0]));

inline Kind kind_of(Reducer reducer) { return kKinds[static_cast<int>(reducer)]; }

struct ForwardCall {
    Reducer reducer;
    Params params;
    Divisor divisor;
    int threads;
    // The result lies in memory that was never written: streaming stores would be slower than plain ones there.
    bool fresh = false;
};

// Values only. Arrays: 0 = x, 1 = y.
void run_forward(const ForwardCall& call, const Geometry& geometry, const Layout& layout, Control& control);

// Values (unless array 1 is null) and positions, of the winner kind; of the norm kind those of the largest |x|.
// Arrays: 0 = x, 1 = y, 2 = positions.
void run_select(const ForwardCall& call, const Geometry& geometry, const Layout& layout, DType position_type,
                Position position, Control& control);

// Arrays: 0 = dx, 1 = g, 2 = offsets (winner; norm at p = infinity) or y (norm), 3 = x (norm).
void run_backward(const ForwardCall& call, const Geometry& geometry, const Layout& layout, DType g_type,
                  DType other_type, Control& control);

}  // namespace cenote
