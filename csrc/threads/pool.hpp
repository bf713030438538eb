// The process's worker threads, as parallel_for sees them.
#pragma once

#include <atomic>
#include <cstdint>

#include "threads/control.hpp"

namespace cenote {

// body(begin, end, ticker) over [0, units), its type forgotten. Running a unit twice must do no harm.
struct Job {
    int64_t units;
    int64_t nanoseconds;
    const void* body;
    void (*run)(const void* body, int64_t begin, int64_t end, Ticker& ticker);
    Control& control;
};

// For tests: threads ever created, and how often one of them began to work on a call.
inline std::atomic<int64_t> threads_created{0};
inline std::atomic<int64_t> threads_started{0};

// Runs the job on this thread and up to team - 1 workers. Rethrows what a unit threw. False: the job is still to be
// done, by this thread and from its beginning; somebody else has the workers, or there are none.
// `patient`, for tests: ask all of them, and let none begin before each has taken some units.
bool run_shared(const Job& job, int64_t team, bool patient);

}  // namespace cenote
