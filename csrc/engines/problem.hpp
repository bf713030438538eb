// A forward call as the vector engines see it: one contiguous axis, up to three pooled axes, and planes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engines/layout.hpp"
#include "geometry.hpp"

namespace cenote {

// What is pooled is a number of planes, each D x H rows of W cells of C elements. Everything about memory is in bytes.
struct Problem {
    static constexpr int kMostLoops = 8;

    int64_t c = 1;  // elements that lie side by side in every cell and are pooled alike
    const AxisTable* axis[kMostPooled];
    Array x, y;
    int loops = 0;
    Loop loop[kMostLoops];  // the planes, outermost first
    int64_t planes = 1;
    const char *x_begin = nullptr, *x_end = nullptr;  // all bytes of x lie between
    bool x_rows = false, y_rows = false;              // the cells of a row follow one another without a gap

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

// False where the arrays have more loops than a problem holds.
inline bool stated(const Geometry& g, const Layout& layout, int64_t x_item, int64_t y_item, Problem& p) {
    Loops loops;
    for (const Loop& l : layout.outer)
        if (l.extent != 1) loops.push_back(l);
    p.x = layout.array[0], p.y = layout.array[1];
    for (int a = 0; a < kMostPooled; ++a) p.axis[a] = &g.axis[static_cast<size_t>(a)];

    int64_t low = 0, high = x_item;
    const auto reach = [&](int64_t stride, int64_t extent) { (stride < 0 ? low : high) += stride * (extent - 1); };
    for (const Loop& l : loops) reach(l.stride[0], l.extent);
    for (size_t a = 0; a < kMostPooled; ++a) reach(p.x.stride[a], g.axis[a].in);
    p.x_begin = p.x.data + low, p.x_end = p.x.data + high;

    // Axes that lie side by side in both arrays, innermost first, become the elements of a cell; an axis whose windows
    // are its own cells is no pooled axis at all.
    const auto take = [&](int64_t x_stride, int64_t y_stride, int64_t extent) {
        if (x_stride != p.c * x_item || y_stride != p.c * y_item) return false;
        p.c *= extent;
        return true;
    };
    for (bool found = true; found;) {
        found = false;
        for (size_t i = 0; i < loops.size() && !found; ++i)
            if (take(loops[i].stride[0], loops[i].stride[1], loops[i].extent)) {
                loops.erase(i);
                found = true;
            }
        for (size_t a = 0; a < kMostPooled && !found; ++a)
            if (p.axis[a]->identity && p.axis[a]->in > 1 && take(p.x.stride[a], p.y.stride[a], p.axis[a]->in)) {
                p.axis[a] = &single_cell();
                found = true;
            }
    }
    for (size_t a = 0; a < kMostPooled; ++a)
        if (p.axis[a]->identity && p.axis[a]->in > 1) {
            Loop l;
            l.extent = p.axis[a]->in, l.stride[0] = p.x.stride[a], l.stride[1] = p.y.stride[a];
            loops.push_back(l);
            p.axis[a] = &single_cell();
        }
    // The last pooled axis that is left becomes W, its outer neighbour H: their order is kept.
    for (int a = kMostPooled - 1; a > 0; --a) {
        int b = a;
        while (b > 0 && p.axis[b]->identity && p.axis[b]->in == 1) --b;
        if (b == a) continue;
        std::swap(p.axis[a], p.axis[b]);
        std::swap(p.x.stride[static_cast<size_t>(a)], p.x.stride[static_cast<size_t>(b)]);
        std::swap(p.y.stride[static_cast<size_t>(a)], p.y.stride[static_cast<size_t>(b)]);
    }
    // Loops that continue one another are one loop.
    for (size_t i = 0; i + 1 < loops.size();) {
        const Loop outer = loops[i];
        Loop inner = loops[i + 1];
        if (outer.stride[0] == inner.stride[0] * inner.extent && outer.stride[1] == inner.stride[1] * inner.extent) {
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
    p.x_rows = p.axis[2]->in == 1 || p.x.stride[2] == p.c * x_item;
    p.y_rows = p.axis[2]->out() == 1 || p.y.stride[2] == p.c * y_item;
    return true;
}

}  // namespace cenote
