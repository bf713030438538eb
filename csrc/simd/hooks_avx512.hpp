// What AVX-512 does better by hand than by the vector extension. Included by hooks.hpp.
#pragma once

#define CENOTE_HAS_DOUBTS
// Gathered in a mask: as lanes of a register they would take two more instructions each.
template <class T>
struct Doubts {
    using Mask = std::conditional_t<
        sizeof(T) == 1, __mmask64,
        std::conditional_t<sizeof(T) == 2, __mmask32, std::conditional_t<sizeof(T) == 4, __mmask16, __mmask8>>>;
    Mask lanes = 0;

    CENOTE_INLINE void unordered(V<T> a, V<T> b) {
        if constexpr (sizeof(T) == 4)
            lanes = _kor_mask16(lanes, _mm512_cmp_ps_mask(as<__m512>(a), as<__m512>(b), _CMP_UNORD_Q));
        else
            lanes = _kor_mask8(lanes, _mm512_cmp_pd_mask(as<__m512d>(a), as<__m512d>(b), _CMP_UNORD_Q));
    }
    CENOTE_INLINE void above(V<Signed<T>> v, Signed<T> limit) {
        static_assert(sizeof(T) == 2);
        lanes = _kor_mask32(lanes, _mm512_cmpgt_epi16_mask(as<__m512i>(v), _mm512_set1_epi16(limit)));
    }
    CENOTE_INLINE void operator|=(const Doubts& other) { lanes |= other.lanes; }
    CENOTE_INLINE bool any() const { return lanes != 0; }
};

#define CENOTE_HAS_MIXED
// Bytes and pairs of them within quarters of a register, larger elements in their order at once.
template <class W>
CENOTE_INLINE W mixed_even(W a, W b) {
    if constexpr (sizeof(Element<W>) == 2) {
        const __m512i low = _mm512_set1_epi32(0xffff);
        return as<W>(_mm512_packus_epi32(_mm512_and_si512(as<__m512i>(a), low), _mm512_and_si512(as<__m512i>(b), low)));
    } else if constexpr (sizeof(Element<W>) == 1) {
        const __m512i low = _mm512_set1_epi16(0xff);
        return as<W>(_mm512_packus_epi16(_mm512_and_si512(as<__m512i>(a), low), _mm512_and_si512(as<__m512i>(b), low)));
    } else {
        return even(a, b);
    }
}
template <class W>
CENOTE_INLINE W mixed_odd(W a, W b) {
    if constexpr (sizeof(Element<W>) == 2)
        return as<W>(_mm512_packus_epi32(_mm512_srli_epi32(as<__m512i>(a), 16), _mm512_srli_epi32(as<__m512i>(b), 16)));
    else if constexpr (sizeof(Element<W>) == 1)
        return as<W>(_mm512_packus_epi16(_mm512_srli_epi16(as<__m512i>(a), 8), _mm512_srli_epi16(as<__m512i>(b), 8)));
    else
        return odd(a, b);
}
CENOTE_INLINE __m512i quarters_sorted(__m512i v) {
    return _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), v);
}
template <class W>
CENOTE_INLINE W sorted(W v) {
    if constexpr (sizeof(Element<W>) <= 2)
        return as<W>(quarters_sorted(as<__m512i>(v)));
    else
        return v;
}

#define CENOTE_HAS_NARROWED_TWO
template <class To, class From>
CENOTE_INLINE To narrowed_two(From a, From b) {
    const __m512i first = as<__m512i>(a), second = as<__m512i>(b);
    __m512i both;
    if constexpr (sizeof(Element<From>) == 4)
        both = _mm512_packus_epi32(first, second);
    else
        both = std::is_signed_v<Element<To>> ? _mm512_packs_epi16(first, second) : _mm512_packus_epi16(first, second);
    return as<To>(quarters_sorted(both));
}

#define CENOTE_HAS_PAIRS
template <class A, class From>
CENOTE_INLINE V<A> pairs_added(From raw) {
    const __m512i one = _mm512_set1_epi8(1), v = as<__m512i>(raw);
    return as<V<A>>(std::is_signed_v<A> ? _mm512_maddubs_epi16(one, v) : _mm512_maddubs_epi16(v, one));
}

#define CENOTE_HAS_LARGER
// The compiler would make a comparison and a selection of it, if it can merge the latter with what comes before.
template <class W>
CENOTE_INLINE W larger(W a, W b) {
    using T = Element<W>;
    if constexpr (std::is_same_v<T, float>) return as<W>(_mm512_max_ps(as<__m512>(a), as<__m512>(b)));
    if constexpr (std::is_same_v<T, double>) return as<W>(_mm512_max_pd(as<__m512d>(a), as<__m512d>(b)));
    if constexpr (std::is_same_v<T, uint8_t>) return as<W>(_mm512_max_epu8(as<__m512i>(a), as<__m512i>(b)));
    if constexpr (std::is_same_v<T, int16_t>) return as<W>(_mm512_max_epi16(as<__m512i>(a), as<__m512i>(b)));
    if constexpr (std::is_same_v<T, int32_t>) return as<W>(_mm512_max_epi32(as<__m512i>(a), as<__m512i>(b)));
    if constexpr (std::is_same_v<T, int64_t>) return as<W>(_mm512_max_epi64(as<__m512i>(a), as<__m512i>(b)));
}
template <class W>
CENOTE_INLINE W smaller(W a, W b) {
    if constexpr (std::is_same_v<Element<W>, float>) return as<W>(_mm512_min_ps(as<__m512>(a), as<__m512>(b)));
    if constexpr (std::is_same_v<Element<W>, double>) return as<W>(_mm512_min_pd(as<__m512d>(a), as<__m512d>(b)));
}

#define CENOTE_HAS_LOAD_TRANSPOSED
template <class W>
constexpr bool kLoadsTransposed = sizeof(Element<W>) == 4;
// Quarters of registers are put together as they are loaded, which needs no shuffle; these are transposed within quarters.
template <class W>
CENOTE_INLINE void load_transposed(const char* const* from, int64_t at, W* v) {
    const auto quarter = [&](int row, int column)
                             __attribute__((always_inline)) { return load<__m128>(from[row] + at + 16 * column); };
    CENOTE_UNROLL for (int column = 0; column < 4; ++column) {
        __m512 row[4];  // of each four rows this one
        CENOTE_UNROLL for (int i = 0; i < 4; ++i) {
            row[i] = _mm512_castps128_ps512(quarter(i, column));
            row[i] = _mm512_insertf32x4(row[i], quarter(i + 4, column), 1);
            row[i] = _mm512_insertf32x4(row[i], quarter(i + 8, column), 2);
            row[i] = _mm512_insertf32x4(row[i], quarter(i + 12, column), 3);
        }
        const __m512d low = _mm512_castps_pd(_mm512_unpacklo_ps(row[0], row[1])),
                      high = _mm512_castps_pd(_mm512_unpackhi_ps(row[0], row[1])),
                      low2 = _mm512_castps_pd(_mm512_unpacklo_ps(row[2], row[3])),
                      high2 = _mm512_castps_pd(_mm512_unpackhi_ps(row[2], row[3]));
        v[4 * column] = as<W>(_mm512_unpacklo_pd(low, low2));
        v[4 * column + 1] = as<W>(_mm512_unpackhi_pd(low, low2));
        v[4 * column + 2] = as<W>(_mm512_unpacklo_pd(high, high2));
        v[4 * column + 3] = as<W>(_mm512_unpackhi_pd(high, high2));
    }
}

#define CENOTE_HAS_SHIFT
template <class W>
constexpr bool kShifts = sizeof(Element<W>) >= 4;
template <class W>
struct Shift {
    __m512i lanes;
    CENOTE_INLINE explicit Shift(int n) {
        V<Signed<Element<W>>> which;
        CENOTE_UNROLL for (int i = 0; i < kCount<W>; ++i) which[i] = i + n;
        lanes = as<__m512i>(which);
    }
    CENOTE_INLINE W operator()(W v, W after) const {
        if constexpr (sizeof(Element<W>) == 4)
            return as<W>(_mm512_permutex2var_epi32(as<__m512i>(v), lanes, as<__m512i>(after)));
        else
            return as<W>(_mm512_permutex2var_epi64(as<__m512i>(v), lanes, as<__m512i>(after)));
    }
};
