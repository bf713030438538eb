// XLA's buffers as the kernels see memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <vector>

#include "bindings/xla_plan.hpp"
#include "dtype.hpp"
#include "engines/layout.hpp"
#include "xla/ffi/api/ffi.h"

namespace cenote {

inline DType type_of(const xla::ffi::AnyBuffer& buffer) {
    using xla::ffi::DataType;
    switch (buffer.element_type()) {
        case DataType::PRED: return DType::b8;
        case DataType::S8: return DType::i8;
        case DataType::S16: return DType::i16;
        case DataType::S32: return DType::i32;
        case DataType::S64: return DType::i64;
        case DataType::U8: return DType::u8;
        case DataType::U16: return DType::u16;
        case DataType::U32: return DType::u32;
        case DataType::U64: return DType::u64;
        case DataType::F16: return DType::f16;
        case DataType::BF16: return DType::bf16;
        case DataType::F32: return DType::f32;
        case DataType::F64: return DType::f64;
        case DataType::C64: return DType::c64;
        case DataType::C128: return DType::c128;
        default: throw std::invalid_argument("no kernel takes this element type");
    }
}

// What a buffer is in its call. Inputs may lack axes in front that others have: then the same cells serve all of them.
enum class Role { none, cells, cells_out, outputs, outputs_out };

// A buffer, dense and row-major as XLA gives it.
struct Operand {
    Role role = Role::none;
    const xla::ffi::AnyBuffer* buffer = nullptr;
    int64_t item = 0;  // bytes of an element, where they are not the buffer's own

    bool has_input_lengths() const { return role == Role::cells || role == Role::cells_out; }
    bool is_written() const { return role == Role::cells_out || role == Role::outputs_out; }
};

inline Layout lay_out(const XlaPlan& plan, std::initializer_list<Operand> operands) {
    size_t ndim = 0;
    for (const Operand& o : operands)
        if (o.buffer != nullptr) ndim = std::max(ndim, o.buffer->dimensions().size());
    std::vector<Loop> loops(ndim);
    for (Loop& loop : loops) loop.extent = -1;
    Layout layout;
    size_t a = 0;
    for (const Operand& o : operands) {
        const size_t number = a++;
        if (o.buffer == nullptr) continue;
        const auto dims = o.buffer->dimensions();
        const size_t n = dims.size();
        if (n < static_cast<size_t>(plan.from_end[0])) throw std::invalid_argument("an array lacks a pooled axis");
        if (o.is_written() && n != ndim) throw std::invalid_argument("a result lacks an axis");
        int64_t stride = o.item != 0 ? o.item : item_size(type_of(*o.buffer));
        for (size_t from_end = 1; from_end <= n; ++from_end) {
            const int64_t extent = dims[n - from_end];
            const int pooled = plan.pooled(static_cast<int64_t>(from_end));
            if (pooled >= 0) {
                const auto axis = static_cast<size_t>(pooled);
                const AxisTable& table = plan.geometry.axis[axis];
                if (extent != (o.has_input_lengths() ? table.in : table.out()))
                    throw std::invalid_argument("an array does not fit the plan");
                layout.array[number].stride[axis] = stride;
            } else {
                Loop& loop = loops[ndim - from_end];
                if (loop.extent >= 0 && loop.extent != extent)
                    throw std::invalid_argument("arrays of a call differ in shape");
                loop.extent = extent;
                loop.stride[number] = stride;
            }
            stride *= extent;
        }
        layout.array[number].data = static_cast<char*>(o.buffer->untyped_data());
    }
    for (size_t axis = 0; axis < ndim; ++axis)
        if (plan.pooled(static_cast<int64_t>(ndim - axis)) < 0) layout.outer.push_back(loops[axis]);
    return layout;
}

// Taps of a call.
inline int64_t work_of(const XlaPlan& plan, const Layout& layout) {
    double others = 1;
    for (const Loop& loop : layout.outer) others *= static_cast<double>(loop.extent);
    return taps_in_all(plan.geometry, static_cast<int64_t>(std::min(others, 0x1p60)), 1);
}

}  // namespace cenote
