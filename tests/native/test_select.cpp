// Winners: the first of equals, the last of several NaNs, and the very bits found there.
#include <cmath>

#include "cases.hpp"
#include "engines/pick.hpp"

using namespace cases;

namespace {

constexpr int kThreads[] = {1, 2, 3, 7};
constexpr DType kPositions[] = {DType::u8, DType::u16, DType::u32, DType::u64, DType::i64};

struct Winner {
    bool any = false;
    int64_t offset = 0, index = -1;
    const char* bits = nullptr;
};

bool beats(Reducer reducer, DType type, const char* later, const char* best) {
    if (reducer == Reducer::lp) return std::fabs(numbers::read(type, later)) > std::fabs(numbers::read(type, best));
    return reducer == Reducer::max ? numbers::less(type, best, later) : numbers::less(type, later, best);
}

Winner winner(const ForwardCall& call, const Call& shape, const Cells& x, const Index& at) {
    const std::array<Index, 3> lists = taps(shape, at);
    const int64_t box_h = std::max<int64_t>(1, shape.g.axis[1].most_taps),
                  box_w = std::max<int64_t>(1, shape.g.axis[2].most_taps);
    Winner best;
    for (size_t d = 0; d < lists[0].size(); ++d)
        for (size_t h = 0; h < lists[1].size(); ++h)
            for (size_t w = 0; w < lists[2].size(); ++w) {
                const char* p = x.at(joined(at, lists[0][d], lists[1][h], lists[2][w]));
                if (best.any && !beats(call.reducer, x.type, p, best.bits) && !numbers::nan(x.type, p)) continue;
                best = {true,
                        (static_cast<int64_t>(d) * box_h + static_cast<int64_t>(h)) * box_w + static_cast<int64_t>(w),
                        (lists[0][d] * shape.g.axis[1].in + lists[1][h]) * shape.g.axis[2].in + lists[2][w], p};
            }
    return best;
}

// Few different values, so that many are equal; rarely or often NaN, infinite, or the least there is.
void fill_contested(Random& random, const Cells& c) {
    constexpr int64_t often[] = {2, 10, 100};
    const int64_t odd = random.of(often);
    each(c.shape, [&](const Index& at) {
        if (numbers::whole(c.type))
            return numbers::write_whole(c.type, c.at(at), random.chance(odd) ? ~uint64_t{0} << 7 : random.below(3));
        constexpr long double odds[] = {NAN, HUGE_VALL, -HUGE_VALL, -0.0L};
        numbers::write(c.type, c.at(at),
                       random.chance(odd) ? random.of(odds) : static_cast<long double>(random.between(-1, 1)));
    });
}

// Picking by offsets gives the very bits of the cell that `cell` finds, zeros where it finds none.
template <class Cell>
bool picks(const Call& shape, const Cells& x, const Cells& offsets, const Cells& y, const Cell& cell) {
    Control control(nullptr);
    pick(shape.g, lay_out(shape, {&x, &y, &offsets}), x.type, offsets.type, 3, control);
    bool ok = true;
    each(y.shape, [&](const Index& at) {
        constexpr char zeros[16] = {};
        const char* const from = cell(at);
        ok = ok &&
             std::memcmp(y.at(at), from == nullptr ? zeros : from, static_cast<size_t>(numbers::size_of(x.type))) == 0;
    });
    return ok;
}

bool right(Random& random, const Call& shape, Reducer reducer, DType in, bool tame, bool map = false,
           bool contested = false) {
    ForwardCall call{reducer, {}, Divisor::inside, random.of(kThreads)};
    call.params.in = call.params.out = in;
    call.params.p = HUGE_VAL;
    const bool values = reducer != Reducer::lp && !random.chance(4), indices = random.chance(2);
    DType type = DType::i64;
    while (!indices) {
        type = random.of(kPositions);
        if (numbers::size_of(type) == 8 || shape.g.box() <= (uint64_t{1} << (8 * numbers::size_of(type)))) break;
    }
    const bool last = random.chance(2);
    const auto made = [&](DType t, bool input) {
        return map ? dense(t, shape.shape(input), last) : cells(random, t, shape.shape(input), random.chance(3), input);
    };
    const Cells x = made(in, true), y = made(in, false), found = made(type, false);
    contested ? fill_contested(random, x) : fill(random, x, tame);
    Control control(nullptr);
    run_select(call, shape.g, lay_out(shape, {&x, values ? &y : nullptr, &found}), type,
               indices ? Position::indices : Position::offsets, control);
    bool ok = true;
    each(y.shape, [&](const Index& at) {
        const Winner best = winner(call, shape, x, at);
        const int128 position = numbers::read_whole(type, found.at(at));
        // an offset of a window without taps is never looked at
        if (best.any || indices) ok = ok && position == (indices ? best.index : best.offset);
        if (!values) return;
        if (best.any)
            ok = ok && std::memcmp(y.at(at), best.bits, static_cast<size_t>(numbers::size_of(in))) == 0;
        else if (!numbers::whole(in))
            ok = ok && numbers::read(in, y.at(at)) == (reducer == Reducer::max ? -HUGE_VALL : HUGE_VALL);
    });
    return ok && (indices || picks(shape, x, found, made(in, false),
                                   [&](const Index& at) { return winner(call, shape, x, at).bits; }));
}

// Offsets of any bits: nothing outside of the input is read, and what names no tap gives zeros.
void wild_offsets(Random& random) {
    for (int round = 0; round < 200; ++round) {
        const Call shape = small_call(random, 6000);
        const DType in = random.of(numbers::kReal), type = random.of(kPositions);
        const Cells x = cells(random, in, shape.shape(true), true, true),
                    y = cells(random, in, shape.shape(false), true, false),
                    found = cells(random, type, shape.shape(false), true, false);
        fill(random, x, false);
        each(found.shape, [&](const Index& at) {
            const uint64_t bits = random.chance(2) ? random.bits() : random.below(4);
            std::memcpy(found.at(at), &bits, static_cast<size_t>(numbers::size_of(type)));
        });
        const int64_t box_h = std::max<int64_t>(1, shape.g.axis[1].most_taps),
                      box_w = std::max<int64_t>(1, shape.g.axis[2].most_taps);
        CHECK(picks(shape, x, found, y, [&](const Index& at) -> const char* {
            const auto code = static_cast<uint64_t>(numbers::read_whole(type, found.at(at)));
            const std::array<Index, 3> lists = taps(shape, at);
            const uint64_t w = code % static_cast<uint64_t>(box_w), rows = code / static_cast<uint64_t>(box_w),
                           h = rows % static_cast<uint64_t>(box_h), d = rows / static_cast<uint64_t>(box_h);
            if (d >= lists[0].size() || h >= lists[1].size() || w >= lists[2].size()) return nullptr;
            return x.at(joined(at, lists[0][d], lists[1][h], lists[2][w]));
        }));
    }
}

// Any bit pattern: NaNs of both signs with payloads, denormals.
void raw_bits(Random& random) {
    for (const DType in : numbers::kFloats)
        for (int round = 0; round < 20; ++round) {
            Call shape;
            shape.outer = {random.between(1, 17)};
            shape.g.axis[1] = slide(3, 2, 1, 1, 0, 0), shape.g.axis[2] = slide(random.between(3, 20), 3, 1, 1, 1, 1);
            const Cells x = cells(random, in, shape.shape(true), true, false),
                        y = cells(random, in, shape.shape(false), true, false);
            const Cells found = cells(random, DType::i64, shape.shape(false), true, false);
            each(x.shape, [&](const Index& at) {
                const uint64_t bits = random.chance(4) ? ~uint64_t{0} >> (random.below(12)) : random.bits();
                std::memcpy(x.at(at), &bits, static_cast<size_t>(numbers::size_of(in)));
            });
            ForwardCall call{random.chance(2) ? Reducer::max : Reducer::min, {}, Divisor::inside, 1};
            call.params.in = call.params.out = in;
            Control control(nullptr);
            run_select(call, shape.g, lay_out(shape, {&x, &y, &found}), DType::i64, Position::indices, control);
            bool ok = true;
            each(y.shape, [&](const Index& at) {
                const Winner best = winner(call, shape, x, at);
                ok = ok && numbers::get<int64_t>(found.at(at)) == best.index &&
                     std::memcmp(y.at(at), best.bits, static_cast<size_t>(numbers::size_of(in))) == 0;
            });
            CHECK(ok);
        }
}

// Windows that overlap, whose winners are found row by row: planes, volumes, tiles of a few rows and of many.
void overlapping(Random& random) {
    for (const int64_t price : {int64_t{1}, kWorkPerThread}) {
        work_per_thread = price;
        for (const Reducer reducer : {Reducer::max, Reducer::min})
            for (const DType in : numbers::kReal)
                for (int round = 0; round < 25; ++round) {
                    Call call = plane_call(random);
                    if (random.chance(3))
                        call.g.axis[0] = slide(random.between(1, 5), 3, random.between(1, 2), 1, 1, 1);
                    if (effort(call) > 120'000) continue;
                    CHECK(right(random, call, reducer, in, random.chance(2), !random.chance(4), !random.chance(4)));
                }
    }
    // several tiles along both axes; windows that the axis never fills
    for (const int64_t k : {3, 5, 7, 12})
        for (const int64_t stride : {1, 2}) {
            Call call;
            call.outer = {2};
            call.g.axis[1] = slide(70, k, 1, 1, k / 2, k / 2), call.g.axis[2] = slide(530, k, stride, 1, k / 2, k / 2);
            CHECK(right(random, call, Reducer::max, DType::f32, true, true, true));
            call.g.axis[1] = slide(5, k, 1, 1, k - 1, k - 1), call.g.axis[2] = slide(2, k, stride, 1, k - 1, k - 1);
            CHECK(right(random, call, Reducer::min, DType::i8, true, true, true));
        }
    work_per_thread = 1;
}

void refusals() {
    Random random{5};
    Call shape;
    const Cells x = cells(random, DType::c128, shape.shape(true), true, false);
    Control control(nullptr);
    ForwardCall call{Reducer::sum, {}, Divisor::inside, 1};
    const auto go = [&] {
        run_select(call, shape.g, lay_out(shape, {&x, nullptr, &x}), DType::i64, Position::offsets, control);
    };
    CHECK_THROWS(std::invalid_argument, go());
    call.reducer = Reducer::avg;
    CHECK_THROWS(std::invalid_argument, go());
    call.reducer = Reducer::lp, call.params.in = DType::i32;
    CHECK_THROWS(std::invalid_argument, go());
    call.params.in = DType::c64;
    CHECK_THROWS(std::invalid_argument, go());
    call.reducer = Reducer::max;
    CHECK_THROWS(std::invalid_argument, go());
}

}  // namespace

int main() {
    work_per_thread = 1;
    use_forced_target();
    Random random{4};
    for (const Reducer reducer : {Reducer::max, Reducer::min, Reducer::lp})
        for (const DType in : numbers::kReal) {
            if (reducer == Reducer::lp && numbers::whole(in)) continue;
            for (int round = 0; round < 100; ++round)
                CHECK(right(random, small_call(random, 6000), reducer, in, random.chance(2)));
            for (int round = 0; round < 12; ++round)
                CHECK(right(random, map_call(random), reducer, in, random.chance(2), true));
            CHECK(right(random, parts_call(random), reducer, in, random.chance(2), true));
        }
    overlapping(random);
    raw_bits(random);
    wild_offsets(random);
    refusals();
    CHECK(threads_started > 500);
    return check::verdict();
}
