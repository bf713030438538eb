// What all ways to compute gradients share: the call, the tile being worked on, and where outputs lie.
#pragma once

// A backward call, ready to be cut into tiles.
struct Spreading {
    const Problem& p;
    const Gathered &d, &h;
    const Gathered* w;              // where cells are worked on one by one
    const Residues* residues;       // where windows slide over single elements
    const std::vector<double>* by;  // divisors of the outputs along each axis; null where nothing is divided by them
    double number;                  // what everything is divided by
    DType offset_type;
    int64_t box_h, box_w;
    const std::vector<int64_t>& astray;  // outputs along W whose first taps are not their window's
    bool doubled;                        // windows of two cells along W, no cell in more than one window
    bool same_by_w;                      // the divisor along W is the same everywhere
    int64_t planes, high, wide, deep;    // of a tile: cells along H; along W, in cells or steps of the stride; elements
    int64_t plane_tiles, h_tiles, w_tiles, c_tiles;
    bool past_caches;

    int64_t units() const { return plane_tiles * p.axis[0]->in * h_tiles * w_tiles * c_tiles; }
};

template <class E>
using StoredAs = std::conditional_t<std::is_same_v<E, F16> || std::is_same_v<E, Bf16>, uint16_t, E>;

// A tile of a backward call. E: elements of the gradients, A: accumulators. winner: only the cell that won receives.
template <class E, class A, bool winner>
class GradientTile {
public:
    using In = StoredAs<E>;
    using Raw = Vec<In, kN<A>>;
    using W = V<A>;
    using Code = Signed<A>;  // offsets, as wide as the accumulators
    using C = V<Code>;
    static constexpr int N = kN<A>;
    static constexpr int64_t kItem = sizeof(In);

    GradientTile(const Spreading& s, Scratch& scratch) : s_(s), p_(s.p), scratch_(scratch) {}

protected:
    // What an output is divided by. By a power of two it is multiplied instead, which gives the same quotient.
    struct Share {
        A by;
        bool times;
    };

    static CENOTE_INLINE W take(Raw raw) { return Added<E, A, Lift::none>{}.take(raw); }
    static CENOTE_INLINE Raw give(W v) { return Rounded<A, E, Last::nothing>{}.give(v, 0, {}); }

    const char* output(size_t array, int64_t d, int64_t h, int64_t w) const {
        const Array& a = p_.array[array];
        return at_[array] + d * a.stride[0] + h * a.stride[1] + w * a.stride[2];
    }

    Share share(int64_t d, int64_t h, int64_t w) const {
        if constexpr (winner) return {};
        double by = s_.number;
        if (s_.by != nullptr)
            by = s_.by[0][static_cast<size_t>(d)] * s_.by[1][static_cast<size_t>(h)] * s_.by[2][static_cast<size_t>(w)];
        const bool times = by >= 1 && by < 0x1p60 && (static_cast<int64_t>(by) & (static_cast<int64_t>(by) - 1)) == 0 &&
                           by == static_cast<double>(static_cast<int64_t>(by));
        return {static_cast<A>(times ? 1.0 / by : by), times};
    }

    const Spreading& s_;
    const Problem& p_;
    Scratch& scratch_;
    Part c_{}, w_{}, h_{};  // of the tile: elements, cells or steps along W, rows of cells
    int64_t d_ = 0, line_ = 0;
    const char* at_[3] = {};  // the plane in each array
};
