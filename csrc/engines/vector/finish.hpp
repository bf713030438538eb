// From accumulators to the elements of the result: the inverse of `take`, division, roots, rounding; and storing them.
#pragma once

// Divides by one number, or by a table of one for each element.
template <class Div>
struct DivideBy {
    Div number = 1;
    const Div* table = nullptr;
    Div inverse = 0;  // of a number whose inverse is exact, so that multiplying by it is dividing; else 0

    DivideBy() = default;
    explicit DivideBy(double n, const Div* t = nullptr) : number(static_cast<Div>(n)), table(t) {
        int exponent = 0;
        if (t == nullptr && std::frexp(n, &exponent) == 0.5 && std::abs(exponent) < 64) inverse = Div(1) / number;
    }
    template <class W>
    CENOTE_INLINE W at(int64_t i) const {
        return table == nullptr ? splat<W>(number) : load<W>(table + i);
    }
    template <class W>
    CENOTE_INLINE W divide(W v, int64_t i) const {
        return inverse != 0 ? v * splat<W>(inverse) : v / at<W>(i);
    }
};

template <class T>
struct UndoFlip {
    using Acc = T;
    using Out = T;
    using Div = float;
    Signed<T> flip = 0;
    CENOTE_INLINE V<T> give(V<T> v, int64_t, const DivideBy<Div>&) const {
        if constexpr (std::is_floating_point_v<T>)
            return v + T(0);  // of equals, the sign of a zero would depend on how rows are grouped: it is plus
        else
            return as<V<T>>(as<V<Signed<T>>>(v) ^ flip);
    }
};

struct UndoKey {
    using Acc = int16_t;
    using Out = uint16_t;
    using Div = float;
    uint16_t flip;
    CENOTE_INLINE V<uint16_t> give(V<int16_t> v, int64_t, const DivideBy<Div>&) const {
        return as<V<uint16_t>>(ExtremeHalf<false>::key(v)) ^ flip;
    }
};

enum class Last { nothing, divide, root };

// Sums of floats.
template <class A, class To, Last last>
struct Rounded {
    using Acc = A;
    using Out = std::conditional_t<std::is_same_v<To, F16> || std::is_same_v<To, Bf16>, uint16_t, To>;
    using Div = A;
    static CENOTE_INLINE V<A> done(V<A> v, int64_t i, const DivideBy<Div>& by) {
        if constexpr (last == Last::divide) v = by.template divide<V<A>>(v, i);
        if constexpr (last == Last::root) v = square_root(v);
        return v;
    }
    CENOTE_INLINE Vec<Out, kN<A>> give(V<A> v, int64_t i, const DivideBy<Div>& by) const {
        v = done(v, i, by);
        if constexpr (std::is_same_v<To, F16>)
            return narrow_f16<kN<A>>(v);
        else if constexpr (std::is_same_v<To, Bf16>)
            return narrow_bf16<kN<A>>(v);
        else
            return v;
    }

    // Two registers at once: one behind the other, or elements of even and of odd numbers that are divided alike.
    static constexpr bool kTwo = std::is_same_v<To, Bf16>;
    static constexpr bool two() { return true; }
    CENOTE_INLINE Vec<Out, 2 * kN<A>> give_two(V<A> a, V<A> b, int64_t i, const DivideBy<Div>& by) const {
        using U = V<uint32_t>;
        const U low = bf16_bits(done(a, i, by)), high = bf16_bits(done(b, i + kN<A>, by));
        return narrowed_two<Vec<Out, 2 * kN<A>>>(low >> 16, high >> 16);
    }
    CENOTE_INLINE Vec<Out, 2 * kN<A>> give_split(V<A> even, V<A> odd, int64_t i, const DivideBy<Div>& by) const {
        using U = V<uint32_t>;
        const U low = bf16_bits(done(even, i, by)), high = bf16_bits(done(odd, i, by));
        return as<Vec<Out, 2 * kN<A>>>((low >> 16) | (high & 0xffff0000u));
    }
};

// Averages of integers: the exact quotient, rounded half to even. Sums and divisors stay below 2^16, of 32-bit
// accumulators below 2^31: then the float (double) quotient is never nearer to a half than the exact one, unless both are.
template <class A, class To>
struct HalfEven {
    using Acc = A;
    using Out = To;
    using Div = std::conditional_t<sizeof(A) == 2, float, double>;
    int shift;  // of a divisor that is a power of two and the same everywhere; negative for others
    A below_half, odd;

    explicit HalfEven(int s)
        : shift(s), below_half(static_cast<A>(s > 0 ? (A(1) << (s - 1)) - 1 : 0)), odd(static_cast<A>(s > 0)) {}

    CENOTE_INLINE V<A> shifted(V<A> v) const { return (v + below_half + ((v >> shift) & odd)) >> shift; }

    // Two registers at once, where `shift` serves.
    static constexpr bool kTwo = sizeof(A) == 2 && sizeof(To) == 1;
    bool two() const { return shift >= 0; }
    CENOTE_INLINE Vec<To, 2 * kN<A>> give_two(V<A> a, V<A> b, int64_t, const DivideBy<Div>&) const {
        return narrowed_two<Vec<To, 2 * kN<A>>>(shifted(a), shifted(b));
    }

    CENOTE_INLINE Vec<To, kN<A>> give(V<A> v, int64_t i, const DivideBy<Div>& by) const {
        if (shift >= 0) return narrowed<Vec<To, kN<A>>>(shifted(v));
        A out[kN<A>];
        A sums[kN<A>];
        store(sums, v);
        constexpr int n = kN<Div>;
        using D = V<Div>;
        constexpr Div magic = sizeof(A) == 2 ? Div(12582912.0) : Div(6755399441055744.0);  // 1.5 * 2^(fraction bits)
        CENOTE_UNROLL for (int j = 0; j < kN<A>; j += n) {
            const D quotient = widened<Div>(load<Vec<A, n>>(sums + j)) / by.template at<D>(i + j);
            store(out + j, convert<Vec<A, n>>(convert<Vec<int32_t, n>>((quotient + magic) - magic)));
        }
        return narrowed<Vec<To, kN<A>>>(load<V<A>>(out));
    }
};

// Where rows of accumulators end.
template <class F>
class Finish {
public:
    using Acc = typename F::Acc;
    using Out = typename F::Out;
    using Div = typename F::Div;
    explicit Finish(const F& f) : f_(f) {}

    const F& how() const { return f_; }
    static int64_t item() { return kItem; }

    // n elements to `out`.
    void put(const Acc* a, int64_t n, const DivideBy<Div>& divide, char* out, bool past_caches) {
        int64_t i = 0;
        if constexpr (sizeof(W) >= 16) {
            const auto astray = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(out) & (sizeof(W) - 1));
            if (past_caches && astray % kItem == 0 && n >= 4 * kN<Acc>) {
                i = astray / kItem;
                if (i > 0) part(a, 0, i, divide, out);
                for (; i + kN<Acc> <= n; i += kN<Acc>) stream(out + i * kItem, f_.give(load<V<Acc>>(a + i), i, divide));
            }
        }
        for (; i + kN<Acc> <= n; i += kN<Acc>) store(out + i * kItem, f_.give(load<V<Acc>>(a + i), i, divide));
        if (i < n) part(a, i, n - i, divide, out);
    }

private:
    using W = Vec<Out, kN<Acc>>;
    static constexpr auto kItem = static_cast<int64_t>(sizeof(Out));

    void part(const Acc* a, int64_t i, int64_t n, const DivideBy<Div>& by, char* out) {
        store_part(out + i * kItem, f_.give(load<V<Acc>>(a + i), i, by), n);
    }

    F f_;
};

// Bytes that were finished in scratch memory, on their way past the caches.
inline void copy_past_caches(char* to, const char* from, int64_t n) {
    using W = V<uint8_t>;
    int64_t i = std::min<int64_t>(n, static_cast<int64_t>(-reinterpret_cast<uintptr_t>(to) & (kBytes - 1)));
    std::memcpy(to, from, static_cast<size_t>(i));
    for (; i + kBytes <= n; i += kBytes) stream(to + i, load<W>(from + i));
    if (i < n) std::memcpy(to + i, from + i, static_cast<size_t>(n - i));
}
