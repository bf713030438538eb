// The same bits for any number of threads, in calls large enough that every one of them gets work.
#include <cmath>

#include "cases.hpp"
#include "engines/unpool.hpp"

using namespace cases;

namespace {

// Forward, winners and backward of one call on n threads: dx, y and offsets.
struct Results {
    Cells y, offsets, dx;
};

Results run(const Call& shape, Reducer reducer, DType type, const Cells& x, int threads) {
    Random random{8};
    Results r{cells(random, type, shape.shape(false), true, false),
              cells(random, DType::u32, shape.shape(false), true, false),
              cells(random, type, shape.shape(true), true, false)};
    ForwardCall call{reducer, {}, Divisor::padded, threads};
    call.params.in = call.params.out = type;
    Control control(nullptr);
    const bool selects = reducer == Reducer::max || reducer == Reducer::min;
    if (selects)
        run_select(call, shape.g, lay_out(shape, {&x, &r.y, &r.offsets}), DType::u32, Position::offsets, control);
    else
        run_forward(call, shape.g, lay_out(shape, {&x, &r.y}), control);
    const bool lp = reducer == Reducer::lp;
    run_backward(call, shape.g,
                 lay_out(shape, {&r.dx, &r.y,
                                 selects ? &r.offsets
                                 : lp    ? &r.y
                                         : nullptr,
                                 lp ? &x : nullptr}),
                 type, selects ? DType::u32 : type, control);
    return r;
}

void same_bits(Random& random, const Call& shape, Reducer reducer, DType type, bool plain) {
    const Cells x = cells(random, type, shape.shape(true), plain, false);
    fill(random, x, true);
    const Results one = run(shape, reducer, type, x, 1);
    for (const int threads : {2, 3, 7}) {
        const Results many = run(shape, reducer, type, x, threads);
        CHECK(whole_match(one.y, many.y));
        CHECK(whole_match(one.dx, many.dx));
        if (reducer == Reducer::max || reducer == Reducer::min) CHECK(whole_match(one.offsets, many.offsets));
    }
}

}  // namespace

int main() {
    Random random{9};
    Call image;
    image.outer = {3, 8};
    image.g.axis[1] = slide(31, 5, 1, 1, 2, 2), image.g.axis[2] = slide(33, 5, 1, 1, 2, 2);
    Call line;
    line.g.axis[2] = slide(20'000, 40, 1, 1, 20, 19);
    Call one_window;  // too few units for seven threads
    one_window.outer = {3};
    one_window.g.axis[1] = split(300, 1), one_window.g.axis[2] = split(700, 1);
    for (const Reducer reducer : {Reducer::max, Reducer::avg, Reducer::sum, Reducer::lp}) {
        same_bits(random, image, reducer, DType::f32, true);
        same_bits(random, image, reducer, DType::f16, false);
        same_bits(random, line, reducer, DType::f64, true);
        same_bits(random, one_window, reducer, DType::f32, true);
    }
    return check::verdict();
}
