// CPU targets: what this build has, and that the one asked for is the one in use.
#include "simd/targets.hpp"

#include "cases.hpp"

using namespace cases;

namespace {

std::vector<std::string> expected() {
#if defined(__aarch64__)
    return {"neon"};
#elif defined(__x86_64__) && defined(CENOTE_WITHOUT_AVX512)
    return {"baseline", "avx2"};
#elif defined(__x86_64__)
    return {"baseline", "avx2", "avx512"};
#else
    return {"baseline"};
#endif
}

// A vector engine that declines everything would leave the work to the others, and every comparison right.
void takes_ordinary_calls(Random& random) {
    for (const DType type : {DType::f32, DType::f64, DType::f16, DType::bf16, DType::u8, DType::i8}) {
        Call shape;
        shape.outer = {8};
        shape.g.axis[1] = slide(20, 3, 2, 1, 1, 1), shape.g.axis[2] = slide(40, 3, 2, 1, 1, 1);
        const Cells x = dense(type, shape.shape(true), false), y = dense(type, shape.shape(false), false),
                    offsets = dense(DType::u8, shape.shape(false), false);
        fill(random, x, true);
        for (const Reducer reducer : {Reducer::max, Reducer::avg}) {
            ForwardCall call{reducer, {}, Divisor::inside, 1};
            call.params.in = call.params.out = type;
            Control control(nullptr);
            CHECK(target().values(call, shape.g, lay_out(shape, {&x, &y}), control));
            if (reducer == Reducer::max)
                CHECK(target().select(call, shape.g, lay_out(shape, {&x, &y, &offsets}), DType::u8, Position::offsets,
                                      control));
            if (!numbers::whole(type))
                CHECK(target().backward(call, shape.g,
                                        lay_out(shape, {&x, &y, reducer == Reducer::max ? &offsets : nullptr}), type,
                                        DType::u8, control));
        }
    }
}

}  // namespace

int main() {
    Random random{8};
    std::vector<std::string> names;
    const Target* best = nullptr;
    for (const Target& t : targets()) {
        names.emplace_back(t.name);
        if (t.usable()) best = &t;
    }
    CHECK(names == expected());
    CHECK(targets().front().usable());
    CHECK(&target() == best);
    for (const Target& t : targets()) {
        const Target* const before = &target();
        CHECK(choose_target(t.name) == t.usable());
        CHECK(&target() == (t.usable() ? &t : before));
        takes_ordinary_calls(random);
    }
    CHECK(!choose_target("mmx") && &target() == best);
    return check::verdict();
}
