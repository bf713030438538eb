// What all ways to compute gradients share: the call, the tile being worked on, and where outputs lie.
#pragma once

// What an output gives: the same to all its taps; everything to the one that won; to each its part of a p-norm, with
// the sign of x.
enum class Rule { share, winner, norm };

// A backward call, ready to be cut into tiles.
struct Spreading {
    const Problem& p;
    const Gathered &d, &h;
    const Gathered* w;              // where windows along W are a table: of single elements, or cell by cell
    const Residues* residues;       // where windows slide over single elements
    const std::vector<double>* by;  // divisors of the outputs along each axis; null where nothing is divided by them
    double number;                  // what everything is divided by
    DType offset_type;
    bool plain;  // a norm with p = 1
    int64_t box_h, box_w;
    const std::vector<int64_t>& astray;  // outputs along W whose first taps are not their window's
    bool doubled;                        // windows of two cells along W, no cell in more than one window
    bool same_by_w;                      // the divisor along W is the same everywhere
    bool divided_first;                  // cells of many elements collect from outputs that were divided before
    bool cells_in_place;                 // and are written straight to where they lie
    bool whole_lines;                    // every row of cells begins a line of the caches
    int64_t planes, high, wide, deep;    // of a tile: cells along H; along W, in cells or steps of the stride; elements
    int64_t plane_tiles, h_tiles, w_tiles, c_tiles;
    bool past_caches;

    int64_t units() const { return plane_tiles * p.axis[0]->in * h_tiles * w_tiles * c_tiles; }
    bool by_rows() const { return p.c == 1; }
};

template <class E>
using StoredAs = std::conditional_t<std::is_same_v<E, F16> || std::is_same_v<E, Bf16>, uint16_t, E>;

// A tile of a backward call. E: elements of the gradients, A: accumulators.
template <class E, class A, Rule rule>
class GradientTile {
public:
    using In = StoredAs<E>;
    using Raw = Vec<In, kN<A>>;
    using W = V<A>;
    using Code = Signed<A>;  // offsets, as wide as the accumulators
    using C = V<Code>;
    static constexpr int N = kN<A>;
    static constexpr int64_t kItem = sizeof(In);
    static constexpr bool kShares = rule == Rule::share, kWinner = rule == Rule::winner, kNorm = rule == Rule::norm;

    GradientTile(const Spreading& s, Scratch& scratch) : s_(s), p_(s.p), scratch_(scratch), norm_(s.plain) {}

protected:
    // What an output is divided by. By a power of two it is multiplied instead, which gives the same quotient.
    struct Share {
        A by;
        bool times;
    };

    static CENOTE_INLINE W take(Raw raw) { return Added<E, A, Lift::none>{}.take(raw); }
    static CENOTE_INLINE Raw give(W v) { return Rounded<A, E, Last::nothing>{}.give(v, 0, {}); }

    void at_planes(int64_t plane) {
        for (size_t a = 0; a < 4; ++a) at_[a] = p_.array[a].data + p_.plane(plane, static_cast<int>(a));
    }

    const char* output(size_t array, int64_t d, int64_t h, int64_t w) const {
        const Array& a = p_.array[array];
        return at_[array] + d * a.stride[0] + h * a.stride[1] + w * a.stride[2];
    }

    Share share(int64_t d, int64_t h, int64_t w) const {
        if constexpr (!kShares) return {};
        double by = s_.number;
        if (s_.by != nullptr)
            by = s_.by[0][static_cast<size_t>(d)] * s_.by[1][static_cast<size_t>(h)] * s_.by[2][static_cast<size_t>(w)];
        const bool times = by >= 1 && by < 0x1p60 && (static_cast<int64_t>(by) & (static_cast<int64_t>(by) - 1)) == 0 &&
                           by == static_cast<double>(static_cast<int64_t>(by));
        return {static_cast<A>(times ? 1.0 / by : by), times};
    }

    // A norm's y and |x|. Where p is 1 so is their quotient: then they become 1, and a y of 0 stays.
    struct Norm {
        C keep, one;

        explicit Norm(bool plain)
            : keep(splat<C>(plain ? Code(0) : Code(-1))), one(plain ? as<C>(splat<W>(A(1))) : C{}) {}
        CENOTE_INLINE W of(W y) const { return as<W>((as<C>(y) & keep) | (one & (y != A(0)))); }
        CENOTE_INLINE W size(W x) const { return as<W>((as<C>(x) & (keep & std::numeric_limits<Code>::max())) | one); }
    };
    // What a cell of this size gets: nothing where the norm is 0, whatever g and x are.
    static CENOTE_INLINE W part_of(W g, W size, W norm) { return as<W>(as<C>(g * (size / norm)) & (norm != A(0))); }

    // The sign of x, once the parts are added up: cells that received nothing stay 0 even where x is NaN.
    static CENOTE_INLINE W with_sign(W sum, W x) {
        const C sign = as<C>(x) & std::numeric_limits<Code>::min(), turned = (as<C>(sum) ^ sign) | (x != x);
        return as<W>(turned & (x != A(0)) & (sum != A(0)));
    }
    static CENOTE_INLINE W finished(W sum, [[maybe_unused]] W x) {
        if constexpr (kNorm)
            return with_sign(sum, x);
        else
            return sum;
    }

    // f(T{}), where T is the type of array 2.
    template <class F>
    void as_stored(const F& f) const {
        if constexpr (kNorm) return f(A{});
        if constexpr (kShares) return f(uint8_t{});  // there is none
        if constexpr (kWinner) {
            switch (s_.offset_type) {
                case DType::u8: return f(uint8_t{});
                case DType::u16: return f(uint16_t{});
                default: return f(uint32_t{});
            }
        }
    }

    // Rows of cells in the same windows receive the same shares.
    bool as_row_before(int64_t h) const {
        if (!kShares || h == h_.first) return false;
        const int64_t *first = s_.h.first.data() + h, *out = s_.h.out.data();
        return first[1] - first[0] == first[0] - first[-1] &&
               std::equal(out + first[0], out + first[1], out + first[-1]);
    }

    // Up to a register more is written.
    void copy_row_before(A* out) const {
        for (int64_t i = 0; i < line_; i += N) store(out + i, load<W>(out - line_ + i));
    }

    const Spreading& s_;
    const Problem& p_;
    Scratch& scratch_;
    const Norm norm_;
    Part c_{}, w_{}, h_{};  // of the tile: elements, cells or steps along W, rows of cells
    int64_t d_ = 0, line_ = 0;
    const char* at_[4] = {};  // the plane in each array
};
