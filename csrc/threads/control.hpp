// How a call is stopped while it runs: the calling thread asks now and then, all threads of the call look.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

namespace cenote {

constexpr std::chrono::milliseconds kBetweenPolls{50};

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
        due_ = now + kBetweenPolls;
        if (poll_ && !stopped() && poll_()) stop();
    }

private:
    std::atomic<bool> stop_{false};
    std::function<bool()> poll_;
    std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::now() + kBetweenPolls;
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

}  // namespace cenote
