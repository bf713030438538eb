// Element types, and loading and storing short runs of them. Strides are in bytes and memory may be unaligned.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "half.hpp"

namespace cenote {

using int128 = __int128;
using c64 = std::complex<float>;
using c128 = std::complex<double>;

struct bool8 {
    uint8_t value;
};

// X(enumerator, storage type, NumPy name). The order is the code that Python passes.
#define CENOTE_DTYPES(X)       \
    X(b8, bool8, "bool")       \
    X(i8, int8_t, "int8")      \
    X(i16, int16_t, "int16")   \
    X(i32, int32_t, "int32")   \
    X(i64, int64_t, "int64")   \
    X(u8, uint8_t, "uint8")    \
    X(u16, uint16_t, "uint16") \
    X(u32, uint32_t, "uint32") \
    X(u64, uint64_t, "uint64") \
    X(f16, f16, "float16")     \
    X(bf16, bf16, "bfloat16")  \
    X(f32, float, "float32")   \
    X(f64, double, "float64")  \
    X(c64, c64, "complex64")   \
    X(c128, c128, "complex128")

enum class DType : int {
#define X(name, type, text) name,
    CENOTE_DTYPES(X)
#undef X
};

constexpr int kDTypes = static_cast<int>(DType::c128) + 1;

inline const char* dtype_name(int code) {
    static const char* const names[] = {
#define X(name, type, text) text,
        CENOTE_DTYPES(X)
#undef X
    };
    return names[code];
}

inline int64_t item_size(DType dtype) {
    static const int64_t sizes[] = {
#define X(name, type, text) sizeof(type),
        CENOTE_DTYPES(X)
#undef X
    };
    return sizes[static_cast<int>(dtype)];
}

inline bool is_integral(DType t) { return t <= DType::u64; }
inline bool is_complex(DType t) { return t >= DType::c64; }
inline bool is_double(DType t) { return t == DType::f64 || t == DType::c128; }

template <class T>
constexpr bool is_complex_v = std::is_same_v<T, c64> || std::is_same_v<T, c128>;
template <class T>
constexpr bool is_half_v = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;
template <class T>
constexpr bool is_integer_v = std::is_integral_v<T> || std::is_same_v<T, int128>;

template <class T>
inline T peek(const char* p) {
    T value;
    std::memcpy(&value, p, sizeof(T));
    return value;
}

template <class T>
inline void poke(char* p, T value) {
    std::memcpy(p, &value, sizeof(T));
}

// Storage to accumulator. The engines choose accumulators that hold every value of the storage type.
template <class Acc, class T>
inline Acc lift(T value) {
    if constexpr (std::is_same_v<T, bool8>)
        return static_cast<Acc>(value.value != 0 ? 1 : 0);
    else if constexpr (is_half_v<T>)
        return lift<Acc>(widen(value));
    else if constexpr (is_complex_v<T> && !is_complex_v<Acc>)
        return Acc{};  // never asked for: complex input has a complex accumulator
    else if constexpr (is_complex_v<Acc>) {
        if constexpr (is_complex_v<T>)
            return Acc(static_cast<typename Acc::value_type>(value.real()),
                       static_cast<typename Acc::value_type>(value.imag()));
        else
            return Acc(static_cast<typename Acc::value_type>(value));
    } else if constexpr (is_integer_v<Acc> && std::is_floating_point_v<T>)
        return Acc{};  // never asked for: floats have float accumulators
    else
        return static_cast<Acc>(value);
}

// Accumulator to storage: one rounding for floats, modulo 2^bits for integers.
template <class T, class Acc>
inline T lower(Acc value) {
    if constexpr (is_complex_v<Acc>) {
        if constexpr (is_complex_v<T>)
            return T(static_cast<typename T::value_type>(value.real()),
                     static_cast<typename T::value_type>(value.imag()));
        else
            return T{};
    } else if constexpr (std::is_same_v<T, bool8>)
        return bool8{static_cast<uint8_t>(value != Acc(0))};
    else if constexpr (is_complex_v<T>)
        return T{};
    else if constexpr (is_half_v<T>) {
        if constexpr (is_integer_v<Acc>)
            return lower<T>(static_cast<double>(value));
        else if constexpr (std::is_same_v<T, f16>)
            return to_f16(value);
        else
            return to_bf16(value);
    } else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<Acc>)
        return T{};  // never asked for: float sums have float results
    else if constexpr (std::is_floating_point_v<T> && is_integer_v<Acc>)
        return static_cast<T>(value);  // straight from the integer: by way of double it would be rounded twice
    else
        return static_cast<T>(value);
}

template <class Acc, class T>
inline void load_as(const char* p, int64_t stride, int n, Acc* out) {
    if (stride == static_cast<int64_t>(sizeof(T)))  // a stride the compiler knows lets it vectorise
        for (int i = 0; i < n; ++i) out[i] = lift<Acc>(peek<T>(p + i * static_cast<int64_t>(sizeof(T))));
    else
        for (int i = 0; i < n; ++i) out[i] = lift<Acc>(peek<T>(p + i * stride));
}

template <class T, class Acc>
inline void store_as(char* p, int64_t stride, int n, const Acc* in) {
    if (stride == static_cast<int64_t>(sizeof(T)))
        for (int i = 0; i < n; ++i) poke<T>(p + i * static_cast<int64_t>(sizeof(T)), lower<T>(in[i]));
    else
        for (int i = 0; i < n; ++i) poke<T>(p + i * stride, lower<T>(in[i]));
}

// One switch per run of up to kLanes elements: small next to the work on the run.
template <class Acc>
inline void load(DType dtype, const char* p, int64_t stride, int n, Acc* out) {
    switch (dtype) {
#define X(name, type, text) \
    case DType::name: return load_as<Acc, type>(p, stride, n, out);
        CENOTE_DTYPES(X)
#undef X
    }
}

template <class Acc>
inline void store(DType dtype, char* p, int64_t stride, int n, const Acc* in) {
    switch (dtype) {
#define X(name, type, text) \
    case DType::name: return store_as<type>(p, stride, n, in);
        CENOTE_DTYPES(X)
#undef X
    }
}

inline void copy_item(char* to, const char* from, int64_t size) {
    switch (size) {
        case 1: std::memcpy(to, from, 1); return;
        case 2: std::memcpy(to, from, 2); return;
        case 4: std::memcpy(to, from, 4); return;
        case 8: std::memcpy(to, from, 8); return;
        default: std::memcpy(to, from, static_cast<size_t>(size));
    }
}

// The smallest and the largest value of a type, as accumulator; infinities for floats.
template <class Acc>
inline Acc lowest(DType dtype) {
    switch (dtype) {
#define X(name, type, text)                                                                         \
    case DType::name:                                                                               \
        if constexpr (std::is_integral_v<type>) return lift<Acc>(std::numeric_limits<type>::min()); \
        break;
        CENOTE_DTYPES(X)
#undef X
    }
    if (dtype == DType::b8) return Acc(0);
    return -std::numeric_limits<Acc>::infinity();
}

template <class Acc>
inline Acc highest(DType dtype) {
    switch (dtype) {
#define X(name, type, text)                                                                         \
    case DType::name:                                                                               \
        if constexpr (std::is_integral_v<type>) return lift<Acc>(std::numeric_limits<type>::max()); \
        break;
        CENOTE_DTYPES(X)
#undef X
    }
    if (dtype == DType::b8) return Acc(1);
    return std::numeric_limits<Acc>::infinity();
}

}  // namespace cenote
