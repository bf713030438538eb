// The pool: workers that are started when first needed, stay, and sleep when there is nothing to do.
//
// Every participant of a call owns a contiguous range of its units and takes chunks from the front; who has finished
// takes the back half of what another has left. So each thread keeps to its own part of memory until the end, and the
// caller never waits for a worker that has not begun: it does that worker's share itself.
//
// Nothing here is ever destroyed: workers may run or sleep while the process ends and its static objects go.
#include "threads/pool.hpp"

#include <pthread.h>
#include <signal.h>
#if defined(__linux__)
    #include <sched.h>
#endif

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include "threads/member.hpp"

namespace cenote {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds kRetry{1};  // after a thread could not be had
constexpr std::chrono::microseconds kDearest{50};
constexpr int64_t kWorthWaking = 5;

int64_t cores() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    return std::max<int64_t>(1, std::thread::hardware_concurrency());
}

// Signals go to the threads that Python knows. A worker inherits the mask in which it is started.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

class Pool {
public:
    Pool() { members_.push_back(std::make_unique<Member>()); }

    bool run(const Job& job, int64_t wanted, bool patient);

    // In a forked child, of the parent's pool: its workers are not here.
    void orphan() { orphaned_ = true; }

private:
    // Held for the length of a call. When it ended says whether the next one follows closely.
    class Held {
    public:
        explicit Held(Pool& pool) : pool_(pool) {}
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;
        ~Held() {
            pool_.ended_ = Clock::now();
            pool_.busy_.store(false, std::memory_order_release);
        }

    private:
        Pool& pool_;
    };

    size_t hire(size_t wanted);
    size_t worth_asking(size_t team, int64_t nanoseconds) const;
    void hand_out(const Job& job, size_t team, bool patient);
    void ask();
    bool wake_next();
    void serve(Member& member, size_t number);
    std::exception_ptr work(size_t number) noexcept;
    bool take(size_t number, Share::Range& taken);
    void meet();
    void wait_for(Member& member, std::exception_ptr& failure);

    std::atomic<bool> busy_{false};
    std::atomic<bool> orphaned_{false};
    std::atomic<bool> failed_{false};
    std::exception_ptr failure_;  // of the first worker that failed

    // The caller's.
    std::vector<std::unique_ptr<Member>> members_;  // [0] is the caller, whoever that is
    Clock::time_point next_hiring_{}, ended_{};
    nanoseconds waking_{5'000};  // what it costs to wake a worker, as measured
    const int64_t cores_ = cores();

    // The present job, on one cache line. Written by its caller while no worker works.
    struct alignas(kLine) Present {
        int64_t units = 0;
        const void* body = nullptr;
        void (*run)(const void* body, int64_t begin, int64_t end, Ticker& ticker) = nullptr;
        Control* control = nullptr;
        size_t team = 0;
        int64_t grain = 1;  // units that a share counts as one, so that two counts fit into a word
        uint32_t least = 1;
        bool patient = false;               // nobody begins until everybody has a part of its own share
        std::atomic<bool> spinning{false};  // more threads than cores would only keep each other from working
        std::atomic<size_t> next_to_wake{0};
    } job_;
    alignas(kLine) std::atomic<size_t> met_{0};
};

// How many of the workers wanted there are, after trying to start those that lack.
size_t Pool::hire(size_t wanted) {
    if (members_.size() <= wanted && Clock::now() >= next_hiring_) {
        const SignalsBlocked blocked;
        try {
            members_.reserve(wanted + 1);
            while (members_.size() <= wanted) {
                auto member = std::make_unique<Member>();
                std::thread(&Pool::serve, this, std::ref(*member), members_.size()).detach();
                members_.push_back(std::move(member));
                threads_created.fetch_add(1, std::memory_order_relaxed);
            }
        } catch (const std::exception&) {  // no more threads or memory to be had: fewer do the same work
            next_hiring_ = Clock::now() + kRetry;
        }
    }
    return std::min(wanted, members_.size() - 1);
}

// Waking a worker costs the caller 1 to 15 us, and the worker comes 5 to 30 us later, depending on the machine; virtual
// ones are slow. So sleepers are asked for work that is several times as long; or when calls follow each other so
// closely that a worker, once awake, stays awake.
size_t Pool::worth_asking(size_t team, int64_t nanoseconds) const {
    if (job_.spinning.load(std::memory_order_relaxed) && Clock::now() - ended_ < kSpin / 2) return team;
    int64_t sleepers = nanoseconds / (kWorthWaking * waking_.count());
    for (size_t i = 1; i < team; ++i)
        if (members_[i]->asleep() && --sleepers < 0) return i;
    return team;
}

void Pool::hand_out(const Job& job, size_t team, bool patient) {
    job_.units = job.units, job_.body = job.body, job_.run = job.run, job_.control = &job.control;
    job_.team = team, job_.patient = patient;
    job_.grain = 1 + (job.units - 1) / (int64_t{1} << 31);
    const auto grains = static_cast<uint64_t>((job.units - 1) / job_.grain + 1);
    job_.least = static_cast<uint32_t>(std::max<uint64_t>(1, grains / (32 * team)));
    met_.store(0, std::memory_order_relaxed);
    for (size_t i = 0; i < team; ++i)
        members_[i]->share.set(
            {static_cast<uint32_t>(grains * i / team), static_cast<uint32_t>(grains * (i + 1) / team)});
}

// The caller wakes one sleeper, which wakes the next before it works, and so on: the caller has its own share to do.
void Pool::ask() {
    size_t sleepers = 0;
    job_.next_to_wake.store(job_.team,
                            std::memory_order_relaxed);  // whoever begins now must not pass those still to be asked
    for (size_t i = 1; i < job_.team; ++i) sleepers += members_[i]->post() ? 1 : 0;
    if (sleepers == 0) return;
    job_.next_to_wake.store(1, std::memory_order_relaxed);
    const auto before = Clock::now();
    if (wake_next()) waking_ += (std::min<nanoseconds>(Clock::now() - before, kDearest) - waking_) / 4;
    while (job_.patient && wake_next()) continue;
}

bool Pool::wake_next() {
    while (job_.next_to_wake.load(std::memory_order_relaxed) < job_.team) {
        const size_t i = job_.next_to_wake.fetch_add(1, std::memory_order_relaxed);
        if (i < job_.team && members_[i]->wake()) return true;
    }
    return false;
}

void Pool::serve(Member& member, size_t number) {
    for (;;) {
        member.wait_for_post(job_.spinning.load(std::memory_order_relaxed));
        if (!member.begin()) continue;
        threads_started.fetch_add(1, std::memory_order_relaxed);
        while (wake_next()) continue;
        if (std::exception_ptr failure = work(number); failure && !failed_.exchange(true))
            failure_ = std::move(failure);
        member.finish();
    }
}

// Nothing may be thrown past the threads that run.
std::exception_ptr Pool::work(size_t number) noexcept {
    try {
        Ticker ticker(*job_.control, number == 0);
        Share::Range taken;
        bool some = take(number, taken);
        if (job_.patient) meet();
        for (; some; some = take(number, taken)) {
            if (job_.control->stopped()) return nullptr;
            job_.run(job_.body, taken.begin * job_.grain, std::min(job_.units, taken.end * job_.grain), ticker);
        }
    } catch (...) {
        job_.control->stop();
        return std::current_exception();
    }
    return nullptr;
}

// From the thread's own share, and then from what is left of others'.
bool Pool::take(size_t number, Share::Range& taken) {
    Share& own = members_[number]->share;
    for (;;) {
        if (own.take_front(job_.least, taken)) return true;
        size_t i = 1;
        while (i < job_.team && !members_[(number + i) % job_.team]->share.take_back_half(taken)) ++i;
        if (i == job_.team) return false;
        own.set(taken);
    }
}

void Pool::meet() {
    met_.fetch_add(1, std::memory_order_relaxed);
    while (met_.load(std::memory_order_relaxed) < job_.team) std::this_thread::yield();
}

void Pool::wait_for(Member& member, std::exception_ptr& failure) {
    if (member.revoke() || member.done()) return;
    if (job_.spinning.load(std::memory_order_relaxed) && spin(kSpinForLast, [&] { return member.done(); })) return;
    while (!orphaned_ && !member.done()) {
        member.wait_until_done();
        try {
            job_.control->poll_if_due();
        } catch (...) {
            job_.control->stop();
            if (!failure) failure = std::current_exception();
        }
    }
}

bool Pool::run(const Job& job, int64_t wanted, bool patient) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;
    const Held held(*this);
    size_t team = 1 + hire(static_cast<size_t>(wanted - 1));
    job_.spinning.store(static_cast<int64_t>(team) <= cores_, std::memory_order_relaxed);
    if (!patient) team = worth_asking(team, job.nanoseconds);
    if (team == 1) {
        Ticker ticker(job.control, true);
        job.run(job.body, 0, job.units, ticker);
        return true;
    }
    hand_out(job, team, patient);
    ask();
    std::exception_ptr failure = work(0);
    for (size_t i = 1; i < team; ++i) wait_for(*members_[i], failure);
    if (orphaned_) {
        // `poll` ran a signal handler that forked, and this is the child, in the midst of a call whose workers stayed
        // with the parent. What they had taken may not be done, so all is done again.
        if (failure) std::rethrow_exception(failure);
        if (failed_) throw std::runtime_error("the process forked while another thread of the call was failing");
        return false;
    }
    if (failed_.exchange(false) && !failure) failure = failure_;
    failure_ = nullptr;
    if (failure) std::rethrow_exception(failure);
    return true;
}

std::atomic<Pool*> current{nullptr};

Pool* pool() noexcept {
    Pool* present = current.load(std::memory_order_acquire);
    if (present != nullptr) return present;
    try {
        auto fresh = std::make_unique<Pool>();
        if (current.compare_exchange_strong(present, fresh.get())) present = fresh.release();
    } catch (const std::bad_alloc&) {}
    return present;
}

// The child of a fork has none of the threads and cannot know in what state they were: it leaves the old pool where it
// lies and makes a new one when it needs one. The parent has nothing to prepare or to mend, whatever its threads do
// meanwhile: the child uses nothing of the old pool but the pointer to it, which is never half-written.
void forget_after_fork() {
    if (Pool* old = current.exchange(nullptr)) old->orphan();
}

// Registered while the library is loaded: later, a fork on another thread could come in between.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, forget_after_fork);

}  // namespace

bool run_shared(const Job& job, int64_t team, bool patient) {
    Pool* const workers = pool();
    return workers != nullptr && workers->run(job, team, patient);
}

}  // namespace cenote
