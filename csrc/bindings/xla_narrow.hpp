// Indices of 32 bits from engines that write 64.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bindings/kernels.hpp"
#include "bindings/xla_layout.hpp"
#include "bindings/xla_plan.hpp"

namespace cenote {

// The number, among the axes that are not pooled, of the outermost axis that is longer than one, if no pooled axis lies
// outside it: slabs along it are contiguous in every array. -1 where there is none.
inline int slab_axis(const XlaPlan& plan, const xla::ffi::AnyBuffer& array) {
    const auto dims = array.dimensions();
    for (size_t axis = 0; axis < dims.size(); ++axis) {
        if (plan.pooled(static_cast<int64_t>(dims.size() - axis)) >= 0) return -1;
        if (dims[axis] > 1) return static_cast<int>(axis);
    }
    return -1;
}

// `layout` has the strides of 64-bit indices. They are written some slabs of the arrays at a time into a little memory
// that stays in the caches, and narrowed from there.
inline bool select_narrow(const Kernels& core, const ForwardCall& call, const XlaPlan& plan, Layout layout,
                          const xla::ffi::AnyBuffer& indices, std::string& why) {
    constexpr int64_t kAtOnce = 1 << 17;  // indices
    const auto all = static_cast<int64_t>(indices.element_count());
    const int axis = slab_axis(plan, indices);
    const auto number = static_cast<size_t>(std::max(0, axis));
    const int64_t slabs = axis < 0 ? 1 : layout.outer[number].extent, slab = all / slabs;
    const int64_t at_once = std::clamp<int64_t>(kAtOnce / slab, 1, slabs);

    static thread_local std::vector<int64_t> kept;
    std::vector<int64_t> large;
    std::vector<int64_t>& wide = slab * at_once <= kAtOnce ? kept : large;
    if (static_cast<int64_t>(wide.size()) < slab * at_once) wide.resize(static_cast<size_t>(slab * at_once));
    char* to = layout.array[2].data;
    layout.array[2].data = reinterpret_cast<char*>(wide.data());
    for (int64_t first = 0; first < slabs; first += at_once) {
        const int64_t n = std::min(at_once, slabs - first);
        if (axis >= 0) {
            Loop loop = layout.outer[number];
            loop.extent = n;
            layout.outer.replace(number, loop);
        }
        if (!core.select(call, plan.geometry, layout, DType::i64, Position::indices, why)) return false;
        if (!core.narrow(wide.data(), to, slab * n, core.threads(slab * n), why)) return false;
        to += 4 * slab * n;
        if (axis >= 0)
            for (size_t a = 0; a < 2; ++a) layout.array[a].data += layout.outer[number].stride[a] * n;
    }
    return true;
}

}  // namespace cenote
