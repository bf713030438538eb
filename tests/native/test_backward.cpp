// Gradients against a scatter in row-major order of the outputs, bit for bit.
#include <cmath>

#include "cases.hpp"
#include "engines/backward.hpp"

using namespace cases;

namespace {

constexpr int kThreads[] = {1, 2, 3, 7};

struct Arrays {
    DType in, g_type, other_type;
    const Cells *g, *other, *x;
};

// What the cells would hold if every output, one after the other, gave to its taps.
template <class T>
std::vector<T> scattered(const ForwardCall& call, const Call& shape, const Arrays& a, const Cells& dx) {
    int64_t total = 1;
    for (const int64_t n : dx.shape) total *= n;
    std::vector<T> sums(static_cast<size_t>(total), T(0));
    const auto place = [&](const Index& at) {
        int64_t flat = 0;
        for (size_t i = 0; i < at.size(); ++i) flat = flat * dx.shape[i] + at[i];
        return static_cast<size_t>(flat);
    };
    const bool inf = std::isinf(call.params.p), lp = call.reducer == Reducer::lp;
    const int64_t box_h = std::max<int64_t>(1, shape.g.axis[1].most_taps),
                  box_w = std::max<int64_t>(1, shape.g.axis[2].most_taps);
    const T p = static_cast<T>(call.params.p), less = static_cast<T>(call.params.p - 1);
    each(a.g->shape, [&](const Index& at) {
        const std::array<Index, 3> lists = taps(shape, at);
        const T g = static_cast<T>(numbers::read(a.g_type, a.g->at(at)));
        for (size_t d = 0; d < lists[0].size(); ++d)
            for (size_t h = 0; h < lists[1].size(); ++h)
                for (size_t w = 0; w < lists[2].size(); ++w) {
                    const Index cell = joined(at, lists[0][d], lists[1][h], lists[2][w]);
                    T& to = sums[place(cell)];
                    if (call.reducer == Reducer::sum) to = to + g;
                    if (call.reducer == Reducer::avg)
                        to = to + g / static_cast<T>(call.divisor == Divisor::number
                                                         ? call.params.number
                                                         : static_cast<double>(divisor(shape, at, call.divisor, 1)));
                    if (call.reducer == Reducer::max || call.reducer == Reducer::min || (lp && inf)) {
                        const auto tap =
                            static_cast<int64_t>((d * static_cast<size_t>(box_h) + h) * static_cast<size_t>(box_w) + w);
                        if (numbers::read_whole(a.other_type, a.other->at(at)) == tap) to = to + g;
                    } else if (lp) {
                        const T y = static_cast<T>(numbers::read(a.other_type, a.other->at(at)));
                        const T size = std::fabs(static_cast<T>(numbers::read(a.in, a.x->at(cell))));
                        if (y == 0 || (size == 0 && p < 1)) continue;
                        to = to + g * (p == 1 ? T(1) : p == 2 ? size / y : std::pow(size / y, less));
                    }
                }
    });
    if (lp)
        each(dx.shape, [&](const Index& at) {
            const T x = static_cast<T>(numbers::read(a.in, a.x->at(at)));
            T& v = sums[place(at)];
            v = v == 0 || x == 0 ? T(0) : v * (x > 0 ? T(1) : x < 0 ? T(-1) : x);
        });
    return sums;
}

template <class T>
bool matches(const ForwardCall& call, const Call& shape, const Arrays& a, const Cells& dx) {
    const std::vector<T> wanted = scattered<T>(call, shape, a, dx);
    size_t k = 0;
    bool ok = true;
    each(dx.shape, [&](const Index& at) {
        char expected[16] = {};
        numbers::write(dx.type, expected, wanted[k++]);
        ok = ok && numbers::same(dx.type, dx.at(at), expected);
    });
    return ok;
}

// The smallest type that holds the offsets of a call.
DType fitting(const Call& shape) {
    return shape.g.box() <= 256 ? DType::u8 : shape.g.box() <= 65536 ? DType::u16 : DType::u32;
}

bool right(Random& random, const Call& shape, Reducer reducer, DType in, double p, bool map = false) {
    constexpr DType codes[] = {DType::u16, DType::u32, DType::u64, DType::i64};
    ForwardCall call{reducer, {}, static_cast<Divisor>(random.below(4)), random.of(kThreads)};
    call.params.in = call.params.out = in;
    call.params.p = p, call.params.number = static_cast<double>(random.between(2, 9));
    const bool tame = !random.chance(3), lp = reducer == Reducer::lp;
    const DType g_type = map || random.chance(2) ? in : random.of(numbers::kFloats);
    const bool spreads = reducer == Reducer::sum || reducer == Reducer::avg,
               selects = !spreads && !(lp && !std::isinf(p));
    const DType other_type = selects && map                               ? fitting(shape)
                             : selects                                    ? random.of(codes)
                             : numbers::wide(in) || numbers::wide(g_type) ? DType::f64
                                                                          : DType::f32;
    const bool last = random.chance(2);
    const auto made = [&](DType t, bool input, bool repeats) {
        return map ? dense(t, shape.shape(input), last)
                   : cells(random, t, shape.shape(input), random.chance(3), repeats);
    };
    const Cells x = made(in, true, true), g = made(g_type, false, true), other = made(other_type, false, false),
                dx = made(in, true, false);
    fill(random, x, tame), fill(random, g, tame);
    Control control(nullptr);
    if (selects) {
        run_select(call, shape.g, lay_out(shape, {&x, nullptr, &other}), other_type, Position::offsets, control);
    } else if (lp) {
        ForwardCall forward = call;
        forward.params.out = other_type;
        run_forward(forward, shape.g, lay_out(shape, {&x, &other}), control);
    }
    run_backward(call, shape.g, lay_out(shape, {&dx, &g, spreads ? nullptr : &other, lp ? &x : nullptr}), g_type,
                 other_type, control);
    const Arrays a{in, g_type, other_type, &g, &other, &x};
    return numbers::wide(in) || numbers::wide(g_type) ? matches<double>(call, shape, a, dx)
                                                      : matches<float>(call, shape, a, dx);
}

// Rows of the gradient on both sides of the number of cells worked on together, and lanes around sixteen.
void thresholds(Random& random) {
    for (const int64_t length : {2047, 2048, 2049, 4096, 4097})
        for (const Reducer reducer : {Reducer::max, Reducer::avg, Reducer::lp}) {
            Call call;
            call.g.axis[2] =
                random.chance(3) ? spans(random, length, 300, 40) : slide(length, 5, random.between(1, 3), 2, 3, 3);
            CHECK(right(random, call, reducer, DType::f32, 3));
            call.outer = {random.between(7, 9)};
            CHECK(right(random, call, reducer, DType::f32, 2));
        }
    for (const int64_t lanes : {7, 8, 15, 16, 17, 31, 32, 33})
        for (const Reducer reducer : {Reducer::min, Reducer::sum, Reducer::lp}) {
            Call call;
            call.outer = {lanes};
            call.g.axis[1] = slide(5, 2, 1, 1, 1, 0), call.g.axis[2] = slide(9, 3, 2, 1, 1, 1);
            for (int round = 0; round < 4; ++round) CHECK(right(random, call, reducer, DType::f32, 2));
        }
}

// Windows of a row that are a table, around the sizes at which tiles are cut, and with few and many windows on a cell.
void tables(Random& random) {
    constexpr Reducer reducers[] = {Reducer::avg, Reducer::max, Reducer::lp};
    for (const auto& [length, parts] : {std::pair<int64_t, int64_t>{4095, 7},
                                        {4096, 100},
                                        {4097, 1000},
                                        {8193, 6},
                                        {31, 31},
                                        {65, 64},
                                        {9, 70},
                                        {1, 64},
                                        {1, 65},
                                        {2, 200}})
        for (const Reducer reducer : reducers)
            for (const double p : {1.0, 2.0}) {
                Call call;
                call.outer = {random.between(1, 3)};
                call.g.axis[2] = split(length, parts);
                if (length < 100) call.g.axis[1] = split(random.between(1, 9), random.between(1, 9));
                for (const DType in : {DType::f32, DType::f16}) CHECK(right(random, call, reducer, in, p, true));
            }
    for (const int64_t stride : {3, 4, 5, 65})  // far enough apart for a table, in calls long enough and too short
        for (const int64_t k : {2, 3, 5, 9, 66})
            for (const Reducer reducer : reducers)
                for (const int64_t planes : {1, 40}) {
                    Call call;
                    call.outer = {planes};
                    call.g.axis[2] = slide(random.between(70, 140), k, stride, 1, random.below(k), random.below(k));
                    if (k < 9) call.g.axis[1] = slide(11, k, stride, 1, random.below(k), 0);
                    CHECK(right(random, call, reducer, random.of(numbers::kFloats), 2, true));
                }
}

// What the vector engines are for does not fall through to the engine that takes everything.
void taken() {
    const auto taken_by_target = [](Reducer reducer, double p, const Geometry& g, bool last) {
        Random random{7};
        Call shape;
        shape.outer = {5}, shape.g = g;
        ForwardCall call{reducer, {}, Divisor::inside, 1};
        call.params.p = p;
        const bool lp = reducer == Reducer::lp, selects = reducer == Reducer::max;
        const Cells dx = dense(DType::f32, shape.shape(true), last), x = dense(DType::f32, shape.shape(true), last),
                    y = dense(selects ? DType::u8 : DType::f32, shape.shape(false), last),
                    dy = dense(DType::f32, shape.shape(false), last);
        fill(random, x, true), fill(random, dy, true), std::fill_n(y.first, 5, '\0');
        Control control(nullptr);
        return target().backward(call, shape.g,
                                 lay_out(shape, {&dx, &dy, lp || selects ? &y : nullptr, lp ? &x : nullptr}),
                                 DType::f32, y.type, control);
    };
    Geometry pairs, overlapping, parts;
    pairs.axis[1] = pairs.axis[2] = slide(12, 2, 2, 1, 0, 0);
    overlapping.axis[1] = overlapping.axis[2] = slide(12, 3, 1, 1, 1, 1);
    parts.axis[1] = parts.axis[2] = split(13, 5);
    for (const Geometry& g : {pairs, overlapping, parts})
        for (const bool last : {false, true}) {
            for (const Reducer reducer : {Reducer::max, Reducer::avg, Reducer::sum})
                CHECK(taken_by_target(reducer, 2, g, last));
            for (const double p : {1.0, 2.0}) CHECK(taken_by_target(Reducer::lp, p, g, last));
            CHECK(!taken_by_target(Reducer::lp, 3, g, last));
        }
}

// Windows that hold each other's cells many times over, in tiles of a few cells and in planes taken together.
void overlapping(Random& random) {
    for (const int64_t price : {int64_t{1}, kWorkPerThread}) {
        work_per_thread = price;
        for (const DType in : numbers::kFloats)
            for (int round = 0; round < 40; ++round) {
                Call call = plane_call(random);
                call.outer = {random.between(1, 40)};
                if (random.chance(3)) call.g.axis[0] = slide(random.between(1, 5), 2, 1, 1, 1, 1);
                if (effort(call) > 200'000) continue;
                CHECK(right(random, call, random.chance(2) ? Reducer::max : Reducer::min, in, 1, !random.chance(4)));
            }
    }
    // a map of several tiles, and offsets beyond the table of taps
    for (const int64_t k : {9, 300}) {
        Call call;
        call.g.axis[1] = slide(k == 9 ? 300 : 310, k, k == 9 ? 1 : 4, 1, 3, 3);
        call.g.axis[2] = slide(310, k, k == 9 ? 2 : 5, 1, 4, 4);
        CHECK(right(random, call, Reducer::max, DType::f32, 1, true));
    }
    work_per_thread = 1;
}

// Complex gradients spread part by part.
void complex_parts(Random& random) {
    for (const DType in : numbers::kComplex)
        for (int round = 0; round < 20; ++round) {
            const Call shape = small_call(random, 1500);
            ForwardCall call{
                random.chance(2) ? Reducer::sum : Reducer::avg, {}, static_cast<Divisor>(random.below(4)), 2};
            call.params.in = call.params.out = in, call.params.number = 3;
            const DType part = in == DType::c64 ? DType::f32 : DType::f64;
            const Cells g = cells(random, in, shape.shape(false), random.chance(2), true);
            const Cells dx = cells(random, in, shape.shape(true), random.chance(2), false);
            fill(random, g, true);
            Control control(nullptr);
            run_backward(call, shape.g, lay_out(shape, {&dx, &g}), in, in, control);
            bool ok = true;
            for (const bool imaginary : {false, true}) {
                const Cells one = cells(random, part, g.shape, true, false),
                            d_one = cells(random, part, dx.shape, true, false);
                each(g.shape, [&](const Index& at) {
                    numbers::write(part, one.at(at), numbers::read(in, g.at(at), imaginary));
                });
                call.params.in = call.params.out = part;
                run_backward(call, shape.g, lay_out(shape, {&d_one, &one}), part, part, control);
                call.params.in = call.params.out = in;
                each(dx.shape, [&](const Index& at) {
                    ok = ok && numbers::read(in, dx.at(at), imaginary) == numbers::read(part, d_one.at(at));
                });
            }
            CHECK(ok);
        }
}

// Offsets are data from outside: none of them may lead outside the gradient.
void hostile_offsets(Random& random) {
    constexpr uint64_t wild[] = {
        ~uint64_t{0}, uint64_t{1} << 63, (uint64_t{1} << 63) - 1, ~uint32_t{0}, 255, 65535, 0, 2, 4, 5, 9, 24, 25,
        1000};
    constexpr DType codes[] = {DType::u8, DType::u8, DType::u16, DType::u32, DType::u64, DType::i64};
    for (int round = 0; round < 200; ++round) {
        const Call shape = random.chance(2)   ? small_call(random, 1500)
                           : random.chance(2) ? map_call(random)
                           : random.chance(2) ? parts_call(random)
                                              : plane_call(random);
        ForwardCall call{Reducer::max, {}, Divisor::inside, random.of(kThreads)};
        const DType type = random.of(codes);
        const Cells g = cells(random, DType::f32, shape.shape(false), true, false),
                    dx = cells(random, DType::f32, shape.shape(true), true, false);
        const Cells offsets = cells(random, type, shape.shape(false), true, false);
        fill(random, g, true);
        each(offsets.shape, [&](const Index& at) { numbers::write_whole(type, offsets.at(at), random.of(wild)); });
        Control control(nullptr);
        run_backward(call, shape.g, lay_out(shape, {&dx, &g, &offsets}), DType::f32, type, control);
        const Arrays a{DType::f32, DType::f32, type, &g, &offsets, nullptr};
        CHECK(matches<float>(call, shape, a, dx));
    }
    // an array that the rule has no use for is not read, whatever its type
    const Call shape = small_call(random, 500);
    ForwardCall call{Reducer::avg, {}, Divisor::inside, 1};
    const Cells g = cells(random, DType::f64, shape.shape(false), true, false),
                dx = cells(random, DType::f32, shape.shape(true), true, false);
    const Cells bytes = cells(random, DType::u8, shape.shape(false), true, false);
    fill(random, g, true);
    Control control(nullptr);
    run_backward(call, shape.g, lay_out(shape, {&dx, &g, &bytes}), DType::f64, DType::u8, control);
    CHECK(matches<double>(call, shape, {DType::f32, DType::f64, DType::u8, &g, &bytes, nullptr}, dx));
}

void refusals() {
    const Call shape;
    Control control(nullptr);
    ForwardCall call{Reducer::max, {}, Divisor::inside, 1};
    const auto go = [&](DType in, DType g) {
        call.params.in = in;
        run_backward(call, shape.g, Layout{}, g, DType::u8, control);
    };
    CHECK_THROWS(std::invalid_argument, go(DType::i32, DType::f32));
    CHECK_THROWS(std::invalid_argument, go(DType::f32, DType::i32));
    CHECK_THROWS(std::invalid_argument, go(DType::c64, DType::c64));
}

}  // namespace

int main() {
    work_per_thread = 1;
    use_forced_target();
    Random random{6};
    constexpr double powers[] = {1, 2, 3, 0.5, 2.5, HUGE_VAL};
    for (const Reducer reducer : {Reducer::max, Reducer::min, Reducer::avg, Reducer::sum, Reducer::lp})
        for (const DType in : numbers::kFloats)
            for (int round = 0; round < 80; ++round)
                CHECK(right(random, small_call(random, 4000), reducer, in, random.of(powers)));
    for (const Reducer reducer : {Reducer::max, Reducer::min, Reducer::avg, Reducer::sum, Reducer::lp})
        for (const DType in : numbers::kFloats)
            for (int round = 0; round < 60; ++round) {
                const double p = round % 2 == 0 ? 2 : 1;
                CHECK(right(random, map_call(random), reducer, in, p, true));
                CHECK(right(random, parts_call(random), reducer, in, p, true));
            }
    for (const DType in : numbers::kFloats)  // views of any strides
        for (int round = 0; round < 80; ++round)
            CHECK(right(random, small_call(random, 4000), Reducer::lp, in, round % 2 == 0 ? 2 : 1));
    thresholds(random);
    tables(random);
    taken();
    overlapping(random);
    complex_parts(random);
    hostile_offsets(random);
    refusals();
    CHECK(threads_started > 500);
    return check::verdict();
}
