// Running without the GIL, and hearing of Ctrl-C nevertheless.
#pragma once

#include <nanobind/nanobind.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "memory/scratch.hpp"
#include "threads/parallel.hpp"

namespace cenote {

namespace nb = nanobind;

// Takes the GIL back. While the interpreter shuts down, Python before 3.14 ends a (daemon) thread that asks for it by
// unwinding its stack, which no C++ frame above survives. Such a thread is parked instead, as Python does from 3.14.
inline void take_back(PyThreadState* state) {
    try {
        PyEval_RestoreThread(state);
    } catch (...) {
        for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

// Runs work without the GIL; now and then takes it back to let signal handlers run. Their exception ends the call.
template <class Work>
void run_stoppable(const Work& work) {
    std::optional<nb::python_error> raised;
    std::exception_ptr failure;
    PyThreadState* state = PyEval_SaveThread();
    Control control([&] {
        take_back(state);
        const ScratchAside aside;
        const bool stop = PyErr_CheckSignals() != 0;
        if (stop) raised.emplace();
        state = PyEval_SaveThread();
        return stop;
    });
    try {
        work(control);
    } catch (const Stopped&) {
    } catch (...) {
        failure = std::current_exception();
    }
    take_back(state);
    if (raised) throw nb::python_error(std::move(*raised));
    if (failure) std::rethrow_exception(failure);
}

// Calls of fewer taps take about as long as handing the GIL over and back would.
constexpr int64_t kTiny = 1 << 12;

// The same for a call of about so many taps on so many threads: a tiny one keeps the GIL.
template <class Work>
void run_stoppable(int64_t taps, int threads, const Work& work) {
    if (taps >= kTiny || threads > 1) return run_stoppable(work);
    Control control(nullptr);
    work(control);
}

}  // namespace cenote
