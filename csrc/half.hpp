// float16 and bfloat16 as bit patterns. Conversions are done in integers: the same bits on every CPU.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace cenote {

struct f16 {
    uint16_t bits;
};
struct bf16 {
    uint16_t bits;
};

inline float widen(f16 h) {
    const uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000u) << 16;
    const uint32_t exponent = (h.bits >> 10) & 0x1fu;
    const uint32_t fraction = h.bits & 0x3ffu;
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
    if (exponent == 0) {
        const float small = static_cast<float>(fraction) * 0x1p-24f;  // exact: subnormals are multiples of 2^-24
        return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(small));
    }
    return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (fraction << 13));
}

inline float widen(bf16 h) { return std::bit_cast<float>(static_cast<uint32_t>(h.bits) << 16); }

// A NaN keeps its payload, so that a value that went through float comes back with its very bits.
template <class Half>
inline Half nan_bits(uint32_t sign, uint32_t exponent, uint32_t quiet, uint32_t payload) {
    return {static_cast<uint16_t>(sign | exponent | (payload != 0 ? payload : quiet))};
}

// Round half to even.
inline f16 to_f16(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return nan_bits<f16>(sign, 0x7c00u, 0x200u, (magnitude >> 13) & 0x3ffu);
    if (magnitude >= 0x477ff000u) return {static_cast<uint16_t>(sign | 0x7c00u)};  // 65520 and more
    if (magnitude < 0x38800000u) {
        // Below 2^-14: one addition to 0.5, whose last place is 2^-24, rounds to a multiple of 2^-24.
        const float moved = std::bit_cast<float>(magnitude) + 0.5f;
        return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(moved) - 0x3f000000u))};
    }
    const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return {static_cast<uint16_t>(sign | ((rounded >> 13) - (112u << 10)))};
}

inline bf16 to_bf16(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return nan_bits<bf16>((bits >> 16) & 0x8000u, 0x7f80u, 0x40u, (bits >> 16) & 0x7fu);
    return {static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

// A double made a float such that a second rounding (to 16 bits) gives what one rounding would: inexact results get
// an odd last bit.
inline float round_to_odd(double value) {
    float near = static_cast<float>(value);
    if (static_cast<double>(near) == value || value != value) return near;
    if (std::isinf(near)) return near;
    uint32_t bits = std::bit_cast<uint32_t>(near);
    const bool away = std::abs(static_cast<double>(near)) > std::abs(value);
    if (away) bits -= 1;  // now truncated toward zero
    return std::bit_cast<float>(bits | 1u);
}

inline f16 to_f16(double value) { return to_f16(round_to_odd(value)); }
inline bf16 to_bf16(double value) { return to_bf16(round_to_odd(value)); }

}  // namespace cenote
