// Is there a NaN among n elements? Kernels for numbers alone are faster, and NaN is rare.
#pragma once

template <class T>
bool has_nan(const char* p, int64_t n) {
    using W = V<T>;
    constexpr int N = kN<T>;
    V<Signed<T>> found{};
    int64_t i = 0;
    for (; i + 4 * N <= n; i += 4 * N) {
        const auto at = [&](int u) { return load<W>(p + (i + u * N) * static_cast<int64_t>(sizeof(T))); };
        const W a = at(0), b = at(1), c = at(2), d = at(3);
        found |= unordered(a, b) | unordered(c, d);
    }
    for (; i + N <= n; i += N) {
        const W a = load<W>(p + i * static_cast<int64_t>(sizeof(T)));
        found |= a != a;
    }
    if (any(found)) return true;
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
    W found{};
    int64_t i = 0;
    for (; i + N <= n; i += N) found |= (load<W>(p + 2 * i) & int16_t{0x7fff}) > limit;
    if (any(found)) return true;
    for (; i < n; ++i) {
        uint16_t bits;
        std::memcpy(&bits, p + 2 * i, sizeof bits);
        if ((bits & 0x7fffu) > infinity) return true;
    }
    return false;
}
