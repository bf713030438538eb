// Unpooling: every value to its cell, the last writer staying; bad indices before anything is written.
#include "cases.hpp"
#include "engines/unpool.hpp"

using namespace cases;

namespace {

struct Arrays {
    Cells y, indices, out;
    UnpoolShape shape;
    std::vector<int64_t> outer;
    Layout layout;
};

Arrays arrays(Random& random, DType type) {
    Call call;
    for (int64_t n = random.below(3); n > 0; --n) call.outer.push_back(random.between(1, 9));
    UnpoolShape shape;
    Index in = call.outer, out = call.outer;
    for (size_t a = 0; a < 3; ++a) {
        shape.in[a] = random.between(1, 6), shape.out[a] = random.between(1, 8);
        in.push_back(shape.in[a]), out.push_back(shape.out[a]);
    }
    Arrays a{cells(random, type, in, random.chance(2), true),
             cells(random, DType::i64, in, random.chance(2), true),
             cells(random, type, out, random.chance(2), false),
             shape,
             call.outer,
             {}};
    fill(random, a.y, false);
    each(in, [&](const Index& at) { numbers::put<int64_t>(a.indices.at(at), random.between(-1, shape.total() - 1)); });
    each(out, [&](const Index& at) { std::memset(a.out.at(at), 0x55, static_cast<size_t>(numbers::size_of(type))); });
    a.layout = lay_out(call, {&a.y, &a.indices, &a.out});
    return a;
}

bool right(Random& random, DType type, int threads) {
    const Arrays a = arrays(random, type);
    Control control(nullptr);
    const int64_t before = threads_started;
    const IndexCheck check = unpool(a.layout, a.shape, type, threads, control);
    if (!check.ok) return false;
    int64_t planes_in_all = 1;
    for (const int64_t n : a.outer) planes_in_all *= n;
    // two walks: the indices are looked at before anything is written
    if (threads_started - before != 2 * (std::min<int64_t>(threads, planes_in_all) - 1)) return false;
    const auto size = static_cast<size_t>(numbers::size_of(type));
    std::vector<std::vector<char>> wanted;
    Index planes = a.outer;
    bool ok = true;
    each(planes, [&](const Index& plane) {
        std::vector<std::vector<char>> cells_of(static_cast<size_t>(a.shape.total()), std::vector<char>(size, 0));
        each({a.shape.in[0], a.shape.in[1], a.shape.in[2]}, [&](const Index& at) {
            Index from = plane;
            from.insert(from.end(), at.begin(), at.end());
            const auto index = numbers::get<int64_t>(a.indices.at(from));
            if (index >= 0) cells_of[static_cast<size_t>(index)].assign(a.y.at(from), a.y.at(from) + size);
        });
        size_t k = 0;
        each({a.shape.out[0], a.shape.out[1], a.shape.out[2]}, [&](const Index& at) {
            Index to = plane;
            to.insert(to.end(), at.begin(), at.end());
            ok = ok && std::memcmp(a.out.at(to), cells_of[k++].data(), size) == 0;
        });
    });
    return ok;
}

void bad_indices(Random& random) {
    for (int round = 0; round < 60; ++round) {
        const Arrays a = arrays(random, DType::f32);
        const int64_t total = a.shape.total();
        const int64_t wrong[] = {total, -2, INT64_MAX, INT64_MIN, total + 1};
        const int64_t bad = random.of(wrong);
        Index at = a.indices.shape;
        for (int64_t& i : at) i = random.below(i);
        numbers::put(a.indices.at(at), bad);
        Control control(nullptr);
        const IndexCheck check = unpool(a.layout, a.shape, DType::f32, 2, control);
        bool untouched = true;
        each(a.out.shape,
             [&](const Index& cell) { untouched = untouched && numbers::get<uint32_t>(a.out.at(cell)) == 0x55555555; });
        CHECK(!check.ok && check.bad == bad && untouched);
    }
}

}  // namespace

int main() {
    work_per_thread = 1;
    Random random{7};
    for (const DType type : numbers::kAll)
        for (int round = 0; round < 40; ++round) CHECK(right(random, type, 1 + round % 3));
    bad_indices(random);
    return check::verdict();
}
