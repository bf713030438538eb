// One thin vector type. Included once by each target_*.cpp, inside its namespace and its code region, after all other
// headers: everything here is compiled for that target alone. kBytes, the width of a register, and kRich, whether the
// largest kernels are worth their code, are defined there.
// Arithmetic is the compiler's own vector extension (+ - * / & | ^ < > ?:); what it does badly has a hook, and a target
// defines CENOTE_HAS_<HOOK> where it brings a better one.
#pragma once

#define CENOTE_INLINE inline __attribute__((always_inline))

// Whole loops, so that arrays of registers stay in registers: 16 is what a transposition of 512-bit registers needs.
#if defined(__clang__)
    #define CENOTE_UNROLL _Pragma("clang loop unroll(full)")
#else
    #define CENOTE_UNROLL _Pragma("GCC unroll 16")
#endif

template <class T, int N>
struct VecType {
    typedef T type __attribute__((vector_size(sizeof(T) * N)));  // gcc wants a typedef here
};

template <class T, int N>
using Vec = typename VecType<T, N>::type;

template <class T>
constexpr int kN = kBytes / static_cast<int>(sizeof(T));

template <class T>
using V = Vec<T, kN<T>>;

template <class W>
using Element = std::remove_cvref_t<decltype(std::declval<W>()[0])>;

template <class W>
constexpr int kCount = static_cast<int>(sizeof(W) / sizeof(Element<W>));

template <class T>
using Signed = std::conditional_t<
    sizeof(T) == 1, int8_t,
    std::conditional_t<sizeof(T) == 2, int16_t, std::conditional_t<sizeof(T) == 4, int32_t, int64_t>>>;

constexpr bool kLittleEndian = std::endian::native == std::endian::little;

template <class W>
CENOTE_INLINE W load(const void* p) {
    W v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

template <class W>
CENOTE_INLINE W splat(Element<W> value) {
    return value - W{};  // the sum of 0 and -0 would be 0
}

// The first n elements, none where n is negative; the others hold `fill`.
template <class W>
CENOTE_INLINE W load_part(const void* p, int64_t n, Element<W> fill) {
    W v = splat<W>(fill);
    if (n > 0) __builtin_memcpy(&v, p, std::min(static_cast<size_t>(n) * sizeof(Element<W>), sizeof v));
    return v;
}

template <class W>
CENOTE_INLINE void store(void* p, W v) {
    __builtin_memcpy(p, &v, sizeof v);
}

template <class W>
CENOTE_INLINE void store_part(void* p, W v, int64_t n) {
    __builtin_memcpy(p, &v, static_cast<size_t>(n) * sizeof(Element<W>));
}

// n elements, none more.
template <class T>
CENOTE_INLINE void fill(T* p, int64_t n, T value) {
    constexpr int N = kN<T>, H = 16 / static_cast<int>(sizeof(T));
    if (n >= N) {
        for (int64_t i = 0; i < n - N; i += N) store(p + i, splat<V<T>>(value));
        return store(p + n - N, splat<V<T>>(value));
    }
    if (n >= H) {
        for (int64_t i = 0; i < n - H; i += H) store(p + i, splat<Vec<T, H>>(value));
        return store(p + n - H, splat<Vec<T, H>>(value));
    }
    for (int64_t i = 0; i < n; ++i) p[i] = value;
}

template <class To, class From>
CENOTE_INLINE To as(From v) {
    static_assert(sizeof(To) == sizeof(From));
    return __builtin_bit_cast(To, v);
}

template <class To, class From>
CENOTE_INLINE To convert(From v) {
    return __builtin_convertvector(v, To);
}

template <class W, int... I>
CENOTE_INLINE W even_of(W a, W b, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(a, b, (2 * I)...);
}

template <class W, int... I>
CENOTE_INLINE W odd_of(W a, W b, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(a, b, (2 * I + 1)...);
}

// Lanes 0, 2, 4 ... of the 2N lanes (a, b), and lanes 1, 3, 5 ...
template <class W>
CENOTE_INLINE W even(W a, W b) {
    return even_of(a, b, std::make_integer_sequence<int, kCount<W>>{});
}

template <class W>
CENOTE_INLINE W odd(W a, W b) {
    return odd_of(a, b, std::make_integer_sequence<int, kCount<W>>{});
}

#include "simd/hooks.hpp"

// How far ahead of what is read now memory is asked for: further than processors do it by themselves, to which several
// rows read by turns do not look like a stream (measured on Zen 4: up to twice as fast).
constexpr int64_t kAhead = 8192;

// Of floats there must be no NaN.
#if !defined(CENOTE_HAS_LARGER)
template <class W>
CENOTE_INLINE W larger(W a, W b) {
    return a > b ? a : b;
}
template <class W>
CENOTE_INLINE W smaller(W a, W b) {
    return a < b ? a : b;
}
#endif

#if !defined(CENOTE_HAS_SHIFTED)
template <int n, class W, int... I>
CENOTE_INLINE W shifted_by(W v, W after, std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(v, after, (n + I)...);
}
// All but the first n lanes of v, and the first n of `after`.
template <int n, class W>
CENOTE_INLINE W shifted_out(W v, W after) {
    return shifted_by<n>(v, after, std::make_integer_sequence<int, kCount<W>>{});
}
#endif
// The last n lanes of `before`, and all but the last n of v.
template <int n, class W>
CENOTE_INLINE W shifted_in(W before, W v) {
    return shifted_out<kCount<W> - n>(before, v);
}

// The same for a number of lanes, 0 to all, that is known when the program runs; where it is one or two instructions.
#if !defined(CENOTE_HAS_SHIFT)
template <class W>
constexpr bool kShifts = false;
template <class W>
struct Shift {};
#endif

#if !defined(CENOTE_HAS_CASTS)
// Integers and floats to a wider type, and wide integers to the low bits of a narrow one.
template <class T, class From>
CENOTE_INLINE auto widened(From v) {
    return convert<Vec<T, kCount<From>>>(v);
}
template <class To, class From>
CENOTE_INLINE To narrowed(From v) {
    return convert<To>(v);
}
#endif

// Integers in lanes twice as wide as they need; those of two registers, one behind the other.
#if !defined(CENOTE_HAS_NARROWED_FITTING)
template <class To, class From>
CENOTE_INLINE To narrowed_fitting(From v) {
    return narrowed<To>(v);
}
#endif
#if !defined(CENOTE_HAS_NARROWED_TWO)
template <class To, class From>
CENOTE_INLINE To narrowed_two(From a, From b) {
    using Half = Vec<Element<To>, kCount<From>>;
    const Half halves[] = {narrowed<Half>(a), narrowed<Half>(b)};
    return load<To>(halves);
}
#endif

// Sums of neighbouring lanes, twice as wide.
#if !defined(CENOTE_HAS_PAIRS)
template <class A, class From>
CENOTE_INLINE V<A> pairs_added(From raw) {
    static_assert(std::endian::native == std::endian::little);
    const V<A> both = as<V<A>>(raw);
    if constexpr (std::is_signed_v<A>)
        return ((both << 8) >> 8) + (both >> 8);
    else
        return (both & A{0xff}) + (both >> 8);
}
#endif

// Lanes of a and b by turns: of their lower halves, and of their upper halves.
template <class W, int... I>
CENOTE_INLINE void interleaved(W a, W b, W& low, W& high, std::integer_sequence<int, I...>) {
    constexpr int N = kCount<W>;
    const W first = __builtin_shufflevector(a, b, (I / 2 + I % 2 * N)...);
    high = __builtin_shufflevector(a, b, (N / 2 + I / 2 + I % 2 * N)...);
    low = first;
}
template <class W>
CENOTE_INLINE void interleave(W a, W b, W& low, W& high) {
    interleaved(a, b, low, high, std::make_integer_sequence<int, kCount<W>>{});
}

#if !defined(CENOTE_HAS_TRANSPOSE)
template <class W>
constexpr bool kTransposes = false;
template <class W>
CENOTE_INLINE void transpose_by_hand(W*) {}
#endif

// The same straight from memory, where that takes fewer shuffles: N lanes, `at` bytes on from each of N addresses.
#if !defined(CENOTE_HAS_LOAD_TRANSPOSED)
template <class W>
constexpr bool kLoadsTransposed = false;
template <class W>
CENOTE_INLINE void load_transposed(const char* const*, int64_t, W*) {}
#endif

// Rows become columns: N registers of N lanes.
template <class W>
CENOTE_INLINE void transpose(W* v) {
    constexpr int N = kCount<W>;
    if constexpr (kTransposes<W>) return transpose_by_hand(v);
    for (int size = 1; size < N; size *= 2) {
        W next[N];
        CENOTE_UNROLL for (int i = 0; i < N / 2; ++i) interleave(v[i], v[i + N / 2], next[2 * i], next[2 * i + 1]);
        CENOTE_UNROLL for (int i = 0; i < N; ++i) v[i] = next[i];
    }
}

#if !defined(CENOTE_HAS_HALVES)
// float16 bits to float and back, in integers: see half.hpp.
template <int N>
CENOTE_INLINE Vec<float, N> widen_f16(Vec<uint16_t, N> h) {
    using U = Vec<uint32_t, N>;
    using F = Vec<float, N>;
    const U bits = convert<U>(h), sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7fffu;
    const F small = convert<F>(convert<Vec<int32_t, N>>(magnitude)) * 0x1p-24f;
    const U normal = (magnitude << 13) + (112u << 23), special = (magnitude << 13) | 0x7f800000u;
    U out = magnitude >= 0x7c00u ? special : normal;
    out = magnitude > 0x7c00u ? out | 0x400000u : out;  // processors make every NaN a quiet one
    out = magnitude < 0x400u ? as<U>(small) : out;
    return as<F>(out | sign);
}

template <int N>
CENOTE_INLINE Vec<uint16_t, N> narrow_f16(Vec<float, N> f) {
    using U = Vec<uint32_t, N>;
    using F = Vec<float, N>;
    const U bits = as<U>(f), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
    const U rounded = ((magnitude + 0xfffu + ((magnitude >> 13) & 1u)) >> 13) - (112u << 10);
    const U small = as<U>(as<F>(magnitude) + 0.5f) - 0x3f000000u;
    U out = magnitude < 0x38800000u ? small : rounded;
    out = magnitude >= 0x477ff000u ? splat<U>(0x7c00u) : out;
    out = magnitude > 0x7f800000u ? ((magnitude >> 13) & 0x3ffu) | 0x7e00u : out;
    return convert<Vec<uint16_t, N>>(out | sign);
}
#endif

template <int N>
CENOTE_INLINE Vec<float, N> widen_bf16(Vec<uint16_t, N> h) {
    return as<Vec<float, N>>(convert<Vec<uint32_t, N>>(h) << 16);
}

// Float to bfloat16 bits, in the upper half of every lane: to nearest, half to even. A NaN keeps its sign and what fits
// of its payload.
template <class W>
CENOTE_INLINE auto bf16_bits(W f) {
    using U = Vec<uint32_t, kCount<W>>;
    const U bits = as<U>(f), rounded = bits + (0x7fffu + ((bits >> 16) & 1u));
    return f != f ? bits | 0x400000u : rounded;
}
template <int N>
CENOTE_INLINE Vec<uint16_t, N> narrow_bf16(Vec<float, N> f) {
    return narrowed_fitting<Vec<uint16_t, N>>(bf16_bits(f) >> 16);
}

#if !defined(CENOTE_HAS_STREAM)
// A whole register to an aligned address, past the caches where the target can.
template <class W>
CENOTE_INLINE void stream(void* p, W v) {
    store(p, v);
}
inline void stream_end() {}
#endif

// Even and odd lanes in an order of the target's liking, the same for both; sorted() brings it back.
#if !defined(CENOTE_HAS_MIXED)
template <class W>
CENOTE_INLINE W mixed_even(W a, W b) {
    return even(a, b);
}
template <class W>
CENOTE_INLINE W mixed_odd(W a, W b) {
    return odd(a, b);
}
template <class W>
CENOTE_INLINE W sorted(W v) {
    return v;
}
#endif

#if !defined(CENOTE_HAS_DOUBTS)
    #if !defined(CENOTE_HAS_UNORDERED)
// Lanes where a or b is NaN.
template <class W>
CENOTE_INLINE auto unordered_lanes(W a, W b) {
    return (a != a) | (b != b);
}
    #endif
// Has any lane, of many registers, been one that was looked for?
template <class T>
struct Doubts {
    V<Signed<T>> lanes{};

    CENOTE_INLINE void unordered(V<T> a, V<T> b) { lanes |= unordered_lanes(a, b); }
    CENOTE_INLINE void above(V<Signed<T>> v, Signed<T> limit) { lanes |= v > limit; }
    CENOTE_INLINE void operator|=(const Doubts& other) { lanes |= other.lanes; }
    CENOTE_INLINE bool any() const {
        using Words = Vec<int64_t, kBytes / 8>;
        const Words words = as<Words>(lanes);
        int64_t all = 0;
        for (int i = 0; i < kCount<Words>; ++i) all |= words[i];
        return all != 0;
    }
};
#endif

#if !defined(CENOTE_HAS_PICKED)
template <class W>
CENOTE_INLINE W picked(W v, V<Signed<Element<W>>> which) {
    W out{};
    CENOTE_UNROLL for (int i = 0; i < kCount<W>; ++i) out[i] = v[which[i]];
    return out;
}
#endif

#if !defined(CENOTE_HAS_ROOT)
template <class W>
CENOTE_INLINE W square_root(W v) {
    W out{};
    CENOTE_UNROLL for (int i = 0; i < kCount<W>; ++i) out[i] = std::sqrt(v[i]);
    return out;
}
#endif
