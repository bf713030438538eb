// Memory for large results. Fresh pages cost several times what the pooling itself does, so freed pieces are kept, up
// to a limit, and given out again; fresh ones ask for huge pages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace cenote {

// Results below this many bytes (a huge page) are left to the ordinary allocator, which keeps them warm by itself:
// measured with other arrays coming and going, it is level with the cache at 1 MiB and half as fast at 2.
constexpr size_t kLeastKept = size_t{2} << 20;

// Whole pages. `touched` says that they have been written before: streaming stores into memory that the kernel has yet
// to provide are slower than plain ones.
struct Piece {
    void* data = nullptr;
    size_t capacity = 0;
    bool touched = false;
    uint64_t epoch = 0;  // of the process: a fork begins a new one
};

class ResultCache {
public:
    // The one of this process. Never destroyed: arrays may outlive everything else.
    static ResultCache& instance();

    // At least `bytes` bytes on a page boundary. When there is no more memory, all that is kept is given back and asked
    // for again before std::bad_alloc.
    Piece take(size_t bytes);
    void give(Piece piece) noexcept;

    size_t empty() noexcept;  // the bytes given back to the system
    void set_limit(size_t bytes) noexcept;
    size_t limit() const noexcept;
    size_t held() const noexcept;

    // A quarter of this machine's memory, and at most 1 GiB.
    static size_t default_limit() noexcept;

    ResultCache(const ResultCache&) = delete;
    ResultCache& operator=(const ResultCache&) = delete;

private:
    ResultCache();
    void shrink_to(size_t bytes) noexcept;
    Piece remove(size_t i) noexcept;
    static void before_fork() noexcept;
    static void after_fork_in_parent() noexcept;
    static void after_fork_in_child() noexcept;

    static constexpr size_t kMost = 256;  // pieces: enough for 1 GiB of 4 MiB ones, and few enough to look through
    mutable std::mutex mutex_;
    std::array<Piece, kMost> kept_;  // in the order in which they were freed; a fixed array, as fork may not allocate
    size_t count_ = 0, held_ = 0, limit_ = 0;
    uint64_t epoch_ = 0;
};

}  // namespace cenote
