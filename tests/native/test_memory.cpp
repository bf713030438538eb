// The cache of result memory: what is given out again, what is kept, what a fork leaves.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "check.hpp"
#include "memory/cache.hpp"

using namespace cenote;

namespace {

constexpr size_t kMega = size_t{1} << 20;

ResultCache& clean(size_t limit) {
    ResultCache& cache = ResultCache::instance();
    cache.empty();
    cache.set_limit(limit);
    return cache;
}

void hits_and_misses() {
    ResultCache& cache = clean(256 * kMega);
    Piece a = cache.take(8 * kMega);
    CHECK(!a.touched && a.capacity >= 8 * kMega);
    CHECK(reinterpret_cast<uintptr_t>(a.data) % (2 * kMega) == 0);
    std::memset(a.data, 0x5A, 8 * kMega);
    const Piece other = cache.take(8 * kMega);
    CHECK(other.data != a.data && !other.touched);
    void* const at = a.data;
    cache.give(a);
    CHECK(cache.held() == a.capacity);
    const Piece too_large = cache.take(11 * kMega), too_small = cache.take(5 * kMega);
    CHECK(too_large.data != at && too_small.data != at);
    a = cache.take(7 * kMega);  // a little less is near enough
    CHECK(a.data == at && a.touched && cache.held() == 0);
    for (const Piece& piece : {a, other, too_large, too_small}) cache.give(piece);
    // the smallest that fits, and of equals the one freed last
    CHECK(cache.take(8 * kMega).data == other.data);
    CHECK(cache.take(8 * kMega).data == at);
}

void sizes() {
    ResultCache& cache = clean(0);
    for (const size_t bytes : {size_t{1}, size_t{4096}, size_t{4097}, 2 * kMega - 1, 2 * kMega, 2 * kMega + 1,
                               3 * kMega, 7 * kMega + 5, 33 * kMega}) {
        const Piece piece = cache.take(bytes);
        CHECK(piece.capacity >= bytes && piece.capacity <= bytes + bytes / 4 + 4096);
        static_cast<char*>(piece.data)[0] = 1;
        static_cast<char*>(piece.data)[bytes - 1] = 1;
        cache.give(piece);
        CHECK(cache.held() == 0);
    }
    CHECK_THROWS(std::bad_alloc, cache.take(SIZE_MAX));
}

void limits() {
    ResultCache& cache = clean(10 * kMega);
    std::vector<Piece> pieces;
    for (int i = 0; i < 6; ++i) pieces.push_back(cache.take(4 * kMega));
    for (const Piece& piece : pieces) {
        cache.give(piece);
        CHECK(cache.held() <= 10 * kMega);
    }
    CHECK(cache.held() == 8 * kMega);
    cache.set_limit(4 * kMega);  // the one freed longest ago goes
    CHECK(cache.held() == 4 * kMega && cache.limit() == 4 * kMega);
    CHECK(cache.take(4 * kMega).data == pieces[5].data);
    const Piece large = cache.take(6 * kMega);
    cache.give(large);
    CHECK(cache.held() == 0);
    cache.give(cache.take(3 * kMega));
    CHECK(cache.empty() >= 3 * kMega && cache.held() == 0 && cache.empty() == 0);
}

void many_pieces() {
    ResultCache& cache = clean(size_t{1} << 40);
    std::vector<Piece> pieces;
    for (int i = 0; i < 400; ++i) pieces.push_back(cache.take(1));
    for (const Piece& piece : pieces) cache.give(piece);
    CHECK(cache.held() == 256 * pieces[0].capacity);
    cache.empty();
}

void forks() {
    ResultCache& cache = clean(256 * kMega);
    const Piece live = cache.take(4 * kMega);
    std::memset(live.data, 7, 4 * kMega);
    cache.give(cache.take(8 * kMega));
    const pid_t child = fork();
    if (child == 0) {
        bool ok = cache.held() == 0 && static_cast<char*>(live.data)[kMega] == 7;
        std::memset(live.data, 8, 4 * kMega);
        cache.give(live);  // its pages are the parent's until they are written: not worth keeping
        ok = ok && cache.held() == 0;
        const Piece piece = cache.take(4 * kMega);
        std::memset(piece.data, 1, 4 * kMega);
        cache.give(piece);
        _exit(ok && cache.held() == 4 * kMega ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(cache.held() == 8 * kMega && static_cast<char*>(live.data)[kMega] == 7);
    cache.give(live);
    CHECK(cache.held() == 12 * kMega);
}

// Pieces in use never overlap, whoever takes and gives; a forking thread among them finds no lock held.
void threads() {
    ResultCache& cache = clean(24 * kMega);
    std::atomic<bool> ok{true};
    std::vector<std::thread> team;
    for (int t = 0; t < 4; ++t)
        team.emplace_back([&, t] {
            for (int i = 0; i < 300; ++i) {
                const size_t bytes = (2 + static_cast<size_t>((i * 7 + t) % 5)) * kMega;
                const Piece piece = cache.take(bytes);
                auto* cells = static_cast<char*>(piece.data);
                for (size_t k = 0; k < bytes; k += 4096) cells[k] = static_cast<char>(t);
                std::this_thread::yield();
                for (size_t k = 0; k < bytes; k += 4096)
                    if (cells[k] != static_cast<char>(t)) ok = false;
                cache.give(piece);
                if (i % 50 == 0) cache.empty();
            }
        });
    for (int i = 0; i < 10; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            cache.give(cache.take(2 * kMega));
            _exit(0);
        }
        int status = 1;
        waitpid(child, &status, 0);
        if (status != 0) ok = false;
    }
    for (std::thread& member : team) member.join();
    CHECK(ok && cache.held() <= 24 * kMega);
}

}  // namespace

int main() {
    CHECK(ResultCache::default_limit() > 0 && ResultCache::default_limit() <= 1024 * kMega);
    hits_and_misses();
    sizes();
    limits();
    many_pieces();
    forks();
    threads();
    return check::verdict();
}
