// Is there a NaN among n elements? Kernels for numbers alone are faster, and NaN is rare.
#pragma once

template <class T>
bool has_nan(const char* p, int64_t n) {
    using W = V<T>;
    constexpr int N = kN<T>;
    Doubts<T> found{}, more{};
    int64_t i = 0;
    for (; i + 4 * N <= n; i += 4 * N) {
        const auto at = [&](int u) { return load<W>(p + (i + u * N) * static_cast<int64_t>(sizeof(T))); };
        found.unordered(at(0), at(1));
        more.unordered(at(2), at(3));
    }
    for (; i + N <= n; i += N) {
        const W a = load<W>(p + i * static_cast<int64_t>(sizeof(T)));
        found.unordered(a, a);
    }
    found |= more;
    if (found.any()) return true;
    for (; i < n; ++i) {
        T value;
        std::memcpy(&value, p + i * static_cast<int64_t>(sizeof(T)), sizeof value);
        if (value != value) return true;
    }
    return false;
}

inline bool has_nan_half(const char* p, int64_t n, uint16_t infinity) {
    using W = V<int16_t>;
    constexpr int N = kN<int16_t>;
    const auto limit = static_cast<int16_t>(infinity);
    Doubts<int16_t> found{};
    int64_t i = 0;
    for (; i + N <= n; i += N) found.above(load<W>(p + 2 * i) & int16_t{0x7fff}, limit);
    if (found.any()) return true;
    for (; i < n; ++i) {
        uint16_t bits;
        std::memcpy(&bits, p + 2 * i, sizeof bits);
        if ((bits & 0x7fffu) > infinity) return true;
    }
    return false;
}
