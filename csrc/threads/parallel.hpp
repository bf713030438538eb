// A parallel loop that can be stopped.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "threads/control.hpp"
#include "threads/pool.hpp"

namespace cenote {

// Nanoseconds for which one more thread is asked: shorter calls take longer on two than on one, where a thread is a
// virtual machine's.
constexpr int64_t kWorkPerThread = 30'000;

// For tests: with a lower price small calls thread as well, and every thread of a team does some of the work.
inline std::atomic<int64_t> work_per_thread{kWorkPerThread};

// Runs body(begin, end, ticker) over [0, units) on up to `threads` threads, this one among them. `nanoseconds` is about
// what one thread would take. What a unit computes must not depend on who runs it, and running it twice must do no
// harm. A call from within a body, or while another thread's call has the workers, runs on its own thread alone.
template <class Body>
void parallel_for(int64_t units, int64_t nanoseconds, int threads, Control& control, const Body& body) {
    if (units <= 0) return;
    if (control.stopped()) throw Stopped{};
    const int64_t price = work_per_thread.load(std::memory_order_relaxed);
    const int64_t team = std::min<int64_t>({static_cast<int64_t>(threads), units, 1 + nanoseconds / price});
    bool done = false;
    if (team > 1) {
        const auto run = [](const void* that, int64_t begin, int64_t end, Ticker& ticker) {
            (*static_cast<const Body*>(that))(begin, end, ticker);
        };
        done = run_shared({units, nanoseconds, &body, run, control}, team, price < kWorkPerThread);
    }
    if (!done) {
        Ticker ticker(control, true);
        body(int64_t{0}, units, ticker);
    }
    if (control.stopped()) throw Stopped{};
}

}  // namespace cenote
