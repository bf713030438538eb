// What a vector engine does with taps: take raw elements from memory, merge two, and the element that changes nothing.
//   In, Acc           element types in memory and while merging
//   kIdempotent       merging a tap twice does no harm (largest, not sum)
//   kOrdered          the order of merging shows in the bits (sums of floats)
//   take(raw)         N raw elements to N accumulators;  raw_pad() is an element whose take is pad()
#pragma once

// The largest. Integers XOR-ed with `flip`, of any signedness, or in reversed order, compare like T: so this is also the
// smallest, and four types stand for all of them. Floats have a smallest of their own, which costs no XOR; of them
// `careful` keeps NaN, else there must be none.
template <class T, bool careful, bool smallest = false>
struct Extreme {
    using In = T;
    using Acc = T;
    static constexpr bool kPairs = false, kIdempotent = true, kOrdered = false, kFuses = true, kNears = true,
                          kFloat = std::is_floating_point_v<T>;
    Signed<T> flip = 0;  // of integers

    CENOTE_INLINE V<T> take(V<T> raw) const {
        if constexpr (!kFloat)
            return as<V<T>>(as<V<Signed<T>>>(raw) ^ flip);
        else if constexpr (careful)  // which of several NaN remains would depend on how rows are grouped: there is one
            return raw != raw ? splat<V<T>>(std::numeric_limits<T>::quiet_NaN()) : raw;
        else
            return raw;
    }
    // Are there raw elements that only the careful twin can merge?
    static constexpr bool kDoubts = kFloat && !careful;
    CENOTE_INLINE void doubt(V<T> a, V<T> b, Doubts<T>& doubts) const {
        if constexpr (kDoubts) doubts.unordered(a, b);
    }
    static CENOTE_INLINE V<T> merge(V<T> a, V<T> b) {
        if constexpr (kFloat && careful)
            return ((smallest ? b < a : b > a) | (b != b)) ? b : a;
        else if constexpr (smallest)
            return smaller(a, b);
        else
            return larger(a, b);
    }
    static T merge(T a, T b) {
        const bool wins = smallest ? b < a : b > a;
        return wins || (careful && b != b) ? b : a;
    }
    static T pad() {
        if constexpr (kFloat)
            return smallest ? std::numeric_limits<T>::infinity() : -std::numeric_limits<T>::infinity();
        else
            return std::numeric_limits<T>::min();
    }
    In raw_pad() const {
        if constexpr (kFloat)
            return pad();
        else
            return static_cast<T>(static_cast<T>(pad()) ^ static_cast<T>(flip));
    }
};

// The largest 16-bit float, as integers of the same order. Careful: every NaN is the largest of all.
template <bool careful>
struct ExtremeHalf {
    using In = uint16_t;
    using Acc = int16_t;
    static constexpr bool kPairs = false, kIdempotent = true, kOrdered = false, kFuses = true, kNears = true;
    uint16_t flip, infinity;

    static CENOTE_INLINE V<int16_t> key(V<int16_t> bits) { return bits ^ ((bits >> 15) & int16_t{0x7fff}); }
    CENOTE_INLINE V<int16_t> take(V<uint16_t> raw) const {
        V<int16_t> k = key(as<V<int16_t>>(raw ^ flip));
        if constexpr (careful)
            k = (as<V<int16_t>>(raw) & int16_t{0x7fff}) > static_cast<int16_t>(infinity) ? splat<V<int16_t>>(0x7fff)
                                                                                         : k;
        return k;
    }
    static constexpr bool kDoubts = !careful;
    CENOTE_INLINE void doubt(V<uint16_t> a, V<uint16_t> b, Doubts<uint16_t>& doubts) const {
        const V<int16_t> x = as<V<int16_t>>(a) & int16_t{0x7fff}, y = as<V<int16_t>>(b) & int16_t{0x7fff};
        doubts.above(x > y ? x : y, static_cast<int16_t>(infinity));
    }
    static CENOTE_INLINE V<int16_t> merge(V<int16_t> a, V<int16_t> b) { return larger(a, b); }
    static int16_t merge(int16_t a, int16_t b) { return std::max(a, b); }
    int16_t pad() const { return static_cast<int16_t>(static_cast<uint16_t>(infinity ^ 0xffffu)); }
    In raw_pad() const { return static_cast<uint16_t>((infinity | 0x8000u) ^ flip); }
};

// The largest truth: bytes that are not 0 are true, whatever they are. `flip` is 0 or 0xff, for the smallest.
struct ExtremeTruth {
    using In = uint8_t;
    using Acc = uint8_t;
    static constexpr bool kPairs = false, kIdempotent = true, kOrdered = false, kFuses = false, kNears = false,
                          kDoubts = false;
    uint8_t flip;

    CENOTE_INLINE V<uint8_t> take(V<uint8_t> raw) const { return (as<V<uint8_t>>(raw != 0) & uint8_t{1}) ^ flip; }
    static CENOTE_INLINE V<uint8_t> merge(V<uint8_t> a, V<uint8_t> b) { return larger(a, b); }
    static uint8_t merge(uint8_t a, uint8_t b) { return std::max(a, b); }
    static uint8_t pad() { return 0; }
    In raw_pad() const { return flip & 1u; }
};

enum class Lift { none, square, magnitude };

// bits of 16-bit floats under names of their own, so that they are no integers
struct F16 {};
struct Bf16 {};

// The sum of taps, of their squares or of their sizes.
template <class From, class A, Lift lift>
struct Added {
    using In = std::conditional_t<std::is_same_v<From, F16> || std::is_same_v<From, Bf16>, uint16_t, From>;
    using Acc = A;
    static constexpr bool kIdempotent = false, kOrdered = std::is_floating_point_v<A>, kDoubts = false;
    // in registers from memory to result: what is pooled most
    static constexpr bool kFuses = lift != Lift::magnitude && !std::is_same_v<A, int32_t>,
                          kNears = kFuses && lift == Lift::none;

    CENOTE_INLINE V<A> take(Vec<In, kN<A>> raw) const {
        V<A> v;
        if constexpr (std::is_same_v<From, F16>)
            v = widen_f16<kN<A>>(raw);
        else if constexpr (std::is_same_v<From, Bf16>)
            v = widen_bf16<kN<A>>(raw);
        else
            v = widened<A>(raw);
        if constexpr (lift == Lift::square) v = v * v;
        if constexpr (lift == Lift::magnitude) {
            using Bits = V<Signed<A>>;
            v = as<V<A>>(as<Bits>(v) & std::numeric_limits<Signed<A>>::max());
        }
        return v;
    }
    // neighbours are added while they are still side by side in lanes as wide as a sum
    static constexpr bool kPairs = std::is_integral_v<From> && lift == Lift::none && sizeof(A) == 2 * sizeof(From);
    static CENOTE_INLINE V<A> take_pairs(V<In> raw) { return pairs_added<A>(raw); }
    // Neighbours in halves of 32 bits: the one becomes a float by shifting, the other by masking.
    static constexpr bool kSplits = std::is_same_v<From, Bf16> && lift == Lift::none && kLittleEndian;
    static CENOTE_INLINE V<A> take_even(Vec<In, 2 * kN<A>> raw) { return as<V<A>>(as<V<uint32_t>>(raw) << 16); }
    static CENOTE_INLINE V<A> take_odd(Vec<In, 2 * kN<A>> raw) { return as<V<A>>(as<V<uint32_t>>(raw) & 0xffff0000u); }
    static CENOTE_INLINE V<A> merge(V<A> a, V<A> b) { return a + b; }
    static A merge(A a, A b) { return static_cast<A>(a + b); }
    static A pad() { return std::is_floating_point_v<A> ? -A(0) : A(0); }  // the one number that changes no sum is -0
    In raw_pad() const {
        if constexpr (std::is_same_v<In, uint16_t> && !std::is_same_v<From, In>)
            return 0x8000u;
        else
            return std::is_floating_point_v<In> ? -In(0) : In(0);
    }
};

template <class K>
constexpr bool kSplitting = requires { requires K::kSplits; };

// What merges rows that were taken already: one type for all that merge alike.
template <class T, bool careful, bool smallest>
Extreme<T, careful, smallest> again(const Extreme<T, careful, smallest>&) {
    return {};
}
template <bool careful>
Extreme<int16_t, false> again(const ExtremeHalf<careful>&) {
    return {};
}
inline Extreme<uint8_t, false> again(const ExtremeTruth&) { return {}; }
template <class From, class A, Lift lift>
Added<A, A, Lift::none> again(const Added<From, A, lift>&) {
    return {};
}
template <class K>
using Again = decltype(again(std::declval<const K&>()));

// The taps first .. first + n of one axis, n known: each a group of U registers that tap(j, to) computes.
template <class K, int U, int n, class Tap>
CENOTE_INLINE void joined_few(int64_t first, V<typename K::Acc>* out, const Tap& tap) {
    if constexpr (n == 1) {
        tap(first, out);
    } else {
        constexpr int left = std::bit_floor(static_cast<unsigned>(n - 1));
        V<typename K::Acc> right[U];
        joined_few<K, U, left>(first, out, tap);
        joined_few<K, U, n - left>(first + left, right, tap);
        CENOTE_UNROLL for (int u = 0; u < U; ++u) out[u] = K::merge(out[u], right[u]);
    }
}

// `count` taps along one axis, each a group of U registers that tap(j, to) computes, joined as tree.hpp says. `skipped`
// taps of the window come before the first. `simple` taps are joined eight at once where they make a block of the tree.
template <class K, int U, bool simple = false, class Tap>
CENOTE_INLINE void joined(int64_t count, int64_t skipped, V<typename K::Acc>* out, const Tap& tap) {
    using W = V<typename K::Acc>;
    tap(0, out);
    if (!K::kOrdered || (skipped == 0 && count <= 3)) {
        for (int64_t j = 1; j < count; ++j) {
            W next[U];
            tap(j, next);
            CENOTE_UNROLL for (int u = 0; u < U; ++u) out[u] = K::merge(out[u], next[u]);
        }
        return;
    }
    W level[64][U];
    auto number = static_cast<uint64_t>(skipped);
    uint64_t held = 0;
    for (int64_t j = 0;;) {
        int at = 0;
        if constexpr (simple)
            if (number % 8 == 0 && count - j >= 8) {
                joined_few<K, U, 8>(j, out, tap);
                number += 7, j += 7, at = 3;
            }
        for (; (number >> at) & 1; ++at) {
            if (!((held >> at) & 1)) continue;
            CENOTE_UNROLL for (int u = 0; u < U; ++u) out[u] = K::merge(level[at][u], out[u]);
            held &= ~(uint64_t{1} << at);
        }
        ++number;
        if (++j == count) {
            for (; at < 64 && (held >> at); ++at)
                if ((held >> at) & 1) CENOTE_UNROLL for (int u = 0; u < U; ++u) out[u] = K::merge(level[at][u], out[u]);
            return;
        }
        CENOTE_UNROLL for (int u = 0; u < U; ++u) level[at][u] = out[u];
        held |= uint64_t{1} << at;
        tap(j, out);
    }
}
