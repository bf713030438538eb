// Axis tables: what is refused, what backward may rely on, and how outputs are grouped into runs.
#include <limits>

#include "cases.hpp"
#include "engines/backward.hpp"

using namespace cases;

namespace {

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

AxisTable one(int64_t length, int64_t start, int64_t count, int64_t step) {
    AxisTable t = bare(length);
    t.start = {start}, t.count = {count}, t.step = {step}, t.padded = {1}, t.window = {1}, t.skipped = {0};
    return t;
}

void refused() {
    const int64_t wrong[][4] = {
        {5, 5, 1, 1},     {5, -1, 1, 1},         {5, 0, 6, 1},         {5, 0, 3, 3},         {5, 0, 1, 0},
        {5, 0, 2, -1},    {5, 0, -1, 1},         {5, 4, 2, 1},         {5, 0, kHuge, 1},     {5, 0, 2, kHuge},
        {5, kHuge, 1, 1}, {5, kHuge, kHuge, 1},  {5, 1, kHuge, kHuge}, {kHuge, 1, kHuge, 1}, {0, 0, 1, 1},
        {-5, 0, 1, 1},    {-kHuge - 1, 0, 1, 1}, {5, 0, 0, 0},         {5, -1, 0, 1},
    };
    for (const auto& [length, start, count, step] : wrong)
        CHECK_THROWS(std::invalid_argument, one(length, start, count, step).check_and_prepare());
    const int64_t right[][4] = {
        {5, 4, 1, 1}, {5, 0, 5, 1}, {5, 0, 2, 4}, {kHuge, 0, kHuge, 1}, {kHuge, 0, 2, kHuge - 1}, {0, 0, 0, 1}};
    for (const auto& [length, start, count, step] : right) {
        AxisTable t = one(length, start, count, step);
        t.check_and_prepare();
        CHECK(t.most_taps == count);
    }
    for (std::vector<int64_t> AxisTable::* column : {&AxisTable::start, &AxisTable::count, &AxisTable::step,
                                                     &AxisTable::padded, &AxisTable::window, &AxisTable::skipped}) {
        AxisTable t = one(5, 0, 1, 1);
        (t.*column).push_back(1);
        CHECK_THROWS(std::invalid_argument, t.check_and_prepare());
    }
}

// Entries that nothing is read through must not enter address arithmetic, where they would overflow.
void harmless() {
    AxisTable empty = one(5, kHuge, 0, kHuge);
    empty.check_and_prepare();
    CHECK(empty.start[0] == 0 && empty.step[0] == 1);
    AxisTable single = one(5, 4, 1, kHuge);
    single.check_and_prepare();
    CHECK(single.start[0] == 4 && single.step[0] == 1);
}

void holders_are_all_windows(Random& random) {
    bool ok = true;
    for (int round = 0; round < 400; ++round) {
        const AxisTable t = any_axis(random, 12);
        for (int64_t x = 0; x < t.in; ++x) {
            std::vector<Holder> found;
            holders(t, x, found);
            size_t k = 0;
            for (int64_t i = 0; i < t.out(); ++i)
                for (int64_t j = 0; j < t.count[static_cast<size_t>(i)]; ++j)
                    if (t.start[static_cast<size_t>(i)] + j * t.step[static_cast<size_t>(i)] == x) {
                        ok = ok && k < found.size() && found[k].out == i && found[k].tap == j;
                        ++k;
                    }
            ok = ok && k == found.size();
        }
    }
    CHECK(ok);
}

void runs_cover_the_axis(Random& random) {
    bool ok = true;
    for (int round = 0; round < 600; ++round) {
        const AxisTable t =
            random.chance(2) ? any_axis(random, 20) : slide(random.between(20, 80), 3, random.between(1, 2), 1, 1, 1);
        const int64_t most = random.chance(4) ? 1 : kLanes;
        int64_t next = 0;
        for (const Run& run : runs_along(t, most)) {
            ok = ok && run.first == next && run.n >= 1 && run.n <= most;
            next += run.n;
            for (int64_t i = 0; i < run.n; ++i) {
                const auto a = static_cast<size_t>(run.first), b = static_cast<size_t>(run.first + i);
                ok = ok && t.start[b] == t.start[a] + i * run.distance && t.count[b] == t.count[a] &&
                     t.step[b] == t.step[a] && t.padded[b] == t.padded[a] && t.window[b] == t.window[a] &&
                     t.skipped[b] == t.skipped[a];
            }
        }
        ok = ok && next == t.out();
    }
    CHECK(ok);
    const std::vector<Run> even = runs_along(slide(33, 1, 1, 1, 0, 0), kLanes);
    CHECK(even.size() == 3 && even[0].n == 16 && even[1].n == 16 && even[2].n == 1);
}

void boxes_and_rows() {
    Geometry g;
    CHECK(g.box() == 1);
    g.axis[1] = slide(9, 3, 1, 1, 0, 0), g.axis[2] = slide(9, 5, 1, 1, 4, 4);
    CHECK(g.box() == 15);
    g.axis[2] = slide(1, 2, 1, 2, 1, 1);  // windows of padding alone
    CHECK(g.axis[2].most_taps == 0 && g.box() == 3);
    const Rows rows{2, 3, 4, 5};
    int64_t unit = 0;
    bool ok = rows.total() == 120;
    for (int64_t o = 0; o < 2; ++o)
        for (int64_t d = 0; d < 3; ++d)
            for (int64_t h = 0; h < 4; ++h)
                for (int64_t s = 0; s < 5; ++s, ++unit) {
                    const RowAt at = row_at(rows, unit);
                    ok = ok && at.outer == o && at.d == d && at.h == h && at.segment == s;
                }
    CHECK(ok);
}

}  // namespace

int main() {
    Random random{2};
    refused();
    harmless();
    holders_are_all_windows(random);
    runs_cover_the_axis(random);
    boxes_and_rows();
    return check::verdict();
}
