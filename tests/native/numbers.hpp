// Element types as plain numbers, decoded and rounded without the code under test.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>

#include "check.hpp"
#include "dtype.hpp"

namespace numbers {

using cenote::DType;
using cenote::int128;

constexpr DType kAll[] = {DType::b8,   DType::i8,  DType::i16, DType::i32, DType::i64,
                          DType::u8,   DType::u16, DType::u32, DType::u64, DType::f16,
                          DType::bf16, DType::f32, DType::f64, DType::c64, DType::c128};
constexpr DType kReal[] = {DType::b8,  DType::i8,  DType::i16, DType::i32,  DType::i64, DType::u8, DType::u16,
                           DType::u32, DType::u64, DType::f16, DType::bf16, DType::f32, DType::f64};
constexpr DType kFloats[] = {DType::f16, DType::bf16, DType::f32, DType::f64};
constexpr DType kComplex[] = {DType::c64, DType::c128};

inline int64_t size_of(DType t) {
    constexpr int64_t sizes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};
    return sizes[static_cast<int>(t)];
}
inline bool whole(DType t) { return static_cast<int>(t) <= static_cast<int>(DType::u64); }
inline bool paired(DType t) { return t == DType::c64 || t == DType::c128; }
inline bool wide(DType t) { return t == DType::f64 || t == DType::c128; }

// A 16-bit float: 1 sign bit, `exponents` exponent bits, the rest fraction.
inline long double decode16(uint16_t bits, int exponents) {
    const int fractions = 15 - exponents, bias = (1 << (exponents - 1)) - 1;
    const int e = (bits >> fractions) & ((1 << exponents) - 1), f = bits & ((1 << fractions) - 1);
    const long double sign = (bits & 0x8000) != 0 ? -1 : 1;
    if (e == (1 << exponents) - 1)
        return f != 0 ? std::numeric_limits<long double>::quiet_NaN()
                      : sign * std::numeric_limits<long double>::infinity();
    return sign * (e == 0 ? std::ldexp(static_cast<long double>(f), 1 - bias - fractions)
                          : std::ldexp(static_cast<long double>(f + (1 << fractions)), e - bias - fractions));
}

// The nearest 16-bit float, halves to even: the value counted in units of the last place. NaN is the caller's affair.
inline uint16_t encode16(long double value, int exponents) {
    const int fractions = 15 - exponents, bias = (1 << (exponents - 1)) - 1;
    const uint16_t sign = std::signbit(value) ? 0x8000 : 0,
                   infinity = static_cast<uint16_t>(((1 << exponents) - 1) << fractions);
    const long double size = std::fabs(value);
    if (std::isinf(size)) return static_cast<uint16_t>(sign | infinity);
    int e = 0;
    std::frexp(size, &e);  // size = m * 2^e, m in [0.5, 1)
    if (size == 0 || e - 1 < 1 - bias) e = 2 - bias;
    const long double count = std::ldexp(size, fractions - (e - 1));
    auto units = static_cast<int64_t>(count);
    const long double rest = count - static_cast<long double>(units);
    if (rest > 0.5L || (rest == 0.5L && units % 2 != 0)) ++units;
    const int64_t bits =
        (static_cast<int64_t>(e - 2 + bias) << fractions) + units;  // a carry moves to the next exponent
    return static_cast<uint16_t>(sign | (bits >= infinity ? infinity : bits));
}

template <class T>
inline T get(const char* p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return value;
}
template <class T>
inline void put(char* p, T value) {
    std::memcpy(p, &value, sizeof value);
}

inline int128 read_whole(DType t, const char* p) {
    switch (t) {
        case DType::b8: return get<uint8_t>(p) != 0;
        case DType::i8: return get<int8_t>(p);
        case DType::i16: return get<int16_t>(p);
        case DType::i32: return get<int32_t>(p);
        case DType::i64: return get<int64_t>(p);
        case DType::u8: return get<uint8_t>(p);
        case DType::u16: return get<uint16_t>(p);
        case DType::u32: return get<uint32_t>(p);
        default: return get<uint64_t>(p);
    }
}

// Every value of a float type exactly; 64-bit integers only where long double is wider than double.
inline long double read(DType t, const char* p, bool imaginary = false) {
    switch (t) {
        case DType::f16: return decode16(get<uint16_t>(p), 5);
        case DType::bf16: return decode16(get<uint16_t>(p), 8);
        case DType::f32: return get<float>(p);
        case DType::f64: return get<double>(p);
        case DType::c64: return get<float>(p + (imaginary ? 4 : 0));
        case DType::c128: return get<double>(p + (imaginary ? 8 : 0));
        default: return static_cast<long double>(read_whole(t, p));
    }
}

inline void write_whole(DType t, char* p, int128 v) {
    const auto low = static_cast<uint64_t>(v);  // modulo 2^64, and narrower types modulo their own power
    switch (size_of(t)) {
        case 1: return put(p, t == DType::b8 ? static_cast<uint8_t>(v != 0) : static_cast<uint8_t>(low));
        case 2: return put(p, static_cast<uint16_t>(low));
        case 4: return put(p, static_cast<uint32_t>(low));
        default: return put(p, low);
    }
}

inline void write(DType t, char* p, long double v, bool imaginary = false) {
    const bool nan = std::isnan(v);
    switch (t) {
        case DType::f16: return put(p, nan ? uint16_t{0x7e00} : encode16(v, 5));
        case DType::bf16: return put(p, nan ? uint16_t{0x7fc0} : encode16(v, 8));
        case DType::f32: return put(p, static_cast<float>(v));
        case DType::f64: return put(p, static_cast<double>(v));
        case DType::c64: return put(p + (imaginary ? 4 : 0), static_cast<float>(v));
        case DType::c128: return put(p + (imaginary ? 8 : 0), static_cast<double>(v));
        default: return write_whole(t, p, static_cast<int128>(v));
    }
}

// Does a come before b? Nothing compares with NaN.
inline bool less(DType t, const char* a, const char* b) {
    return whole(t) ? read_whole(t, a) < read_whole(t, b) : read(t, a) < read(t, b);
}

inline bool nan(DType t, const char* p) { return !whole(t) && std::isnan(read(t, p)); }

// The same bits, or both NaN.
inline bool same(DType t, const char* a, const char* b) {
    if (whole(t)) return std::memcmp(a, b, static_cast<size_t>(size_of(t))) == 0;
    for (const bool imaginary : {false, true}) {
        const long double x = read(t, a, imaginary), y = read(t, b, imaginary);
        if (std::isnan(x) != std::isnan(y) || (!std::isnan(x) && (x != y || std::signbit(x) != std::signbit(y))))
            return false;
        if (!paired(t)) break;
    }
    return true;
}

// tame: numbers of one size, all bits of the fraction in use. Otherwise also what hurts.
inline void draw(check::Random& random, DType t, char* p, bool tame) {
    if (whole(t)) {
        constexpr int128 one = 1;
        const int bits = static_cast<int>(8 * size_of(t));
        const bool is_signed = t >= DType::i8 && t <= DType::i64;
        const int128 low = is_signed ? -(one << (bits - 1)) : 0, high = (one << (is_signed ? bits - 1 : bits)) - 1;
        const int128 choices[] = {low, high, high - 1, 0, 1, 2, 3, is_signed ? -1 : 7};
        write_whole(t, p, t == DType::b8 ? random.below(2) : tame ? random.below(100) : random.of(choices));
        return;
    }
    constexpr long double infinity = std::numeric_limits<long double>::infinity();
    for (const bool imaginary : {false, true}) {
        long double v = std::ldexp(static_cast<long double>(random.between(-1000000, 1000000)), -20);
        const long double nasty[] = {0.0L,
                                     -0.0L,
                                     1,
                                     1,
                                     -1,
                                     2,
                                     infinity,
                                     -infinity,
                                     1e-40L,
                                     6e-8L,
                                     65504,
                                     -3e38L,
                                     std::numeric_limits<long double>::quiet_NaN()};
        if (!tame) v = random.of(nasty);
        if (!tame && std::isnan(v) && random.chance(2)) v = -v;
        write(t, p, v, imaginary);
        if (!paired(t)) return;
    }
}

}  // namespace numbers
