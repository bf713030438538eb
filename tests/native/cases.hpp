// Random calls: axis tables written from the contract, and arrays in exactly the memory that their strides reach, so
// that the address sanitizer sees every byte touched outside.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "calls.hpp"
#include "numbers.hpp"
#include "simd/targets.hpp"

namespace cases {

using namespace cenote;
using check::Random;
using Index = std::vector<int64_t>;

// CENOTE_TARGET asks for a CPU target, as it does in Python.
inline void use_forced_target() {
    if (const char* name = std::getenv("CENOTE_TARGET")) {
        if (!choose_target(name)) std::printf("CENOTE_TARGET: %s is not usable here\n", name), std::exit(1);
        CHECK(target().name == std::string(name));
    }
    std::printf("target %s\n", target().name);
}

inline void add(AxisTable& t, const std::vector<int64_t>& taps, int64_t padded, int64_t window, int64_t skipped = 0) {
    t.start.push_back(taps.empty() ? 0 : taps[0]);
    t.count.push_back(static_cast<int64_t>(taps.size()));
    t.step.push_back(taps.size() > 1 ? taps[1] - taps[0] : 1);
    t.padded.push_back(padded);
    t.window.push_back(window);
    t.skipped.push_back(skipped);
}

inline AxisTable bare(int64_t length) {
    AxisTable t;
    t.in = length;
    t.start = t.count = t.step = t.padded = t.window = t.skipped = {};
    return t;
}

inline AxisTable slide(int64_t length, int64_t k, int64_t s, int64_t d, int64_t lo, int64_t hi) {
    AxisTable t = bare(length);
    for (int64_t at = -lo; at + (k - 1) * d < length + hi; at += s) {
        std::vector<int64_t> taps;
        int64_t skipped = 0;
        for (int64_t j = 0; j < k; ++j)
            if (at + j * d < 0)
                ++skipped;
            else if (at + j * d < length)
                taps.push_back(at + j * d);
        add(t, taps, k, k, skipped);
    }
    t.check_and_prepare();
    return t;
}

inline AxisTable split(int64_t length, int64_t parts) {
    AxisTable t = bare(length);
    for (int64_t i = 0; i < parts; ++i) {
        std::vector<int64_t> taps;
        for (int64_t x = i * length / parts; x < ((i + 1) * length + parts - 1) / parts; ++x) taps.push_back(x);
        add(t, taps, static_cast<int64_t>(taps.size()), static_cast<int64_t>(taps.size()));
    }
    t.check_and_prepare();
    return t;
}

// Spans in any order, some of them empty; divisors that differ from the count.
inline AxisTable spans(Random& random, int64_t length, int64_t outputs, int64_t most) {
    AxisTable t = bare(length);
    for (int64_t i = 0; i < outputs; ++i) {
        const int64_t step = random.between(1, 3), n = random.chance(6) ? 0 : random.between(1, most);
        std::vector<int64_t> taps;
        for (int64_t x = random.below(length); x < length && static_cast<int64_t>(taps.size()) < n; x += step)
            taps.push_back(x);
        const auto c = static_cast<int64_t>(taps.size());
        add(t, taps, c + random.below(2), c + random.below(3), random.below(6));
    }
    t.check_and_prepare();
    return t;
}

// An axis with up to about `most` taps per output and few outputs.
inline AxisTable any_axis(Random& random, int64_t most) {
    const int64_t k = random.between(1, most), s = random.between(1, 4),
                  d = random.chance(3) ? random.between(2, 3) : 1;
    const int64_t extent = (k - 1) * d + 1, outputs = random.between(1, 5);
    switch (random.below(4)) {
        case 0: return split(random.between(1, most), random.between(1, 5));
        case 1: return spans(random, random.between(1, most + 4), random.between(1, 6), most);
        case 2: return slide(random.between(1, 4), k, s, d, extent, extent);  // windows of padding alone, too
        default:
            return slide(extent + (outputs - 1) * s, k, s, d, random.below(2) * random.below(extent), random.below(2));
    }
}

struct Call {
    std::vector<int64_t> outer;
    Geometry g;

    Index shape(bool input) const {
        Index all = outer;
        for (const AxisTable& t : g.axis) all.push_back(input ? t.in : t.out());
        return all;
    }
};

// Calls f(index) for every index of a shape, row-major.
template <class F>
void each(const Index& shape, const F& f) {
    for (const int64_t n : shape)
        if (n == 0) return;
    Index at(shape.size(), 0);
    for (;;) {
        f(at);
        size_t axis = shape.size();
        while (axis-- > 0) {
            if (++at[axis] < shape[axis]) break;
            at[axis] = 0;
        }
        if (axis == static_cast<size_t>(-1)) return;
    }
}

struct Cells {
    DType type;
    Index shape, stride;
    std::unique_ptr<char[]> memory;
    char* first;

    char* at(const Index& index) const {
        int64_t bytes = 0;
        for (size_t i = 0; i < index.size(); ++i) bytes += index[i] * stride[i];
        return first + bytes;
    }
};

// plain: row-major. Otherwise any order of axes, either direction, gaps that break alignment; repeats: zero strides.
inline Cells cells(Random& random, DType type, const Index& shape, bool plain, bool repeats) {
    Cells c{type, shape, Index(shape.size(), 0), nullptr, nullptr};
    std::vector<size_t> order(shape.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (!plain && random.chance(2))
        for (size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
    const bool odd = !plain && random.chance(2);
    int64_t step = numbers::size_of(type) + (odd ? random.below(4) : 0), low = 0, high = numbers::size_of(type);
    for (size_t k = order.size(); k-- > 0;) {
        const size_t axis = order[k];
        if (!plain && repeats && random.chance(6)) continue;
        c.stride[axis] = !plain && random.chance(3) ? -step : step;
        const int64_t reach = std::max<int64_t>(0, shape[axis] - 1) * c.stride[axis];
        (reach < 0 ? low : high) += reach;
        step *= std::max<int64_t>(1, shape[axis]);
        if (odd) step += random.below(3);
    }
    const int64_t lead = odd ? random.below(2) : 0;
    c.memory.reset(new char[static_cast<size_t>(high - low + lead)]);
    std::fill_n(c.memory.get(), high - low + lead, '\x55');
    c.first = c.memory.get() + lead - low;
    return c;
}

// Row-major, or with the first axis innermost: channels last.
inline Cells dense(DType type, const Index& shape, bool last) {
    Cells c{type, shape, Index(shape.size(), 0), nullptr, nullptr};
    int64_t step = numbers::size_of(type);
    for (size_t i = 0; i < shape.size(); ++i) {
        const size_t axis = last ? (i == 0 ? 0 : shape.size() - i) : shape.size() - 1 - i;
        c.stride[axis] = step;
        step *= shape[axis];
    }
    c.memory.reset(new char[static_cast<size_t>(step)]);
    std::fill_n(c.memory.get(), step, '\x55');
    c.first = c.memory.get();
    return c;
}

// Windows as networks have them, over maps as wide as several registers.
inline Call map_call(Random& random) {
    constexpr int64_t channels[] = {1, 2, 3, 7, 8, 16, 33, 70}, sizes[] = {1, 2, 3, 5};
    const auto axis = [&](int64_t most) {
        const int64_t k = random.of(sizes), s = random.between(1, 3), d = random.chance(5) ? 2 : 1;
        const int64_t extent = (k - 1) * d + 1, pad = random.chance(2) ? random.below(extent) : 0;
        return slide(random.between(extent, std::max(extent, most)), k, s, d, pad, random.chance(2) ? pad : 0);
    };
    Call call;
    call.outer = {random.of(channels)};
    call.g.axis[2] = axis(random.chance(3) ? 150 : 40);
    call.g.axis[1] = axis(9);
    call.g.axis[0] = random.chance(2) ? slide(1, 1, 1, 1, 0, 0) : axis(4);
    return call;
}

// Taps of all outputs together: what a brute force has to look at.
inline int64_t effort(const Call& call) {
    int64_t taps = 1;
    for (const int64_t n : call.outer) taps *= n;
    for (const AxisTable& t : call.g.axis) {
        int64_t sum = t.in;
        for (const int64_t c : t.count) sum += c;
        taps *= sum;
    }
    return taps;
}

// Planes of a few registers, and windows on both sides of the sizes at which the ways to compute them change.
inline Call plane_call(Random& random) {
    constexpr int64_t sides[] = {1, 4, 6, 7, 8, 9, 13, 15, 16, 17, 19, 20, 31, 32, 33, 56},
                      sizes[] = {2, 3, 4, 7, 8, 9, 13, 16, 17, 29, 30, 31, 32, 33};
    const auto axis = [&](int64_t k) {
        const int64_t length = std::max(k / 2 + 1, random.of(sides)), before = random.chance(2) ? k / 2 : 0;
        const int64_t behind = random.chance(2) ? before : k / 2;  // also windows that overhang at the end alone
        return slide(length, std::min(k, length + before + behind), random.chance(3) ? random.between(2, 3) : 1, 1,
                     before, behind);
    };
    for (;;) {
        const int64_t k = random.of(sizes);
        Call call;
        call.outer = {random.between(1, 3)};
        call.g.axis[2] = axis(random.chance(4) ? 1 : k), call.g.axis[1] = axis(random.chance(4) ? 1 : k);
        call.g.axis[0] = slide(1, 1, 1, 1, 0, 0);
        if (effort(call) <= 80'000) return call;
    }
}

// Maps cut into parts, or as a whole one: windows of their own lengths, side by side in registers where there are many.
inline Call parts_call(Random& random) {
    const auto axis = [&](int64_t longest) {
        const int64_t length = random.between(1, longest);
        return split(length, random.chance(2) ? 1 : random.between(1, std::min<int64_t>(length + 1, 9)));
    };
    for (;;) {
        Call call;
        call.outer = {random.between(1, 20)};
        call.g.axis[0] = random.chance(4) ? axis(3) : split(1, 1);
        call.g.axis[1] = axis(10), call.g.axis[2] = axis(random.chance(3) ? 40 : 17);
        if (effort(call) <= 20'000) return call;
    }
}

// Batches of small maps, which are worked on side by side: windows of every kind, on both sides of a register's width.
inline Call batch_call(Random& random) {
    const auto axis = [&](int64_t longest) {
        const int64_t length = random.between(1, longest), k = random.between(1, std::min<int64_t>(length, 7));
        if (random.chance(3)) return split(length, random.between(1, length + 1));
        const int64_t pad = random.chance(2) ? k / 2 : 0;
        return slide(length, k, random.between(1, 3), 1, pad, random.chance(2) ? k / 2 : 0);
    };
    for (;;) {
        Call call;
        call.outer = {random.between(1, 3), random.between(9, 70)};
        call.g.axis[0] = random.chance(4) ? axis(4) : slide(1, 1, 1, 1, 0, 0);
        call.g.axis[1] = random.chance(4) ? slide(1, 1, 1, 1, 0, 0) : axis(12), call.g.axis[2] = axis(20);
        if (effort(call) <= 150'000) return call;
    }
}

inline void fill(Random& random, const Cells& c, bool tame) {
    each(c.shape, [&](const Index& at) { numbers::draw(random, c.type, c.at(at), tame); });
}

// The layout of a call; an array may be missing.
inline Layout lay_out(const Call& call, std::initializer_list<const Cells*> arrays) {
    Layout layout;
    for (size_t i = 0; i < call.outer.size(); ++i) {
        Loop loop;
        loop.extent = call.outer[i];
        size_t a = 0;
        for (const Cells* c : arrays) loop.stride[a++] = c == nullptr ? 0 : c->stride[i];
        layout.outer.push_back(loop);
    }
    size_t a = 0;
    for (const Cells* c : arrays) {
        if (c != nullptr) {
            layout.array[a].data = c->first;
            for (size_t i = 0; i < kMostPooled; ++i) layout.array[a].stride[i] = c->stride[call.outer.size() + i];
        }
        ++a;
    }
    return layout;
}

// The tap positions of output `at` (its last three entries), one list per pooled axis.
inline std::array<Index, kMostPooled> taps(const Call& call, const Index& at) {
    std::array<Index, kMostPooled> lists;
    for (size_t a = 0; a < kMostPooled; ++a) {
        const AxisTable& t = call.g.axis[a];
        const auto i = static_cast<size_t>(at[at.size() - kMostPooled + a]);
        for (int64_t j = 0; j < t.count[i]; ++j) lists[a].push_back(t.start[i] + j * t.step[i]);
    }
    return lists;
}

inline Index joined(const Index& at, int64_t d, int64_t h, int64_t w) {
    Index all = at;
    all[at.size() - 3] = d, all[at.size() - 2] = h, all[at.size() - 1] = w;
    return all;
}

// The number that an output's sum is divided by, as a whole and as a real number.
inline int64_t divisor(const Call& call, const Index& at, Divisor rule, int64_t number) {
    if (rule == Divisor::number) return number;
    int64_t product = 1;
    for (size_t a = 0; a < kMostPooled; ++a) {
        const AxisTable& t = call.g.axis[a];
        const auto i = static_cast<size_t>(at[at.size() - kMostPooled + a]);
        product *= rule == Divisor::inside ? t.count[i] : rule == Divisor::padded ? t.padded[i] : t.window[i];
    }
    return product == 0 ? 1 : product;
}

inline Call any_call(Random& random) {
    constexpr int64_t widths[] = {1, 2, 3, 5, 15, 16, 17, 33, 127, 128, 129, 145},
                      rows[] = {1, 2, 3, 7, 15, 16, 17, 33};
    constexpr int64_t others[] = {1, 2, 7, 8, 9, 15, 16, 17, 33};
    Call call;
    for (int64_t n = random.below(3); n > 0; --n) call.outer.push_back(random.of(others));
    call.g.axis[2] = any_axis(random, random.of(widths));
    call.g.axis[1] = random.chance(4) ? slide(1, 1, 1, 1, 0, 0) : any_axis(random, random.of(rows));
    call.g.axis[0] = random.chance(2) ? slide(1, 1, 1, 1, 0, 0) : any_axis(random, random.chance(3) ? 5 : 2);
    return call;
}

inline Call small_call(Random& random, int64_t most) {
    for (;;) {
        Call call = any_call(random);
        if (effort(call) <= most) return call;
    }
}

inline bool whole_match(const Cells& a, const Cells& b) {
    bool ok = true;
    each(a.shape, [&](const Index& at) { ok = ok && numbers::same(a.type, a.at(at), b.at(at)); });
    return ok;
}

}  // namespace cases
