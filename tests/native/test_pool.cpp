// The workers behind the parallel loop: shares and stealing, who waits for whom, and that idle ones cost nothing.
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "threads/parallel.hpp"
#include "threads/share.hpp"

using namespace cenote;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int64_t kPlenty = int64_t{1} << 40;

// Until `yes`, or too long.
bool wait_for(const std::function<bool()>& yes) {
    for (int i = 0; i < 20'000 && !yes(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return yes();
}

// Within its life small calls use all threads asked for, and each does some of the work.
struct Eager {
    Eager() { work_per_thread = 1; }
    ~Eager() { work_per_thread = kWorkPerThread; }
};

template <class Body>
void loop(int64_t units, int threads, const Body& body) {
    Control control(nullptr);
    parallel_for(units, kPlenty, threads, control, body);
}

void a_share_is_taken_in_order() {
    Share share;
    Share::Range taken{};
    CHECK(!share.take_front(1, taken) && !share.take_back_half(taken));
    share.set({10, 110});
    CHECK(share.take_front(1, taken) && taken.begin == 10 && taken.end == 35);
    CHECK(share.take_back_half(taken) && taken.begin == 72 && taken.end == 110);
    CHECK(share.take_front(30, taken) && taken.begin == 35 && taken.end == 65);
    CHECK(share.take_front(30, taken) && taken.begin == 65 && taken.end == 72);
    CHECK(!share.take_front(1, taken) && !share.take_back_half(taken));
    share.set({5, 6});  // the last unit goes to whoever comes first
    CHECK(share.take_back_half(taken) && taken.begin == 5 && taken.end == 6);
    const uint32_t most = uint32_t{1} << 31;
    share.set({0, most});
    CHECK(share.take_back_half(taken) && taken.begin == most / 2 && taken.end == most);
}

void a_share_goes_to_one_each() {
    constexpr uint32_t units = 20'000;
    for (int round = 0; round < 10; ++round) {
        Share share;
        share.set({0, units});
        std::vector<std::atomic<int>> seen(units);
        const auto take = [&](bool owner) {
            Share::Range taken{};
            while (owner ? share.take_front(1, taken) : share.take_back_half(taken))
                for (uint32_t i = taken.begin; i < taken.end; ++i) ++seen[i];
        };
        std::thread thief(take, false), other(take, false);
        take(true);
        thief.join(), other.join();
        CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
    }
}

void threads_are_kept() {
    std::set<std::thread::id> ever;
    const auto caller = std::this_thread::get_id();
    const Eager eager;
    for (int round = 0; round < 300; ++round) {
        const size_t team = round % 2 == 0 ? 3 : 2;
        std::vector<std::thread::id> who(6);
        loop(6, static_cast<int>(team), [&](int64_t begin, int64_t end, Ticker&) {
            for (int64_t i = begin; i < end; ++i) who[static_cast<size_t>(i)] = std::this_thread::get_id();
        });
        const std::set<std::thread::id> all(who.begin(), who.end());
        CHECK(all.size() == team && all.contains(caller));
        ever.insert(all.begin(), all.end());
    }
    CHECK(threads_created == 2);
    CHECK(ever.size() == 3);
    for (int round = 0; round < 3; ++round) {
        loop(100, 9, [](int64_t, int64_t, Ticker&) {});
        CHECK(threads_created == 8);
    }
}

// Two threads keep to their halves as long as both have something to do.
void halves_are_contiguous() {
    const Eager eager;
    const auto caller = std::this_thread::get_id();
    std::atomic<int64_t> first[2] = {-1, -1};
    loop(1000, 2, [&](int64_t begin, int64_t, Ticker&) {
        const int me = std::this_thread::get_id() == caller ? 0 : 1;
        if (first[me] >= 0) return;
        first[me] = begin;
        wait_for([&] { return first[1 - me] >= 0; });
    });
    CHECK(first[0] == 0 && first[1] == 500);
}

// Whoever is held up by one unit finds the rest done by the other.
void the_idle_take_over() {
    const auto caller = std::this_thread::get_id();
    const Eager eager;
    for (const bool caller_is_slow : {true, false}) {
        std::atomic<bool> held{false}, in_time{false};
        std::atomic<int64_t> done{0};
        loop(64, 2, [&](int64_t begin, int64_t end, Ticker&) {
            if ((std::this_thread::get_id() == caller) == caller_is_slow && !held.exchange(true))
                in_time = wait_for([&] { return done == 64 - (end - begin); });
            done += end - begin;
        });
        CHECK(done == 64 && held && in_time);
    }
}

// A worker that comes late finds nothing to do, and nobody has waited for it.
void the_caller_does_not_wait_for_late_ones() {
    const auto caller = std::this_thread::get_id();
    int alone = 0;
    for (int round = 0; round < 50; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the worker falls asleep
        std::atomic<int> by_caller{0};
        loop(2, 2, [&](int64_t begin, int64_t end, Ticker&) {
            if (std::this_thread::get_id() == caller) by_caller += static_cast<int>(end - begin);
        });
        alone += by_caller == 2;
    }
    CHECK(alone > 0);
}

void calls_within_calls() {
    for (const bool eagerly : {false, true}) {
        if (eagerly) work_per_thread = 1;
        std::atomic<int64_t> sum{0};
        std::atomic<bool> strangers{false};
        loop(40, 3, [&](int64_t begin, int64_t end, Ticker&) {
            for (int64_t i = begin; i < end; ++i) {
                const auto here = std::this_thread::get_id();
                loop(50, 3, [&](int64_t first, int64_t last, Ticker&) {
                    strangers = strangers || std::this_thread::get_id() != here;
                    for (int64_t j = first; j < last; ++j) sum += i * 50 + j;
                });
            }
        });
        work_per_thread = kWorkPerThread;
        CHECK(sum == 2000 * 1999 / 2 && !strangers);
        bool caught = false;
        try {
            loop(8, 2, [](int64_t, int64_t, Ticker&) {
                loop(8, 2, [](int64_t, int64_t, Ticker&) { throw std::runtime_error("from within"); });
            });
        } catch (const std::runtime_error&) {
            caught = true;
        }
        CHECK(caught);
    }
}

void callers_at_once() {
    const int64_t before = threads_started;
    const Eager eager;
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int c = 0; c < 8; ++c)
        callers.emplace_back([&wrong, c] {
            std::vector<int64_t> cells(64);
            for (int round = 0; round < 400; ++round) {
                loop(64, 2 + (c + round) % 3, [&](int64_t begin, int64_t end, Ticker&) {
                    for (int64_t i = begin; i < end; ++i) cells[static_cast<size_t>(i)] = i * round + c;
                });
                for (int64_t i = 0; i < 64; ++i) wrong += cells[static_cast<size_t>(i)] != i * round + c;
            }
        });
    for (std::thread& caller : callers) caller.join();
    CHECK(wrong == 0);
    CHECK(threads_started > before);
}

// A failed call leaves the workers to the next one.
void failures_leave_nothing() {
    for (int round = 0; round < 200; ++round) {
        CHECK_THROWS(std::runtime_error, loop(50, 4, [&](int64_t begin, int64_t end, Ticker&) {
            if (begin <= round % 50 && round % 50 < end) throw std::runtime_error("from the body");
        }));
        std::atomic<int64_t> done{0};
        loop(50, 4, [&](int64_t begin, int64_t end, Ticker&) { done += end - begin; });
        CHECK(done == 50);
    }
}

void signals_go_elsewhere() {
    const Eager eager;
    const auto caller = std::this_thread::get_id();
    std::atomic<int> blocked{0}, open{0};
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    loop(8, 3, [&](int64_t, int64_t, Ticker&) {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        const bool here = std::this_thread::get_id() == caller;
        for (const int number : {SIGINT, SIGTERM, SIGALRM, SIGCHLD, SIGUSR1, SIGPIPE})
            if (!here) ++(sigismember(&mask, number) == 1 ? blocked : open);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    });
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    CHECK(blocked > 0 && open == 0);
    for (const int number : {SIGINT, SIGTERM, SIGALRM})
        CHECK(sigismember(&before, number) == sigismember(&after, number));
}

void idle_workers_sleep() {
    const auto processor = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * t.tv_usec; };
        return seconds(usage.ru_utime) + seconds(usage.ru_stime);
    };
    {
        const Eager eager;
        loop(100, 9, [](int64_t, int64_t, Ticker&) {});
    }
    const double before = processor();
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    CHECK(processor() - before < 0.1);  // eight that spin would take as much as the cores give, 0.4 s at the least
}

}  // namespace

int main() {
    a_share_is_taken_in_order();
    a_share_goes_to_one_each();
    threads_are_kept();
    halves_are_contiguous();
    the_idle_take_over();
    the_caller_does_not_wait_for_late_ones();
    calls_within_calls();
    callers_at_once();
    failures_leave_nothing();
    signals_go_elsewhere();
    idle_workers_sleep();
    return check::verdict();
}
