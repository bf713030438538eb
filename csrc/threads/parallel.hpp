// A parallel loop that can be stopped. Threads live for one call only: nothing to restart after a fork.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace cenote {

// Thrown on the calling thread when `poll` asked to stop.
struct Stopped {};

// Shared by the threads of one call. `poll` runs on the calling thread alone, about every 50 ms; true means stop.
class Control {
public:
    explicit Control(std::function<bool()> poll) : poll_(std::move(poll)) {}

    bool stopped() const { return stop_.load(std::memory_order_relaxed); }
    void stop() { stop_.store(true, std::memory_order_relaxed); }

    void poll_if_due() {
        const auto now = std::chrono::steady_clock::now();
        if (now < due_) return;
        due_ = now + std::chrono::milliseconds(50);
        if (poll_ && !stopped() && poll_()) stop();
    }

private:
    std::atomic<bool> stop_{false};
    std::function<bool()> poll_;
    std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
};

// One thread's view of the Control: counts work and looks up only now and then.
class Ticker {
public:
    Ticker(Control& control, bool calling) : control_(control), calling_(calling) {}

    // Report `work` taps done; false means give up.
    bool go_on(int64_t work) {
        budget_ -= work;
        if (budget_ > 0) return true;
        if (calling_) control_.poll_if_due();
        if (control_.stopped()) return false;  // and from now on: the budget stays spent
        budget_ = kBudget;
        return true;
    }

private:
    static constexpr int64_t kBudget = 1 << 18;  // taps between looks: well under a millisecond to a few
    Control& control_;
    bool calling_;
    int64_t budget_ = kBudget;
};

constexpr int64_t kWorkPerThread = 200'000;  // taps below which starting a thread costs more than it saves

// For tests: a lower price lets small calls thread as well, and the count shows that they did.
inline std::atomic<int64_t> work_per_thread{kWorkPerThread};
inline std::atomic<int64_t> threads_started{0};

// Runs body(begin, end, ticker) over [0, units) on up to `threads` threads, this one among them. `work` estimates the
// taps in all. What each unit computes must not depend on who runs it.
template <class Body>
void parallel_for(int64_t units, int64_t work, int threads, Control& control, const Body& body) {
    if (units <= 0) return;
    int64_t team = std::min<int64_t>({static_cast<int64_t>(threads), units, 1 + work / work_per_thread.load()});
    team = std::max<int64_t>(team, 1);
    const int64_t chunk = std::max<int64_t>(1, units / (team * 16));
    std::atomic<int64_t> next{0};
    std::mutex mutex;
    std::condition_variable changed;
    int64_t running = 0;
    std::exception_ptr failure;

    // Nothing may be thrown past the threads that run: the first exception is kept until they have ended.
    const auto keeping = [&](const auto& work) noexcept {
        try {
            work();
        } catch (...) {
            control.stop();
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
        }
    };
    const auto share = [&](bool calling) noexcept {
        keeping([&] {
            Ticker ticker(control, calling);
            for (;;) {
                const int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
                if (begin >= units || control.stopped()) return;
                body(begin, std::min(units, begin + chunk), ticker);
            }
        });
    };

    std::vector<std::thread> others;
    others.reserve(static_cast<size_t>(team - 1));
    for (int64_t i = 1; i < team; ++i) {
        {
            const std::lock_guard lock(mutex);
            ++running;
        }
        try {
            others.emplace_back([&] {
                share(false);
                const std::lock_guard lock(mutex);
                --running;
                changed.notify_all();
            });
            threads_started.fetch_add(1, std::memory_order_relaxed);
        } catch (const std::exception&) {  // no more threads or memory to be had: fewer do the same work
            const std::lock_guard lock(mutex);
            --running;
            break;
        }
    }
    share(true);
    {
        std::unique_lock lock(mutex);
        while (running > 0) {
            changed.wait_for(lock, std::chrono::milliseconds(50));
            if (running == 0) break;
            lock.unlock();
            keeping([&] { control.poll_if_due(); });
            lock.lock();
        }
    }
    for (std::thread& other : others) other.join();
    if (failure) std::rethrow_exception(failure);
    if (control.stopped()) throw Stopped{};
}

}  // namespace cenote
