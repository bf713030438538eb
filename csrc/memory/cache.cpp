#include "memory/cache.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <new>

namespace cenote {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

size_t page() noexcept {
    static const long size = sysconf(_SC_PAGESIZE);
    return size > 0 ? static_cast<size_t>(size) : 4096;
}

void unmap(const Piece& piece) noexcept { munmap(piece.data, piece.capacity); }

// Whole pages: huge ones where they leave no more than a quarter idle. First touch costs seven times as much by 4 KiB.
size_t rounded(size_t bytes) noexcept {
    const size_t huge = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    if (huge <= bytes + bytes / 4) return huge;
    return std::max(page(), (bytes + page() - 1) / page() * page());
}

// Fresh zero pages; from 2 MiB on they start on a huge page's boundary, and all whole huge pages are asked for as such.
Piece map(size_t capacity) noexcept {
    const size_t slack = capacity >= kHugePage ? kHugePage : 0;
    void* got = mmap(nullptr, capacity + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return {};
    char* begin = static_cast<char*>(got);
    if (slack > 0) {
        const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
        if (before > 0) munmap(begin, before);
        if (slack > before) munmap(begin + before + capacity, slack - before);
        begin += before;
#ifdef MADV_HUGEPAGE
        madvise(begin, capacity, MADV_HUGEPAGE);  // a kernel without huge pages says no, and 4 KiB ones serve as well
#endif
    }
    return {begin, capacity, false, 0};
}

}  // namespace

ResultCache& ResultCache::instance() {
    static ResultCache* const cache = new ResultCache;
    return *cache;
}

ResultCache::ResultCache() : limit_(default_limit()) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

size_t ResultCache::default_limit() noexcept {
    constexpr size_t most = size_t{1} << 30;
    const long pages = sysconf(_SC_PHYS_PAGES);
    return pages > 0 ? std::min(most, static_cast<size_t>(pages) / 4 * page()) : most;
}

Piece ResultCache::take(size_t bytes) {
    if (bytes > std::numeric_limits<size_t>::max() / 4) throw std::bad_alloc();
    const size_t need = rounded(bytes);
    uint64_t epoch = 0;
    {
        const std::lock_guard lock(mutex_);
        epoch = epoch_;
        // The best fit, and of equals the one freed last, which is most likely still in some cache. A quarter more than
        // what was asked for is the most that may lie idle.
        const size_t most = std::max(need, bytes + bytes / 4);
        size_t best = count_;
        for (size_t i = count_; i-- > 0;) {
            const size_t capacity = kept_[i].capacity;
            if (capacity >= bytes && capacity <= most && (best == count_ || capacity < kept_[best].capacity)) best = i;
        }
        if (best != count_) return remove(best);
    }
    Piece piece = map(need);
    if (piece.data == nullptr && empty() > 0) piece = map(need);
    if (piece.data == nullptr) throw std::bad_alloc();
    piece.epoch = epoch;
    return piece;
}

void ResultCache::give(Piece piece) noexcept {
    if (piece.data == nullptr) return;
    piece.touched = true;
    {
        const std::lock_guard lock(mutex_);
        // Pages shared with the parent of a fork are copied when they are written: no better than fresh ones.
        if (piece.epoch == epoch_ && piece.capacity <= limit_) {
            shrink_to(limit_ - piece.capacity);
            if (count_ == kMost) unmap(remove(0));
            kept_[count_++] = piece;
            held_ += piece.capacity;
            return;
        }
    }
    unmap(piece);
}

size_t ResultCache::empty() noexcept {
    const std::lock_guard lock(mutex_);
    const size_t before = held_;
    shrink_to(0);
    return before;
}

void ResultCache::set_limit(size_t bytes) noexcept {
    const std::lock_guard lock(mutex_);
    limit_ = bytes;
    shrink_to(limit_);
}

size_t ResultCache::limit() const noexcept {
    const std::lock_guard lock(mutex_);
    return limit_;
}

size_t ResultCache::held() const noexcept {
    const std::lock_guard lock(mutex_);
    return held_;
}

// What was freed longest ago goes first.
void ResultCache::shrink_to(size_t bytes) noexcept {
    size_t gone = 0;
    while (held_ > bytes && gone < count_) {
        held_ -= kept_[gone].capacity;
        unmap(kept_[gone++]);
    }
    std::copy(kept_.begin() + gone, kept_.begin() + count_, kept_.begin());
    count_ -= gone;
}

Piece ResultCache::remove(size_t i) noexcept {
    const Piece piece = kept_[i];
    std::copy(kept_.begin() + i + 1, kept_.begin() + count_, kept_.begin() + i);
    --count_;
    held_ -= piece.capacity;
    return piece;
}

void ResultCache::before_fork() noexcept { instance().mutex_.lock(); }

void ResultCache::after_fork_in_parent() noexcept { instance().mutex_.unlock(); }

void ResultCache::after_fork_in_child() noexcept {
    ResultCache& cache = instance();
    ++cache.epoch_;
    cache.shrink_to(0);
    cache.mutex_.unlock();
}

}  // namespace cenote
