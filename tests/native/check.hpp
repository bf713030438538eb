// Counting checks, and random numbers that are the same everywhere. A test program is a main() that ends with
// `return check::verdict();`.
#pragma once

#include <cstdint>
#include <cstdio>

namespace check {

inline long passed = 0, failed = 0;

inline void that(bool ok, const char* text, const char* file, int line) {
    ok ? ++passed : ++failed;
    if (!ok && failed <= 20) std::printf("%s:%d: failed: %s\n", file, line, text);
}

inline int verdict() {
    std::printf("%ld passed, %ld failed\n", passed, failed);
    return failed != 0 || passed == 0;
}

#define CHECK(condition) check::that((condition), #condition, __FILE__, __LINE__)
#define CHECK_THROWS(type, statement)                                         \
    do {                                                                      \
        bool thrown = false;                                                  \
        try {                                                                 \
            statement;                                                        \
        } catch (const type&) {                                               \
            thrown = true;                                                    \
        }                                                                     \
        check::that(thrown, #statement " throws " #type, __FILE__, __LINE__); \
    } while (false)

// splitmix64: the standard distributions differ between libraries.
struct Random {
    uint64_t state;
    uint64_t bits() {
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    int64_t below(int64_t n) { return static_cast<int64_t>(bits() % static_cast<uint64_t>(n)); }
    int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
    bool chance(int64_t one_in) { return below(one_in) == 0; }
    template <class T, size_t n>
    T of(const T (&choices)[n]) {
        return choices[below(n)];
    }
};

}  // namespace check
