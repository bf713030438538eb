// What of a call does not depend on its memory: the geometry, and the settings of the operator.
#pragma once

#include <nanobind/nanobind.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <vector>

#include "bindings/buffers.hpp"
#include "calls.hpp"

namespace cenote {

// The geometry of a call: one table per pooled axis and which array axes they are. Made once, used from any thread.
struct Plan {
    Geometry geometry;
    std::vector<size_t> axes;

    // axes ascending; tables: (length, start, count, step, padded, window, skipped) per axis
    Plan(const std::vector<size_t>& pooled, nb::list tables) : axes(pooled) {
        const size_t rank = axes.size();
        if (rank < 1 || rank > kMostPooled || nb::len(tables) != rank)
            throw std::invalid_argument("a plan has one to three axes and a table for each");
        for (size_t i = 0; i < rank; ++i) {
            if (i > 0 && axes[i] <= axes[i - 1]) throw std::invalid_argument("axes are ascending");
            AxisTable& axis = geometry.axis[kMostPooled - rank + i];
            nb::tuple row = nb::cast<nb::tuple>(tables[i]);
            if (nb::len(row) != 7) throw std::invalid_argument("an axis has a length and six tables");
            axis.in = nb::cast<int64_t>(row[0]);
            axis.start = table(row[1]);
            axis.count = table(row[2]);
            axis.step = table(row[3]);
            axis.padded = table(row[4]);
            axis.window = table(row[5]);
            axis.skipped = table(row[6]);
        }
        for (AxisTable& axis : geometry.axis) axis.check_and_prepare();
    }

    uint64_t box() const { return geometry.box(); }

    std::optional<size_t> pooled(size_t axis) const {
        for (size_t i = 0; i < axes.size(); ++i)
            if (axes[i] == axis) return kMostPooled - axes.size() + i;
        return std::nullopt;
    }
};

// One array of a call: its memory, and whether its pooled axes have the input's or the output's lengths.
struct Operand {
    const Buffer* buffer;
    bool is_input;
};

inline Layout lay_out(const Plan& plan, std::initializer_list<Operand> given) {
    const Operand* const operands = given.begin();
    Layout layout;
    const size_t ndim = operands[0].buffer->ndim();
    for (size_t axis = 0; axis < ndim; ++axis) {
        const std::optional<size_t> pooled = plan.pooled(axis);
        Loop loop;
        for (size_t a = 0; a < given.size(); ++a) {
            const Buffer* b = operands[a].buffer;
            if (b == nullptr) continue;
            if (b->ndim() != ndim) throw std::invalid_argument("arrays of a call differ in dimensions");
            if (pooled) {
                const AxisTable& t = plan.geometry.axis[*pooled];
                if (b->shape(axis) != (operands[a].is_input ? t.in : t.out()))
                    throw std::invalid_argument("an array does not fit the plan");
                layout.array[a].stride[*pooled] = b->stride(axis);
            } else {
                if (b->shape(axis) != operands[0].buffer->shape(axis))
                    throw std::invalid_argument("arrays of a call differ in shape");
                loop.stride[a] = b->stride(axis);
            }
        }
        if (!pooled) {
            loop.extent = operands[0].buffer->shape(axis);
            layout.outer.push_back(loop);
        }
    }
    if (plan.axes.back() >= ndim) throw std::invalid_argument("the plan pools an axis that the array lacks");
    for (size_t a = 0; a < given.size(); ++a)
        if (operands[a].buffer != nullptr) layout.array[a].data = operands[a].buffer->data();
    return layout;
}

// Says how many threads a call may use; set once, when the module is imported, and never freed.
inline nb::object* thread_source = nullptr;

// Asked only where more than one could be used: the answer may take longer than a small call.
inline int threads_for(int64_t work) {
    if (thread_source == nullptr || work < work_per_thread.load(std::memory_order_relaxed)) return 1;
    return std::max(1, nb::cast<int>((*thread_source)()));
}

// Taps of a call, for an array whose axes that are not pooled have the lengths of `array`.
inline int64_t work_of(const Plan& plan, const Buffer& array) {
    double others = 1;
    for (size_t axis = 0; axis < array.ndim(); ++axis)
        if (!plan.pooled(axis)) others *= static_cast<double>(array.shape(axis));
    return taps_in_all(plan.geometry, static_cast<int64_t>(std::min(others, 0x1p60)), 1);
}

// What of a call does not depend on its arrays.
struct Settings {
    int reducer, in, out;
    double p;
    int divisor;
    double number;
    int64_t whole_number;

    // For about `work` taps.
    ForwardCall call(int64_t work, bool fresh) const {
        if (reducer < 0 || reducer >= kReducers) throw std::invalid_argument("unknown reducer");
        if (divisor < 0 || divisor > static_cast<int>(Divisor::number)) throw std::invalid_argument("unknown divisor");
        Params params;
        params.in = dtype_of(in);
        params.out = dtype_of(out);
        params.p = p;
        params.number = number;
        params.whole_number = whole_number;
        return {static_cast<Reducer>(reducer), params, static_cast<Divisor>(divisor), threads_for(work), fresh};
    }
};

}  // namespace cenote
