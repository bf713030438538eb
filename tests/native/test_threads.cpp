// The same bits for any number of threads, in calls with enough rows that every one of them gets some.
#include <cmath>

#include "cases.hpp"
#include "engines/unpool.hpp"

using namespace cases;

namespace {

// Under the thread sanitizer everything takes a hundred times as long, and less of it shows as much.
#if defined(__SANITIZE_THREAD__)
constexpr int64_t kFewer = 10;
#else
constexpr int64_t kFewer = 1;
#endif

// Forward, winners and backward of one call on n threads: dx, y and offsets.
struct Results {
    Cells y, offsets, dx;
};

// `units` and `back_units`: rows, or pieces of rows, that can be shared out.
Results run(const Call& shape, Reducer reducer, DType type, double p, const Cells& x, int threads, int64_t units,
            int64_t back_units) {
    Random random{8};
    Results r{cells(random, type, shape.shape(false), true, false),
              cells(random, DType::u32, shape.shape(false), true, false),
              cells(random, type, shape.shape(true), true, false)};
    ForwardCall call{reducer, {}, Divisor::padded, threads};
    call.params.in = call.params.out = type, call.params.p = p;
    Control control(nullptr);
    const bool lp = reducer == Reducer::lp;
    const bool selects = reducer == Reducer::max || reducer == Reducer::min || (lp && std::isinf(p));
    int64_t before = threads_started;
    const auto started = [&](int64_t rows) {
        const int64_t now = threads_started - before;
        before = threads_started;
        // engines cut work into pieces of their own: fewer than the rows, but for several threads
        return threads == 1 ? now == 0 : now >= 1 && now < std::min<int64_t>(threads, rows);
    };
    if (!selects || lp) {
        run_forward(call, shape.g, lay_out(shape, {&x, &r.y}), control);
        CHECK(started(units));
    }
    if (selects) {
        run_select(call, shape.g, lay_out(shape, {&x, &r.y, &r.offsets}), DType::u32, Position::offsets, control);
        CHECK(started(units));
    }
    // float32 and narrower: y is as wide as the accumulator
    run_backward(call, shape.g,
                 lay_out(shape, {&r.dx, &r.y,
                                 selects ? &r.offsets
                                 : lp    ? &r.y
                                         : nullptr,
                                 lp ? &x : nullptr}),
                 type, selects ? DType::u32 : type, control);
    CHECK(started(back_units));
    return r;
}

void same_bits(Random& random, const Call& shape, Reducer reducer, DType type, double p, bool plain, int64_t units,
               int64_t back_units) {
    const Cells x = cells(random, type, shape.shape(true), plain, false);
    fill(random, x, true);
    const Results one = run(shape, reducer, type, p, x, 1, units, back_units);
    for (const int threads : {2, 3, 7}) {
        const Results many = run(shape, reducer, type, p, x, threads, units, back_units);
        CHECK(whole_match(one.y, many.y));
        CHECK(whole_match(one.dx, many.dx));
        if (reducer == Reducer::max || reducer == Reducer::min || std::isinf(p))
            CHECK(whole_match(one.offsets, many.offsets));
    }
}

}  // namespace

int main() {
    work_per_thread = 1;
    Random random{9};
    constexpr int64_t many = 100;
    Call image;  // windows overlap: every cell of the gradient collects from up to 25, in an order that counts
    image.outer = {3, 8};
    image.g.axis[1] = slide(31, 5, 1, 1, 2, 2), image.g.axis[2] = slide(33, 5, 1, 1, 2, 2);
    Call line;  // one row, which is cut into pieces
    line.g.axis[2] = slide(20'000, 40, 1, 1, 20, 19);
    Call one_window;  // fewer units than seven threads
    one_window.outer = {3};
    one_window.g.axis[1] = split(300 / kFewer, 1), one_window.g.axis[2] = split(700 / kFewer, 1);
    const struct {
        Reducer reducer;
        double p;
    } rules[] = {{Reducer::max, 2}, {Reducer::min, 2}, {Reducer::avg, 2},  {Reducer::sum, 2},
                 {Reducer::lp, 2},  {Reducer::lp, 3},  {Reducer::lp, 0.5}, {Reducer::lp, HUGE_VAL}};
    for (const auto& [reducer, p] : rules) {
        same_bits(random, image, reducer, DType::f32, p, true, many, many);
        same_bits(random, image, reducer, DType::f16, p, false, many, many);
        same_bits(random, line, reducer, DType::f64, p, true, 10, 10);
        same_bits(random, one_window, reducer, DType::f32, p, true, 3, many);
    }
    for (const Reducer reducer : {Reducer::avg, Reducer::sum})
        same_bits(random, image, reducer, DType::c64, 2, false, many, many);
    return check::verdict();
}
