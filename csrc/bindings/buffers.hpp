// Arrays as memory: address, shape and byte strides, by the buffer protocol.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include "dtype.hpp"

namespace cenote {

namespace nb = nanobind;

// A borrowed view of an array's memory, held for the length of a call. Only address, shape and strides are read:
// element types arrive as codes, because not every NumPy dtype has a buffer format.
class Buffer {
public:
    Buffer(nb::handle object, bool writable) {
        const int flags = PyBUF_STRIDES | (writable ? PyBUF_WRITABLE : 0);
        if (PyObject_GetBuffer(object.ptr(), &view_, flags) != 0) throw nb::python_error();
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { PyBuffer_Release(&view_); }

    char* data() const { return static_cast<char*>(view_.buf); }
    size_t ndim() const { return static_cast<size_t>(view_.ndim); }
    int64_t shape(size_t i) const { return view_.shape[i]; }
    int64_t stride(size_t i) const { return view_.strides[i]; }
    int64_t item() const { return view_.itemsize; }
    bool readonly() const { return view_.readonly != 0; }

    // False for every slice or transpose of an ordinary array; true for broadcasts and the like.
    bool may_overlap_itself() const {
        std::array<int, 64> order;
        size_t n = 0;
        for (size_t i = 0; i < ndim(); ++i) {
            if (shape(i) == 0) return false;
            if (shape(i) == 1 || n == order.size()) continue;
            size_t at = n++;
            for (; at > 0 && distance(static_cast<size_t>(order[at - 1])) > distance(i); --at)
                order[at] = order[at - 1];
            order[at] = static_cast<int>(i);
        }
        int64_t reach = 0;
        for (size_t k = 0; k < n; ++k) {
            const auto i = static_cast<size_t>(order[k]);
            if (distance(i) < reach + item()) return true;
            reach += distance(i) * (shape(i) - 1);
        }
        return false;
    }

    // Do the stretches of memory from first to last byte meet?
    bool may_overlap(const Buffer& other) const {
        const auto [begin, end] = stretch();
        const auto [from, to] = other.stretch();
        return begin < to && from < end;
    }

private:
    int64_t distance(size_t i) const { return stride(i) < 0 ? -stride(i) : stride(i); }

    std::pair<intptr_t, intptr_t> stretch() const {
        auto begin = reinterpret_cast<intptr_t>(view_.buf), end = begin;
        for (size_t i = 0; i < ndim(); ++i) {
            if (shape(i) == 0) return {0, 0};
            (stride(i) < 0 ? begin : end) += stride(i) * (shape(i) - 1);
        }
        return {begin, end + item()};
    }

    Py_buffer view_;
};

inline std::vector<int64_t> table(nb::handle object) {
    const Buffer buffer(object, false);
    if (buffer.ndim() != 1 || buffer.item() != 8) throw std::invalid_argument("axis tables are one-dimensional int64");
    std::vector<int64_t> values(static_cast<size_t>(buffer.shape(0)));
    for (size_t i = 0; i < values.size(); ++i)
        values[i] = peek<int64_t>(buffer.data() + static_cast<int64_t>(i) * buffer.stride(0));
    return values;
}

inline DType dtype_of(int code) {
    if (code < 0 || code >= kDTypes) throw std::invalid_argument("unknown dtype code");
    return static_cast<DType>(code);
}

inline void check_item(const Buffer& buffer, DType type) {
    if (buffer.item() != item_size(type)) throw std::invalid_argument("an array's item size does not fit its dtype");
}

}  // namespace cenote
