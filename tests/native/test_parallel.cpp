// The parallel loop: every unit once, stopping, exceptions, and no thread left behind.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>

#include "cases.hpp"
#include "engines/unpool.hpp"

using namespace cases;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int64_t kPlenty = int64_t{1} << 40;
// Seconds: polls are 50 ms apart, but a sanitizer on a busy machine is slow, and an emulated processor is slower.
#if defined(CENOTE_EMULATED)
constexpr double kPrompt = 120;
#else
constexpr double kPrompt = 3;
#endif

// Threads of this process where the system tells; -1 elsewhere.
int64_t threads_alive() {
    std::error_code missing;
    const std::filesystem::directory_iterator tasks("/proc/self/task", missing);
    return missing ? -1 : std::distance(begin(tasks), end(tasks));
}

void each_unit_once() {
    for (const int64_t units : {0, 1, 2, 15, 16, 17, 1000, 12345})
        for (const int threads : {1, 2, 3, 7, 64}) {
            std::vector<std::atomic<int>> seen(static_cast<size_t>(units));
            Control control(nullptr);
            parallel_for(units, kPlenty, threads, control, [&](int64_t begin, int64_t end, Ticker&) {
                for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
            });
            CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
        }
}

void small_work_stays_here() {
    bool here = true;
    const auto caller = std::this_thread::get_id();
    Control control(nullptr);
    parallel_for(100, kWorkPerThread - 1, 8, control,
                 [&](int64_t, int64_t, Ticker&) { here = here && std::this_thread::get_id() == caller; });
    CHECK(here);
}

void exceptions_arrive() {
    const auto caller = std::this_thread::get_id();
    const int64_t before = threads_alive();
    for (const bool by_caller : {true, false})
        for (int round = 0; round < 20; ++round) {
            Control control(nullptr);
            std::atomic<bool> thrown{false};
            std::string message;
            try {
                parallel_for(1'000'000, kPlenty, 4, control, [&](int64_t, int64_t, Ticker&) {
                    if ((std::this_thread::get_id() == caller) == by_caller && !thrown.exchange(true))
                        throw std::runtime_error("from the body");
                    // whoever does not throw leaves work for the one that will
                    for (int i = 0; i < 5000 && !thrown; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                });
            } catch (const std::runtime_error& error) {
                message = error.what();
            }
            CHECK(message == "from the body");
        }
    // all of them at once: one arrives
    Control control(nullptr);
    CHECK_THROWS(std::bad_alloc,
                 parallel_for(64, kPlenty, 4, control, [](int64_t, int64_t, Ticker&) { throw std::bad_alloc(); }));
    CHECK(threads_alive() == before);
}

// An exception of poll itself ends the call like any other, on whatever side of the work it comes.
void poll_may_throw() {
    const int64_t before = threads_alive();
    const auto caller = std::this_thread::get_id();
    for (const bool while_waiting : {false, true}) {
        Control control([]() -> bool { throw std::runtime_error("from poll"); });
        std::atomic<bool> other_works{false};
        const auto body = [&](int64_t, int64_t, Ticker& ticker) {
            const bool here = std::this_thread::get_id() == caller;
            other_works = other_works || !here;
            for (int i = 0; i < 5000; ++i) {
                if (here && while_waiting && other_works) return;
                if ((!here || !while_waiting) && !ticker.go_on(1 << 20)) return;
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        };
        CHECK_THROWS(std::runtime_error, parallel_for(4, kPlenty, 4, control, body));
    }
    CHECK(threads_alive() == before);
}

void never_polled_when_quick() {
    bool polled = false;
    Control control([&] { return polled = true; });
    parallel_for(10, 10, 2, control, [](int64_t, int64_t, Ticker& ticker) { ticker.go_on(1); });
    CHECK(!polled);
}

// Runs a call that would take hours, stops it at the first poll.
void stops(const char* name, const std::function<void(int threads, Control&)>& call) {
    for (const int threads : {1, 3}) {
        const int64_t before = threads_alive();
        const auto caller = std::this_thread::get_id();
        bool on_caller = true, stopped = false;
        int polls = 0;
        Control control([&] {
            on_caller = on_caller && std::this_thread::get_id() == caller;
            return ++polls == 2;
        });
        const auto began = Clock::now();
        try {
            call(threads, control);
        } catch (const Stopped&) {
            stopped = true;
        }
        const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
        if (!stopped || seconds > kPrompt) std::printf("%s, %d threads: %.1f s\n", name, threads, seconds);
        CHECK(stopped && polls == 2 && on_caller);
        CHECK(seconds < kPrompt);
        CHECK(threads_alive() == before);
    }
}

// Hours of work on a few bytes: every axis of every array repeats one cell, but for the results of a small team.
Layout repeating(const Call& call, std::vector<char>& memory, size_t arrays) {
    Layout layout;
    memory.assign(4 * 64, 0);
    for (const int64_t extent : call.outer) {
        const int64_t apart = extent <= 4 ? 8 : 0;
        layout.outer.push_back({extent, {0, apart, apart, 0}});
    }
    for (size_t a = 0; a < arrays; ++a) layout.array[a].data = memory.data() + 64 * a;
    return layout;
}

AxisTable constant(int64_t length, int64_t outputs, int64_t start, int64_t count) {
    AxisTable t = bare(length);
    const auto n = static_cast<size_t>(outputs);
    t.start.assign(n, start), t.count.assign(n, count), t.step.assign(n, 1), t.padded.assign(n, 1),
        t.window.assign(n, 1), t.skipped.assign(n, 0);
    t.check_and_prepare();
    return t;
}

void calls_stop() {
    std::vector<char> memory;
    Call one;  // one enormous window
    one.g.axis[1] = constant(1 << 20, 1, 0, 1 << 20), one.g.axis[2] = constant(1 << 24, 1, 0, 1 << 24);
    Call tall = one;
    tall.g.axis[2] = constant(1, 1, 0, 1), tall.g.axis[0] = constant(1 << 22, 1, 0, 1 << 22);
    Call team = one;  // work for several threads, a cell of the result for each
    team.outer = {4};
    const auto forward = [&](const Call& shape, Reducer reducer, double p) {
        return [&, reducer, p](int threads, Control& control) {
            ForwardCall call{reducer, {}, Divisor::inside, threads};
            call.params.p = p;
            run_forward(call, shape.g, repeating(shape, memory, 2), control);
        };
    };
    stops("sum", forward(one, Reducer::sum, 2));
    stops("max", forward(one, Reducer::max, 2));
    stops("sum by several", forward(team, Reducer::sum, 2));
    stops("max by several", forward(team, Reducer::max, 2));
    stops("lp", forward(tall, Reducer::lp, 2.5));
    stops("avg", forward(tall, Reducer::avg, 2));
    const auto select = [&](const Call& shape, const char* name) {
        stops(name, [&](int threads, Control& control) {
            run_select({Reducer::max, {}, Divisor::inside, threads}, shape.g, repeating(shape, memory, 3), DType::i64,
                       Position::indices, control);
        });
    };
    select(one, "winner");
    select(team, "winner by several");
    select(tall, "winner of a column");
    // Many units of little work each. One thread: all of them write to one cell.
    Call empty;
    empty.outer = {int64_t{1} << 40};
    empty.g.axis[2] = constant(5, 1, 0, 0);
    Call many = empty;
    many.g.axis[2] = constant(5, 1, 0, 2);
    // The last window comes first: the search for the holders of a cell finds few and looks at all.
    Call scattered;
    scattered.outer = {int64_t{1} << 30};
    scattered.g.axis[2] = bare(1000);
    for (int64_t i = 0; i < 100'000; ++i) add(scattered.g.axis[2], {i == 0 ? 999 : i == 99'999 ? 0 : 500}, 1, 1);
    scattered.g.axis[2].check_and_prepare();
    scattered.g.axis[1] = scattered.g.axis[2];
    const auto single = [&](const char* name, const std::function<void(Control&)>& call) {
        stops(name, [&](int, Control& control) { call(control); });
    };
    for (const Call* shape : {&empty, &many}) {
        single("many windows", [&](Control& control) {
            run_forward({Reducer::sum, {}, Divisor::inside, 1}, shape->g, repeating(*shape, memory, 2), control);
        });
        single("many winners", [&](Control& control) {
            run_select({Reducer::max, {}, Divisor::inside, 1}, shape->g, repeating(*shape, memory, 3), DType::i64,
                       Position::indices, control);
        });
    }
    for (const Call* shape : {&empty, &many, &scattered})
        for (const Reducer reducer : {Reducer::sum, Reducer::max, Reducer::lp})
            single("gradient", [&](Control& control) {
                run_backward({reducer, {}, Divisor::inside, 1}, shape->g, repeating(*shape, memory, 4), DType::f32,
                             reducer == Reducer::max ? DType::u8 : DType::f32, control);
            });
    for (const int64_t width : {int64_t{1}, int64_t{1000}, int64_t{1} << 40})
        single("unpooling", [&](Control& control) {
            UnpoolShape shape;
            shape.in[2] = width;
            Call planes;
            planes.outer = {int64_t{1} << (width > 1000 ? 10 : 40)};
            unpool(repeating(planes, memory, 3), shape, DType::u8, 1, control);
        });
}

// What was asked of a Control stays asked.
void stopped_before() {
    Control control(nullptr);
    control.stop();
    bool ran = false;
    CHECK_THROWS(Stopped, parallel_for(5, kPlenty, 2, control, [&](int64_t, int64_t, Ticker&) { ran = true; }));
    CHECK(!ran);
}

}  // namespace

int main() {
    each_unit_once();
    small_work_stays_here();
    exceptions_arrive();
    poll_may_throw();
    never_polled_when_quick();
    calls_stop();
    stopped_before();
    return check::verdict();
}
