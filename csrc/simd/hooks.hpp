// What a target does better by hand than by the vector extension. Included by vec.hpp.
#pragma once

#if defined(CENOTE_X86)
    #define CENOTE_HAS_STREAM
template <class W>
CENOTE_INLINE void stream(void* p, W v) {
    if constexpr (sizeof(W) == 16) _mm_stream_si128(static_cast<__m128i*>(p), as<__m128i>(v));
    #if defined(CENOTE_AVX2) || defined(CENOTE_AVX512)
    if constexpr (sizeof(W) == 32) _mm256_stream_si256(static_cast<__m256i*>(p), as<__m256i>(v));
    #endif
    #if defined(CENOTE_AVX512)
    if constexpr (sizeof(W) == 64) _mm512_stream_si512(static_cast<__m512i*>(p), as<__m512i>(v));
    #endif
}
inline void stream_end() { _mm_sfence(); }

    #define CENOTE_HAS_ROOT
template <class W>
CENOTE_INLINE W square_root(W v) {
    if constexpr (std::is_same_v<Element<W>, float>) {
        if constexpr (sizeof(W) == 16) return as<W>(_mm_sqrt_ps(as<__m128>(v)));
    #if defined(CENOTE_AVX2)
        if constexpr (sizeof(W) == 32) return as<W>(_mm256_sqrt_ps(as<__m256>(v)));
    #endif
    #if defined(CENOTE_AVX512)
        if constexpr (sizeof(W) == 64) return as<W>(_mm512_maskz_sqrt_ps(0xffff, as<__m512>(v)));
    #endif
    } else {
        if constexpr (sizeof(W) == 16) return as<W>(_mm_sqrt_pd(as<__m128d>(v)));
    #if defined(CENOTE_AVX2)
        if constexpr (sizeof(W) == 32) return as<W>(_mm256_sqrt_pd(as<__m256d>(v)));
    #endif
    #if defined(CENOTE_AVX512)
        if constexpr (sizeof(W) == 64) return as<W>(_mm512_maskz_sqrt_pd(0xff, as<__m512d>(v)));
    #endif
    }
}
#endif

#if defined(CENOTE_AVX2)
    #define CENOTE_HAS_UNORDERED
template <class W>
CENOTE_INLINE auto unordered_lanes(W a, W b) {
    if constexpr (sizeof(Element<W>) == 4)
        return as<V<int32_t>>(_mm256_cmp_ps(as<__m256>(a), as<__m256>(b), _CMP_UNORD_Q));
    else
        return as<V<int64_t>>(_mm256_cmp_pd(as<__m256d>(a), as<__m256d>(b), _CMP_UNORD_Q));
}

    #define CENOTE_HAS_MIXED
// Within each half of a register, so that one permutation at the end serves both.
template <class W>
CENOTE_INLINE W mixed_even(W a, W b) {
    constexpr int size = sizeof(Element<W>);
    if constexpr (size == 8) return as<W>(_mm256_unpacklo_pd(as<__m256d>(a), as<__m256d>(b)));
    if constexpr (size == 4) return as<W>(_mm256_shuffle_ps(as<__m256>(a), as<__m256>(b), 0x88));
    if constexpr (size == 2) {
        const __m256i low = _mm256_set1_epi32(0xffff);
        return as<W>(_mm256_packus_epi32(_mm256_and_si256(as<__m256i>(a), low), _mm256_and_si256(as<__m256i>(b), low)));
    }
    if constexpr (size == 1) {
        const __m256i low = _mm256_set1_epi16(0xff);
        return as<W>(_mm256_packus_epi16(_mm256_and_si256(as<__m256i>(a), low), _mm256_and_si256(as<__m256i>(b), low)));
    }
}
template <class W>
CENOTE_INLINE W mixed_odd(W a, W b) {
    constexpr int size = sizeof(Element<W>);
    if constexpr (size == 8) return as<W>(_mm256_unpackhi_pd(as<__m256d>(a), as<__m256d>(b)));
    if constexpr (size == 4) return as<W>(_mm256_shuffle_ps(as<__m256>(a), as<__m256>(b), 0xdd));
    if constexpr (size == 2)
        return as<W>(_mm256_packus_epi32(_mm256_srli_epi32(as<__m256i>(a), 16), _mm256_srli_epi32(as<__m256i>(b), 16)));
    if constexpr (size == 1)
        return as<W>(_mm256_packus_epi16(_mm256_srli_epi16(as<__m256i>(a), 8), _mm256_srli_epi16(as<__m256i>(b), 8)));
}
template <class W>
CENOTE_INLINE W sorted(W v) {
    return as<W>(_mm256_permute4x64_epi64(as<__m256i>(v), 0xd8));
}
#endif

#if defined(CENOTE_X86)
    #define CENOTE_HAS_SHIFTED
// The compiler knows no good way to shift bytes across the parts of a register.
template <int n, class W>
CENOTE_INLINE W shifted_out(W v, W after) {
    constexpr int bytes = n * static_cast<int>(sizeof(Element<W>)), rest = bytes % 16;
    if constexpr (bytes == 0)
        return v;
    else if constexpr (bytes == static_cast<int>(sizeof(W)))
        return after;
    #if defined(CENOTE_AVX512)
    else if constexpr (sizeof(W) == 64 && bytes % 4 == 0)
        return as<W>(_mm512_alignr_epi32(as<__m512i>(after), as<__m512i>(v), bytes / 4));
    else if constexpr (sizeof(W) == 64) {
        constexpr int part = bytes / 16 * 2;
        const __m512i low = _mm512_alignr_epi64(as<__m512i>(after), as<__m512i>(v), part);
        const __m512i high =
            part == 6 ? as<__m512i>(after) : _mm512_alignr_epi64(as<__m512i>(after), as<__m512i>(v), (part + 2) % 8);
        return as<W>(_mm512_alignr_epi8(high, low, rest));
    }
    #endif
    #if defined(CENOTE_AVX2)
    else if constexpr (sizeof(W) == 32) {
        const __m256i middle = _mm256_permute2x128_si256(as<__m256i>(v), as<__m256i>(after), 0x21);
        if constexpr (bytes == 16)
            return as<W>(middle);
        else if constexpr (bytes < 16)
            return as<W>(_mm256_alignr_epi8(middle, as<__m256i>(v), rest));
        else
            return as<W>(_mm256_alignr_epi8(as<__m256i>(after), middle, rest));
    }
    #endif
    else
        return as<W>(
            _mm_or_si128(_mm_srli_si128(as<__m128i>(v), bytes), _mm_slli_si128(as<__m128i>(after), 16 - bytes)));
}
#endif

#if defined(CENOTE_AVX2) || defined(CENOTE_AVX512)
    #define CENOTE_HAS_HALVES
template <int N>
CENOTE_INLINE Vec<float, N> widen_f16(Vec<uint16_t, N> h) {
    if constexpr (N == 8) return as<Vec<float, N>>(_mm256_cvtph_ps(as<__m128i>(h)));
    #if defined(CENOTE_AVX512)
    else if constexpr (N == 16)
        return as<Vec<float, N>>(_mm512_cvtph_ps(as<__m256i>(h)));
    #endif
}
template <int N>
CENOTE_INLINE Vec<uint16_t, N> narrow_f16(Vec<float, N> f) {
    constexpr int nearest = 0;
    if constexpr (N == 8) return as<Vec<uint16_t, N>>(_mm256_cvtps_ph(as<__m256>(f), nearest));
    #if defined(CENOTE_AVX512)
    else if constexpr (N == 16)
        return as<Vec<uint16_t, N>>(_mm512_cvtps_ph(as<__m512>(f), nearest));
    #endif
}

    #define CENOTE_HAS_CASTS
// gcc takes bytes apart one by one where the result has four times their width.
template <class T, class From>
CENOTE_INLINE auto widened(From v) {
    using E = Element<From>;
    constexpr int n = kCount<From>;
    using To = Vec<T, n>;
    if constexpr (std::is_floating_point_v<T> && sizeof(E) < 4)
        return convert<To>(widened<int32_t>(v));
    else if constexpr (std::is_integral_v<T> && sizeof(To) == 32 && sizeof(From) == 16 && sizeof(E) == 1)
        return as<To>(std::is_signed_v<E> ? _mm256_cvtepi8_epi16(as<__m128i>(v))
                                          : _mm256_cvtepu8_epi16(as<__m128i>(v)));
    else if constexpr (std::is_integral_v<T> && sizeof(To) == 32 && sizeof(From) == 16 && sizeof(E) == 2)
        return as<To>(std::is_signed_v<E> ? _mm256_cvtepi16_epi32(as<__m128i>(v))
                                          : _mm256_cvtepu16_epi32(as<__m128i>(v)));
    else if constexpr (std::is_integral_v<T> && sizeof(To) == 32 && sizeof(From) == 8 && sizeof(E) == 1) {
        const __m128i low = _mm_cvtsi64_si128(as<int64_t>(v));
        return as<To>(std::is_signed_v<E> ? _mm256_cvtepi8_epi32(low) : _mm256_cvtepu8_epi32(low));
    }
    #if defined(CENOTE_AVX512)
    else if constexpr (std::is_integral_v<T> && sizeof(To) == 64 && sizeof(From) == 32 && sizeof(E) == 1)
        return as<To>(std::is_signed_v<E> ? _mm512_cvtepi8_epi16(as<__m256i>(v))
                                          : _mm512_cvtepu8_epi16(as<__m256i>(v)));
    else if constexpr (std::is_integral_v<T> && sizeof(To) == 64 && sizeof(From) == 32 && sizeof(E) == 2)
        return as<To>(std::is_signed_v<E> ? _mm512_cvtepi16_epi32(as<__m256i>(v))
                                          : _mm512_cvtepu16_epi32(as<__m256i>(v)));
    else if constexpr (std::is_integral_v<T> && sizeof(To) == 64 && sizeof(From) == 16 && sizeof(E) == 1)
        return as<To>(std::is_signed_v<E> ? _mm512_cvtepi8_epi32(as<__m128i>(v))
                                          : _mm512_cvtepu8_epi32(as<__m128i>(v)));
    #endif
    else
        return convert<To>(v);
}
template <class To, class From>
CENOTE_INLINE To narrowed(From v) {
    if constexpr (sizeof(Element<From>) == 4 && sizeof(Element<To>) == 1)
        return convert<To>(convert<Vec<int16_t, kCount<From>>>(v));
    #if defined(CENOTE_AVX2)
    else if constexpr (sizeof(Element<From>) == 4 && sizeof(Element<To>) == 2 && sizeof(From) == 32) {
        const __m256i low = _mm256_and_si256(as<__m256i>(v), _mm256_set1_epi32(0xffff));
        return as<To>(_mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1)));
    }
    #endif
    else
        return convert<To>(v);
}
#endif

#if defined(CENOTE_AVX2) || defined(CENOTE_AVX512)
    #define CENOTE_HAS_PICKED
// The lanes of v that `which` numbers.
template <class W>
CENOTE_INLINE W picked(W v, V<Signed<Element<W>>> which) {
    if constexpr (sizeof(W) == 32 && sizeof(Element<W>) == 4)
        return as<W>(_mm256_permutevar8x32_epi32(as<__m256i>(v), as<__m256i>(which)));
    if constexpr (sizeof(W) == 32 && sizeof(Element<W>) == 8) {
        const auto halves = which * 2 + ((which * 2 + 1) << 32);
        return as<W>(_mm256_permutevar8x32_epi32(as<__m256i>(v), as<__m256i>(halves)));
    }
    #if defined(CENOTE_AVX512)
    if constexpr (sizeof(W) == 64 && sizeof(Element<W>) == 4)
        return as<W>(_mm512_permutexvar_epi32(as<__m512i>(which), as<__m512i>(v)));
    if constexpr (sizeof(W) == 64 && sizeof(Element<W>) == 8)
        return as<W>(_mm512_permutexvar_epi64(as<__m512i>(which), as<__m512i>(v)));
    #endif
}
#endif

#if defined(CENOTE_AVX2)
    #define CENOTE_HAS_TRANSPOSE
template <class W>
constexpr bool kTransposes = sizeof(Element<W>) >= 4;
// Within the halves of registers, and the halves last: half the shuffles that interleaving whole registers takes.
template <class W>
CENOTE_INLINE void transpose_by_hand(W* v) {
    const auto low = [&](W a, W b) __attribute__((always_inline)) {
        return as<W>(_mm256_unpacklo_pd(as<__m256d>(a), as<__m256d>(b)));
    };
    const auto high = [&](W a, W b) __attribute__((always_inline)) {
        return as<W>(_mm256_unpackhi_pd(as<__m256d>(a), as<__m256d>(b)));
    };
    constexpr int N = kCount<W>;
    W half[N];
    if constexpr (N == 4) {
        CENOTE_UNROLL for (int i = 0; i < 4; i += 2) half[i] = low(v[i], v[i + 1]), half[i + 1] = high(v[i], v[i + 1]);
        // half[0], half[1]: columns 0 and 2, 1 and 3 of the first two rows
    } else {
        W pair[N];
        CENOTE_UNROLL for (int i = 0; i < 8; i += 2) {
            pair[i] = as<W>(_mm256_unpacklo_ps(as<__m256>(v[i]), as<__m256>(v[i + 1])));
            pair[i + 1] = as<W>(_mm256_unpackhi_ps(as<__m256>(v[i]), as<__m256>(v[i + 1])));
        }
        CENOTE_UNROLL for (int i = 0; i < 8; i += 4) CENOTE_UNROLL for (int j = 0; j < 2; ++j) {
            half[i + 2 * j] = low(pair[i + j], pair[i + j + 2]);
            half[i + 2 * j + 1] = high(pair[i + j], pair[i + j + 2]);
        }
    }
    CENOTE_UNROLL for (int i = 0; i < N / 2; ++i) {
        const __m256i first = as<__m256i>(half[i]), second = as<__m256i>(half[i + N / 2]);
        v[i] = as<W>(_mm256_permute2x128_si256(first, second, 0x20));
        v[i + N / 2] = as<W>(_mm256_permute2x128_si256(first, second, 0x31));
    }
}

    #define CENOTE_HAS_NARROWED_FITTING
template <class To, class From>
CENOTE_INLINE To narrowed_fitting(From v) {
    if constexpr (sizeof(Element<From>) == 4 && sizeof(Element<To>) == 2 && sizeof(From) == 32) {
        const __m256i both = as<__m256i>(v);
        return as<To>(_mm_packus_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)));
    } else
        return narrowed<To>(v);
}

    #define CENOTE_HAS_NARROWED_TWO
template <class To, class From>
CENOTE_INLINE To narrowed_two(From a, From b) {
    const __m256i first = as<__m256i>(a), second = as<__m256i>(b);
    __m256i both;
    if constexpr (sizeof(Element<From>) == 4)
        both = _mm256_packus_epi32(first, second);
    else
        both = std::is_signed_v<Element<To>> ? _mm256_packs_epi16(first, second) : _mm256_packus_epi16(first, second);
    return as<To>(_mm256_permute4x64_epi64(both, 0xd8));
}

    #define CENOTE_HAS_PAIRS
template <class A, class From>
CENOTE_INLINE V<A> pairs_added(From raw) {
    const __m256i one = _mm256_set1_epi8(1), v = as<__m256i>(raw);
    return as<V<A>>(std::is_signed_v<A> ? _mm256_maddubs_epi16(one, v) : _mm256_maddubs_epi16(v, one));
}
#endif

#if defined(CENOTE_AVX512)
    #include "simd/hooks_avx512.hpp"
#endif
