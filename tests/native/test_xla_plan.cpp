// Calls written down for XLA: what is read is what was written, and a text that was changed is an error or another call,
// but never memory that is not ours.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "bindings/xla_plan.hpp"
#include "cases.hpp"

using namespace cases;

namespace {

using Table = std::vector<int64_t>;

std::string written(const Table& table) {
    std::string runs;
    int64_t n = 0;
    for (size_t i = 0; i < table.size(); ++n) {
        size_t end = i + 1;
        const int64_t delta = end < table.size() ? table[end] - table[i] : 0;
        while (end < table.size() && table[end] - table[end - 1] == delta) ++end;
        runs += " " + std::to_string(table[i]) + " " + std::to_string(delta) + " " + std::to_string(end - i);
        i = end;
    }
    return " " + std::to_string(n) + runs;
}

std::string written(const std::vector<AxisTable>& axes) {
    std::string text = "0 0 1 0 0 " + std::to_string(axes.size());
    for (size_t i = 0; i < axes.size(); ++i) {
        const AxisTable& t = axes[i];
        text += " " + std::to_string(static_cast<int64_t>(i) - static_cast<int64_t>(axes.size())) + " " +
                std::to_string(t.in) + " " + std::to_string(t.out());
        for (const Table* table : {&t.start, &t.count, &t.step, &t.padded, &t.window, &t.skipped})
            text += written(*table);
    }
    return text;
}

AxisTable drawn(Random& random) {
    const int64_t length = random.between(1, 30), size = random.between(1, 5);
    return slide(length, size, random.between(1, 4), random.between(1, 2), random.below(4), random.below(4) + 8);
}

void read_as_written(Random& random) {
    for (int turn = 0; turn < 500; ++turn) {
        std::vector<AxisTable> axes;
        for (int64_t rank = random.between(1, 3); rank > 0; --rank) axes.push_back(drawn(random));
        const XlaPlan plan(written(axes));
        CHECK(plan.rank == axes.size());
        for (size_t i = 0; i < axes.size(); ++i) {
            const AxisTable &got = plan.geometry.axis[kMostPooled - axes.size() + i], &want = axes[i];
            CHECK(got.in == want.in && got.start == want.start && got.count == want.count && got.step == want.step);
            CHECK(got.padded == want.padded && got.window == want.window && got.skipped == want.skipped);
            CHECK(plan.from_end[i] == static_cast<int64_t>(axes.size() - i));
        }
    }
}

// No number of more than five digits: a table may be as long as it says, and memory for it is not the matter here.
bool small(const std::string& text) {
    size_t digits = 0;
    for (const char c : text) {
        digits = c >= '0' && c <= '9' ? digits + 1 : 0;
        if (digits > 5) return false;
    }
    return true;
}

void changed(Random& random) {
    constexpr char kLetters[] = "0123456789 -x";
    long refused = 0;
    for (int turn = 0; turn < 20000; ++turn) {
        std::string text = written(std::vector<AxisTable>{drawn(random), drawn(random)});
        for (int64_t changes = random.between(1, 3); changes > 0; --changes) {
            const auto at = static_cast<size_t>(random.below(static_cast<int64_t>(text.size())));
            const char letter = kLetters[random.below(13)];
            if (random.chance(3))
                text.erase(at, static_cast<size_t>(random.between(1, 9)));
            else if (random.chance(2))
                text.insert(at, 1, letter);
            else
                text[at] = letter;
            if (text.empty()) text = "0";
        }
        if (!small(text)) continue;
        try {
            const XlaPlan plan(text);
            for (const AxisTable& t : plan.geometry.axis)
                for (size_t i = 0; i < t.start.size(); ++i)
                    CHECK(t.count[i] == 0 || (t.start[i] >= 0 && t.start[i] + (t.count[i] - 1) * t.step[i] < t.in));
        } catch (const std::invalid_argument&) {
            ++refused;
        }
    }
    CHECK(refused > 1000);
}

void kept_and_shared() {
    Random random{7};
    std::vector<std::string> texts;
    for (int i = 0; i < 400; ++i) texts.push_back(written(std::vector<AxisTable>{drawn(random), drawn(random)}));
    const auto first = XlaPlans::instance().find(texts[0]);
    CHECK(XlaPlans::instance().find(texts[0]) == first);
    std::vector<std::thread> threads;
    std::atomic<bool> ok{true};
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (size_t i = 0; i < 4 * texts.size(); ++i) {
                const std::string& text = texts[(i * static_cast<size_t>(2 * t + 1)) % texts.size()];
                if (XlaPlans::instance().find(text)->text != text) ok = false;
            }
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(ok);
    CHECK(first->text == texts[0]);  // whoever holds it keeps it
}

}  // namespace

int main() {
    Random random{3};
    read_as_written(random);
    changed(random);
    kept_and_shared();
    return check::verdict();
}
