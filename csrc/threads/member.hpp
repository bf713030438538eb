// One participant of parallel loops, and how a caller and a worker meet.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

#include "threads/control.hpp"
#include "threads/share.hpp"

namespace cenote {

constexpr size_t kLine = 128;  // bytes that one thread should have to itself: x86 fetches cache lines in pairs

// How long to spin before sleeping. A worker: long enough to span the gap between two calls in a row, in which a result
// may be freed to the system and the next one's pages come from it. A caller: waking it takes up to 30 us, and what it
// waits for is the last small piece of a call.
constexpr std::chrono::microseconds kSpin{200}, kSpinForLast{100};

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");  // waits a little; `yield` does nothing on most cores
#endif
}

// Waits for done(), letting others have the core now and then; false if it was in vain.
template <class Done>
bool spin(std::chrono::microseconds length, const Done& done) {
    const auto end = std::chrono::steady_clock::now() + length;
    do {
        for (int i = 0; i < 200; ++i) {  // 4 to 10 us
            if (done()) return true;
            pause();
        }
        std::this_thread::yield();
    } while (std::chrono::steady_clock::now() < end);
    return done();
}

// Caller and worker share `state` alone:
//
//   idle -> asleep            worker   it has spun in vain
//   idle -> posted            caller   there is a job
//   asleep -> called          caller   there is a job, and somebody will have to wake it
//   called -> posted          anybody  and wakes it
//   posted -> working         worker   from here on the caller must wait for it
//   posted -> idle            caller   too late: the work has been done
//   called -> asleep          caller   the same, and nobody has woken it
//   working -> awaited        caller   which goes to sleep
//   working, awaited -> idle  worker   done
class alignas(kLine) Member {
public:
    Share share;  // beside `state`: one line travels when a job is handed over

    // By the caller. True: the worker sleeps, and needs wake().
    bool post() {
        for (;;) {
            if (change(State::idle, State::posted)) return false;
            if (change(State::asleep, State::called)) return true;
        }
    }
    bool asleep() const { return now() == State::asleep; }
    bool revoke() { return change(State::posted, State::idle) || change(State::called, State::asleep); }
    bool done() const {
        const State state = now();
        return state != State::working && state != State::awaited;
    }
    // Sleeps, but not for long.
    void wait_until_done() {
        if (!change(State::working, State::awaited) && done()) return;
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kBetweenPolls, [&] { return done(); });
    }

    // By anybody. True: it slept.
    bool wake() {
        if (!change(State::called, State::posted)) return false;
        notify();
        return true;
    }

    // By the worker.
    void wait_for_post(bool spinning) {
        if (spinning && spin(kSpin, [&] { return now() == State::posted; })) return;
        if (!change(State::idle, State::asleep)) return;
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] {
            const State state = now();
            return state != State::asleep && state != State::called;
        });
    }
    bool begin() { return change(State::posted, State::working); }
    void finish() {
        if (state_.exchange(State::idle, std::memory_order_acq_rel) == State::awaited) notify();
    }

private:
    enum class State : uint32_t { idle, asleep, called, posted, working, awaited };

    State now() const { return state_.load(std::memory_order_acquire); }
    bool change(State from, State to) {
        return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel, std::memory_order_acquire);
    }
    void notify() {
        { const std::lock_guard lock(mutex_); }  // whoever saw the old state under it sleeps by now
        changed_.notify_one();
    }

    std::atomic<State> state_{State::idle};
    alignas(kLine) std::mutex mutex_;
    std::condition_variable changed_;
};

}  // namespace cenote
