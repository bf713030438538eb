// A forward call as the vector engines see it: one contiguous axis, up to three pooled axes, and planes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "engines/layout.hpp"
#include "geometry.hpp"

namespace cenote {

// What is pooled is a number of planes, each D x H rows of W cells of C elements. Everything about memory is in bytes.
struct Problem {
    static constexpr int kMostLoops = 8;

    int64_t c = 1;  // elements that lie side by side in every cell and are pooled alike
    const AxisTable* axis[kMostPooled];
    std::array<Array, kMostArrays> array;  // arrays 0 and 3 have the cells of the input, the others those of the output
    Array x, y;                            // arrays 0 and 1
    int loops = 0;
    Loop loop[kMostLoops];  // the planes, outermost first
    int64_t planes = 1;
    std::array<const char*, kMostArrays> begin{}, end{};  // all bytes of an array lie between
    std::array<bool, kMostArrays> rows{};                 // the cells of a row follow one another without a gap
    const char *x_begin = nullptr, *x_end = nullptr;
    bool x_rows = false, y_rows = false;

    int64_t plane(int64_t index, int a) const {
        int64_t bytes = 0;
        for (int i = loops; i-- > 0;) {
            if (i == 0) return bytes + index * loop[0].stride[static_cast<size_t>(a)];
            bytes += (index % loop[i].extent) * loop[i].stride[static_cast<size_t>(a)];
            index /= loop[i].extent;
        }
        return bytes;
    }
};

inline const AxisTable& single_cell() {
    static const AxisTable table;
    return table;
}

// Arrays whose items have no size are not there. An axis whose windows are its own cells is no pooled axis, unless
// `keep_axes` says that places along it are asked for. False where the arrays have more loops than a problem holds.
inline bool stated(const Geometry& g, const Layout& layout, const std::array<int64_t, kMostArrays>& item,
                   bool keep_axes, Problem& p) {
    Loops loops;
    for (const Loop& l : layout.outer)
        if (l.extent != 1) loops.push_back(l);
    p.array = layout.array;
    for (int a = 0; a < kMostPooled; ++a) p.axis[a] = &g.axis[static_cast<size_t>(a)];
    const auto cells = [&](size_t array, const AxisTable& axis) {
        return array == 0 || array == 3 ? axis.in : axis.out();
    };

    for (size_t i = 0; i < kMostArrays; ++i) {
        if (item[i] == 0) continue;
        int64_t low = 0, high = item[i];
        const auto reach = [&](int64_t stride, int64_t extent) { (stride < 0 ? low : high) += stride * (extent - 1); };
        for (const Loop& l : loops) reach(l.stride[i], l.extent);
        for (size_t a = 0; a < kMostPooled; ++a) reach(p.array[i].stride[a], cells(i, g.axis[a]));
        p.begin[i] = p.array[i].data + low, p.end[i] = p.array[i].data + high;
    }

    // Axes that lie side by side in all arrays, innermost first, become the elements of a cell.
    const auto all = [&](const auto& holds) {
        for (size_t i = 0; i < kMostArrays; ++i)
            if (item[i] != 0 && !holds(i)) return false;
        return true;
    };
    const auto take = [&](const std::array<int64_t, kMostArrays>& stride, int64_t extent) {
        if (!all([&](size_t i) { return stride[i] == p.c * item[i]; })) return false;
        p.c *= extent;
        return true;
    };
    const auto along = [&](size_t a) {
        Loop l;
        l.extent = p.axis[a]->in;
        for (size_t i = 0; i < kMostArrays; ++i) l.stride[i] = p.array[i].stride[a];
        return l;
    };
    const auto no_axis = [&](size_t a) { return !keep_axes && p.axis[a]->identity && p.axis[a]->in > 1; };
    for (bool found = true; found;) {
        found = false;
        for (size_t i = 0; i < loops.size() && !found; ++i)
            if (take(loops[i].stride, loops[i].extent)) {
                loops.erase(i);
                found = true;
            }
        for (size_t a = 0; a < kMostPooled && !found; ++a)
            if (no_axis(a) && take(along(a).stride, p.axis[a]->in)) {
                p.axis[a] = &single_cell();
                found = true;
            }
    }
    for (size_t a = 0; a < kMostPooled; ++a)
        if (no_axis(a)) {
            loops.push_back(along(a));
            p.axis[a] = &single_cell();
        }
    // The last pooled axis that is left becomes W, its outer neighbour H: their order is kept.
    for (int a = kMostPooled - 1; a > 0; --a) {
        int b = a;
        while (b > 0 && p.axis[b]->identity && p.axis[b]->in == 1) --b;
        if (b == a) continue;
        std::swap(p.axis[a], p.axis[b]);
        for (Array& array : p.array)
            std::swap(array.stride[static_cast<size_t>(a)], array.stride[static_cast<size_t>(b)]);
    }
    // Loops that continue one another are one loop.
    for (size_t i = 0; i + 1 < loops.size();) {
        const Loop outer = loops[i];
        Loop inner = loops[i + 1];
        if (all([&](size_t a) { return outer.stride[a] == inner.stride[a] * inner.extent; })) {
            inner.extent *= outer.extent;
            loops.replace(i + 1, inner);
            loops.erase(i);
        } else
            ++i;
    }
    if (loops.size() > Problem::kMostLoops) return false;
    for (const Loop& l : loops) {
        p.loop[p.loops++] = l;
        p.planes *= l.extent;
    }
    for (size_t i = 0; i < kMostArrays; ++i)
        p.rows[i] = cells(i, *p.axis[2]) == 1 || p.array[i].stride[2] == p.c * item[i];
    p.x = p.array[0], p.y = p.array[1];
    p.x_begin = p.begin[0], p.x_end = p.end[0], p.x_rows = p.rows[0], p.y_rows = p.rows[1];
    return true;
}

inline bool stated(const Geometry& g, const Layout& layout, int64_t x_item, int64_t y_item, Problem& p) {
    return stated(g, layout, {x_item, y_item, 0, 0}, false, p);
}

}  // namespace cenote
