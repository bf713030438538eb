// Values of every reducer and type against a brute force: integers exactly, floats bit for bit in the documented tree.
#include <cmath>
#include <complex>
#include <optional>

#include "cases.hpp"

using namespace cases;

namespace {

// The order of a sum, written down a second time: recursively, on lists. The taps have the numbers skipped, skipped + 1,
// ...; a block of 2^level numbers is the sum of its halves, and what lies in no block of two is left alone.
template <class T>
std::optional<T> block_of(const std::vector<T>& taps, int64_t skipped, int64_t first, int64_t size) {
    if (first >= skipped + static_cast<int64_t>(taps.size()) || first + size <= skipped) return std::nullopt;
    if (size == 1) return taps[static_cast<size_t>(first - skipped)];
    const auto left = block_of(taps, skipped, first, size / 2),
               right = block_of(taps, skipped, first + size / 2, size / 2);
    if (!left || !right) return left ? left : right;
    return *left + *right;
}

template <class T>
T joined_in_order(const std::vector<T>& taps, int64_t skipped) {
    int64_t size = 1;
    while (size < skipped + static_cast<int64_t>(taps.size())) size *= 2;
    return *block_of(taps, skipped, 0, size);
}

// Integers (of lp) are rounded to T once, whatever long double is here.
template <class T>
T value_of(const Cells& x, const char* p, bool imaginary) {
    return numbers::whole(x.type) ? static_cast<T>(numbers::read_whole(x.type, p))
                                  : static_cast<T>(numbers::read(x.type, p, imaginary));
}

template <class T>
T sum_of(const Call& shape, const Cells& x, const Index& at, const std::array<Index, 3>& taps, bool imaginary,
         const auto& lift) {
    if (taps[0].empty() || taps[1].empty() || taps[2].empty()) return T(0);
    const auto skipped = [&](size_t a) { return shape.g.axis[a].skipped[static_cast<size_t>(at[at.size() - 3 + a])]; };
    std::vector<T> columns;
    for (const int64_t w : taps[2]) {
        std::vector<T> rows;
        for (const int64_t h : taps[1]) {
            std::vector<T> cells;
            for (const int64_t d : taps[0]) cells.push_back(lift(value_of<T>(x, x.at(joined(at, d, h, w)), imaginary)));
            rows.push_back(joined_in_order(cells, skipped(0)));
        }
        columns.push_back(joined_in_order(rows, skipped(1)));
    }
    return joined_in_order(columns, skipped(2));
}

int128 half_even(int128 total, int128 by) {
    int128 quotient = total / by;
    if (total % by != 0 && (total < 0) != (by < 0)) --quotient;  // floor
    const int128 twice = 2 * (total - quotient * by), size = by < 0 ? -by : by, gap = twice < 0 ? -twice : twice;
    return quotient + (gap > size || (gap == size && quotient % 2 != 0) ? 1 : 0);
}

struct Wanted {
    const ForwardCall& call;
    const Call& shape;
    const Cells& x;
    DType out;

    void at(const Index& index, char* to) const {
        const std::array<Index, 3> lists = taps(shape, index);
        const bool empty = lists[0].empty() || lists[1].empty() || lists[2].empty();
        if (call.reducer == Reducer::max || call.reducer == Reducer::min) return extreme(index, lists, empty, to);
        const int64_t by = divisor(shape, index, call.divisor, call.params.whole_number);
        // a window without taps is not divided, or a negative number would make its 0 a -0
        const bool number = call.divisor == Divisor::number;
        const double by_real = empty ? 1 : number ? call.params.number : static_cast<double>(by);
        if (numbers::whole(x.type) && call.reducer != Reducer::lp) {
            int128 total = 0;
            for (const int64_t d : lists[0])
                for (const int64_t h : lists[1])
                    for (const int64_t w : lists[2]) total += numbers::read_whole(x.type, x.at(joined(index, d, h, w)));
            const bool avg = call.reducer == Reducer::avg;
            if (numbers::whole(out)) return numbers::write_whole(out, to, avg ? half_even(total, by) : total);
            return numbers::write(out, to, static_cast<double>(total) / (avg ? by_real : 1));
        }
        if (numbers::wide(x.type) || numbers::wide(out))
            real<double>(index, lists, by_real, to);
        else
            real<float>(index, lists, by_real, to);
    }

private:
    template <class T>
    void real(const Index& index, const std::array<Index, 3>& lists, double by, char* to) const {
        for (const bool imaginary : {false, true}) {
            const T p = static_cast<T>(call.params.p);
            T v;
            if (call.reducer != Reducer::lp)
                v = sum_of<T>(shape, x, index, lists, imaginary, [](T t) { return t; });
            else if (p == 1)
                v = sum_of<T>(shape, x, index, lists, imaginary, [](T t) { return std::fabs(t); });
            else if (p == 2)
                v = std::sqrt(sum_of<T>(shape, x, index, lists, imaginary, [](T t) { return t * t; }));
            else if (std::isinf(p))
                v = largest<T>(index, lists);
            else
                v = std::pow(
                    sum_of<T>(shape, x, index, lists, imaginary, [p](T t) { return std::pow(std::fabs(t), p); }),
                    static_cast<T>(1 / call.params.p));
            if (call.reducer == Reducer::avg) v = v / static_cast<T>(by);
            numbers::write(out, to, v, imaginary);
            if (!numbers::paired(out)) return;
        }
    }

    template <class T>
    T largest(const Index& index, const std::array<Index, 3>& lists) const {
        T best = 0;
        for (const int64_t d : lists[0])
            for (const int64_t h : lists[1])
                for (const int64_t w : lists[2]) {
                    const T v = std::fabs(value_of<T>(x, x.at(joined(index, d, h, w)), false));
                    if (v > best || std::isnan(v)) best = v;
                    if (std::isnan(v)) return best;
                }
        return best;
    }

    void extreme(const Index& index, const std::array<Index, 3>& lists, bool empty, char* to) const {
        const bool max = call.reducer == Reducer::max;
        if (empty) {
            const bool is_signed = x.type >= DType::i8 && x.type <= DType::i64;
            const int bits = static_cast<int>(8 * numbers::size_of(x.type));
            if (!numbers::whole(x.type)) return numbers::write(out, to, max ? -HUGE_VALL : HUGE_VALL);
            if (x.type == DType::b8) return numbers::write_whole(out, to, max ? 0 : 1);
            const int128 top = (int128{1} << (is_signed ? bits - 1 : bits)) - 1;
            return numbers::write_whole(out, to, max ? (is_signed ? -top - 1 : 0) : top);
        }
        const char* best = nullptr;
        for (const int64_t d : lists[0])
            for (const int64_t h : lists[1])
                for (const int64_t w : lists[2]) {
                    const char* v = x.at(joined(index, d, h, w));
                    if (best == nullptr || numbers::nan(x.type, v) ||
                        (max ? numbers::less(x.type, best, v) : numbers::less(x.type, v, best)))
                        best = v;
                }
        std::memcpy(to, best, static_cast<size_t>(numbers::size_of(out)));
    }
};

DType result_type(Random& random, Reducer reducer, DType in) {
    constexpr DType sums[] = {DType::u8,  DType::i32,  DType::i64, DType::u64,
                              DType::f16, DType::bf16, DType::f32, DType::f64};
    if (reducer == Reducer::max || reducer == Reducer::min) return in;
    if (numbers::paired(in)) return random.of(numbers::kComplex);
    if (reducer == Reducer::lp || !numbers::whole(in) || in == DType::b8) return random.of(numbers::kFloats);
    if (reducer == Reducer::sum) return random.of(sums);
    return random.chance(2) ? in : random.of(numbers::kFloats);
}

// One random call on up to three threads. The sign of a zero maximum is left open by the contract.
bool right(Random& random, const Call& shape, Reducer reducer, DType in, bool tame, bool map = false) {
    constexpr double powers[] = {1, 2, 2, 3, 0.5, 2.5, HUGE_VAL};
    constexpr int64_t numbers_[] = {1, 2, 3, 7, -2, -7, 1000};
    const DType out = result_type(random, reducer, in);
    ForwardCall call{reducer, {}, static_cast<Divisor>(random.below(4)), static_cast<int>(random.between(1, 3))};
    call.params.in = in, call.params.out = out, call.params.p = random.of(powers);
    call.params.whole_number = random.of(numbers_), call.params.number = static_cast<double>(call.params.whole_number);
    const bool last = random.chance(2);
    const auto made = [&](DType t, bool input) {
        return map ? dense(t, shape.shape(input), last) : cells(random, t, shape.shape(input), random.chance(3), input);
    };
    const Cells x = made(in, true), y = made(out, false);
    fill(random, x, tame);
    Control control(nullptr);
    run_forward(call, shape.g, lay_out(shape, {&x, &y}), control);
    bool ok = true;
    const Wanted wanted{call, shape, x, out};
    each(y.shape, [&](const Index& at) {
        char expected[16] = {};
        wanted.at(at, expected);
        const bool zero =
            !numbers::paired(out) && numbers::read(out, expected) == 0 && numbers::read(out, y.at(at)) == 0;
        ok = ok && (numbers::same(out, y.at(at), expected) || (zero && reducer <= Reducer::min));
    });
    if (!ok)
        std::printf("reducer %d, %s to %s, p %g, divisor %d %g\n", static_cast<int>(reducer),
                    dtype_name(static_cast<int>(in)), dtype_name(static_cast<int>(out)), call.params.p,
                    static_cast<int>(call.divisor), call.params.number);
    return ok;
}

void every_type(Random& random) {
    for (const Reducer reducer : {Reducer::max, Reducer::min, Reducer::avg, Reducer::sum, Reducer::lp})
        for (const DType in : numbers::kAll) {
            if (numbers::paired(in) && reducer != Reducer::avg && reducer != Reducer::sum) continue;
            for (int round = 0; round < 60; ++round)
                CHECK(right(random, small_call(random, 6000), reducer, in, random.chance(2)));
            for (int round = 0; round < 4; ++round) {
                CHECK(right(random, map_call(random), reducer, in, random.chance(2), true));
                CHECK(right(random, plane_call(random), reducer, in, random.chance(2), true));
                CHECK(right(random, batch_call(random), reducer, in, random.chance(2), true));
                CHECK(right(random, batch_call(random), reducer, in, random.chance(2), false));
                for (int parts = 0; parts < 5; ++parts)
                    CHECK(right(random, parts_call(random), reducer, in, random.chance(2), true));
            }
        }
}

// Window sizes on both sides of every threshold of the tree, many windows side by side and one alone.
void thresholds(Random& random) {
    constexpr int64_t widths[] = {1, 15, 16, 17, 31, 32, 33, 127, 128, 129, 143, 144, 145, 255, 256, 257, 385};
    constexpr int64_t rows[] = {1, 15, 16, 17, 31, 32, 33, 48, 49, 65, 113};
    for (const int64_t width : widths)
        for (const int64_t row : rows) {
            Call call;
            const int64_t lanes = width * row < 3000 ? 17 : 2;
            if (random.chance(2)) call.outer = {random.chance(2) ? lanes : 1};
            call.g.axis[1] = slide(row, row, 1, 1, 0, 0);
            call.g.axis[2] = slide(width + (call.outer.empty() ? lanes - 1 : 0), width, 1, 1, 0, 0);
            if (row == 48) call.g.axis[0] = slide(4, 3, 1, 1, 0, 0), call.g.axis[1] = slide(16, 16, 1, 1, 0, 0);
            const Reducer reducer = random.chance(3) ? Reducer::lp : random.chance(2) ? Reducer::avg : Reducer::sum;
            CHECK(right(random, call, reducer, random.chance(4) ? DType::f64 : DType::f32, true));
        }
}

// Rows of outputs longer than a segment, whole or broken into runs of one.
void segments(Random& random) {
    for (const int64_t outputs : {127, 128, 129, 257, 2047, 2048, 2049}) {
        Call call;
        call.g.axis[2] = slide(outputs + 2, 3, 1, 1, 0, 0);
        CHECK(right(random, call, Reducer::sum, DType::f32, true));
        call.g.axis[2] = spans(random, 50, outputs, 4);
        CHECK(right(random, call, Reducer::avg, DType::i16, true));
        call.outer = {9};
        CHECK(right(random, call, Reducer::max, DType::f16, false));
    }
}

// An int64 sum that only 128 bits hold, and an average whose divisor is as far down as it goes.
void widest(Random& random) {
    Call call;
    call.g.axis[2] = slide(64, 64, 1, 1, 0, 0);
    for (const DType in : {DType::i64, DType::u64, DType::i32})
        for (const int64_t number : {INT64_MIN, INT64_MIN + 1, INT64_MAX, int64_t{-1}, int64_t{64}}) {
            ForwardCall forward{Reducer::avg, {}, Divisor::number, 1};
            forward.params.in = forward.params.out = in;
            forward.params.whole_number = number, forward.params.number = static_cast<double>(number);
            const Cells x = cells(random, in, call.shape(true), true, false),
                        y = cells(random, in, call.shape(false), true, false);
            std::fill_n(x.memory.get(), 64 * numbers::size_of(in), in == DType::u64 ? '\xff' : '\x7f');
            Control control(nullptr);
            run_forward(forward, call.g, lay_out(call, {&x, &y}), control);
            char expected[8];
            Wanted{forward, call, x, in}.at(Index{0, 0, 0}, expected);
            CHECK(numbers::same(in, y.first, expected));
        }
}

// Nothing to compute is no error; what has no meaning is one.
void edges() {
    Random random{5};
    Call call;
    call.outer = {0};
    const Cells x = cells(random, DType::f32, call.shape(true), true, false),
                y = cells(random, DType::f32, call.shape(false), true, false);
    Control control(nullptr);
    ForwardCall forward{Reducer::sum, {}, Divisor::inside, 2};
    run_forward(forward, call.g, lay_out(call, {&x, &y}), control);
    CHECK(y.memory[0] == '\x55');
    for (const Reducer reducer : {Reducer::max, Reducer::min, Reducer::lp}) {
        forward.reducer = reducer;
        forward.params.in = forward.params.out = DType::c64;
        CHECK_THROWS(std::invalid_argument, run_forward(forward, call.g, lay_out(call, {&x, &y}), control));
    }
    forward = {Reducer::avg, {}, Divisor::number, 1};
    forward.params.in = forward.params.out = DType::i32;
    forward.params.whole_number = 0;
    CHECK_THROWS(std::invalid_argument, run_forward(forward, call.g, lay_out(call, {&x, &y}), control));
}

}  // namespace

int main() {
    work_per_thread = 1;
    use_forced_target();
    Random random{3};
    every_type(random);
    thresholds(random);
    segments(random);
    widest(random);
    edges();
    CHECK(threads_started > 2000);
    return check::verdict();
}
