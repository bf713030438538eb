// The stream limit: read every byte of x, write as many bytes as the result has, and nothing else.
//
// Built when the benchmark starts, for the machine it runs on. What it takes no pooling can beat that reads its input
// once and writes its result to memory that is already there.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#if defined(__x86_64__)
    #include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr std::size_t kWidth = 64;
#elif defined(__AVX__)
constexpr std::size_t kWidth = 32;
#else
constexpr std::size_t kWidth = 16;
#endif
using Vector = std::uint64_t __attribute__((vector_size(kWidth)));
using Unaligned = std::uint64_t __attribute__((vector_size(kWidth), aligned(1), may_alias));

constexpr std::size_t kLine = 64;
constexpr std::size_t kBlock = 8192;  // bytes of x between two runs of stores, as a kernel alternates
constexpr std::size_t kAccumulators = 8;

void pause() {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

void stream_store(Vector* to, Vector value) {
#if defined(__AVX512F__)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<__m512i>(value));
#elif defined(__AVX__)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(value));
#elif defined(__x86_64__)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to), reinterpret_cast<__m128i>(value));
#else
    *to = value;
#endif
}

struct Job {
    const char* x;
    std::size_t x_bytes;
    char* y;  // at a 64-byte line
    std::size_t y_bytes;
    bool streaming;
    int threads;
};

// One block: all of its x into the accumulators, then its share of y made of them, so that no load can be left out.
void block(const Job& job, std::size_t index, std::size_t blocks, Vector (&sums)[kAccumulators]) {
    const auto cut = [&](std::size_t bytes, std::size_t i) {
        return i == blocks ? bytes : bytes / kLine * i / blocks * kLine;
    };
    const char* from = job.x + cut(job.x_bytes, index);
    const char* const end = job.x + cut(job.x_bytes, index + 1);
    for (; end - from >= static_cast<std::ptrdiff_t>(kAccumulators * kWidth); from += kAccumulators * kWidth) {
        for (std::size_t i = 0; i < kAccumulators; ++i) {
            sums[i] ^= *reinterpret_cast<const Unaligned*>(from + i * kWidth);
        }
    }
    for (; end - from >= static_cast<std::ptrdiff_t>(kWidth); from += kWidth) {
        sums[0] ^= *reinterpret_cast<const Unaligned*>(from);
    }
    if (from != end) {
        Vector tail{};
        std::memcpy(&tail, from, static_cast<std::size_t>(end - from));
        sums[1] ^= tail;
    }
    Vector value = sums[0];
    for (std::size_t i = 1; i < kAccumulators; ++i) {
        value ^= sums[i];
    }
    char* to = job.y + cut(job.y_bytes, index);
    char* const stop = job.y + cut(job.y_bytes, index + 1);
    const auto whole = static_cast<std::size_t>(stop - to) / kWidth;
    auto* vectors = reinterpret_cast<Vector*>(to);
    if (job.streaming) {
        for (std::size_t i = 0; i < whole; ++i) {
            stream_store(vectors + i, value);
        }
    } else {
        for (std::size_t i = 0; i < whole; ++i) {
            vectors[i] = value;
        }
    }
    std::memcpy(to + whole * kWidth, &value, static_cast<std::size_t>(stop - to) - whole * kWidth);
}

void part(const Job& job, int thread) {
    const std::size_t blocks = std::max<std::size_t>(1, job.x_bytes / kBlock);
    const auto t = static_cast<std::size_t>(thread), n = static_cast<std::size_t>(job.threads);
    Vector sums[kAccumulators] = {};
    for (std::size_t i = blocks * t / n; i < blocks * (t + 1) / n; ++i) {
        block(job, i, blocks, sums);
    }
#if defined(__x86_64__)
    if (job.streaming) {
        _mm_sfence();
    }
#endif
}

// Workers spin for a while after a job and then sleep, so that starting them costs this kernel next to nothing and
// they leave the processor alone during everybody else's turn. A part whose worker is late is done by the caller: on a
// busy machine the limit must not be the time in which the system wakes a thread.
class Pool {
public:
    void run(const Job& job) {
        while (static_cast<int>(workers_.size()) < job.threads - 1) {
            workers_.push_back(std::make_unique<Worker>());
        }
        job_ = job;
        ++number_;
        for (int i = 1; i < job.threads; ++i) {
            workers_[static_cast<std::size_t>(i - 1)]->offer(this, i, number_);
        }
        part(job_, 0);
        for (int i = 1; i < job.threads; ++i) {
            Worker& worker = *workers_[static_cast<std::size_t>(i - 1)];
            if (worker.take(number_)) {
                part(job_, i);
            } else {
                worker.wait(number_);
            }
        }
    }

private:
    class Worker {
    public:
        void offer(const Pool* pool, int share, std::uint64_t number) {
            if (!thread_.joinable()) {
                pool_ = pool;
                share_ = share;
                thread_ = std::thread([this] { work(); });
            }
            state_.store(2 * number, std::memory_order_release);
            state_.notify_one();
        }

        // Whoever succeeds does the part; the other one leaves it alone.
        bool take(std::uint64_t number) {
            std::uint64_t offered = 2 * number;
            return state_.compare_exchange_strong(offered, 2 * number + 1, std::memory_order_acq_rel);
        }

        void wait(std::uint64_t number) const {
            while (done_.load(std::memory_order_acquire) != number) {
                pause();
            }
        }

    private:
        void work() {
            for (;;) {
                std::uint64_t state = state_.load(std::memory_order_acquire);
                for (int i = 0; i < 4000 && state % 2 == 1; ++i) {
                    pause();
                    state = state_.load(std::memory_order_acquire);
                }
                if (state % 2 == 1) {
                    state_.wait(state, std::memory_order_acquire);
                } else if (take(state / 2)) {
                    part(pool_->job_, share_);
                    done_.store(state / 2, std::memory_order_release);
                }
            }
        }

        alignas(64) std::atomic<std::uint64_t> state_{1};  // 2 * number: offered; 2 * number + 1: taken
        alignas(64) std::atomic<std::uint64_t> done_{0};
        const Pool* pool_ = nullptr;
        int share_ = 0;
        std::thread thread_;
    };

    Job job_{};
    std::uint64_t number_ = 0;
    std::vector<std::unique_ptr<Worker>> workers_;
};

// Never destroyed: its workers wait until the process ends.
Pool& pool() {
    static Pool* const instance = new Pool;
    return *instance;
}

}  // namespace

// Seconds per call over `repeat` calls. `back_*` is the way back of a gradient; 0 bytes: there is none.
extern "C" double stream_seconds(const char* x, std::size_t x_bytes, char* y, std::size_t y_bytes, const char* back_x,
                                 std::size_t back_x_bytes, char* back_y, std::size_t back_y_bytes, int streaming,
                                 int threads, int repeat) {
    const Job there{x, x_bytes, y, y_bytes, streaming != 0, threads};
    const Job back{back_x, back_x_bytes, back_y, back_y_bytes, streaming != 0, threads};
    const auto once = [](const Job& job) {
        if (job.threads == 1) {
            part(job, 0);
        } else {
            pool().run(job);
        }
    };
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < repeat; ++i) {
        once(there);
        if (back_x_bytes != 0) {
            once(back);
        }
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    return taken.count() / repeat;
}
