// Gradients of winners, output by output: each gives to the cell that won, in accumulators of a tile that fits into the
// caches. Outputs come in row-major order, so that every cell adds up in the order in which it would collect.
#pragma once

// Planes that are worked on by turns: an accumulator is often the one before, which has to be stored first (measured on
// Zen 4: a fifth faster).
constexpr int kTogether = 2;

// A tile. E: elements of the gradients, A: accumulators.
template <class E, class A>
class ScatteredTile {
    using In = StoredAs<E>;
    using Raw = Vec<In, kN<A>>;
    static constexpr int N = kN<A>;
    static constexpr int64_t kItem = sizeof(In);

public:
    ScatteredTile(const Scattering& s, Scratch& scratch) : s_(s), p_(s.p), scratch_(scratch) {}

    void tile(int64_t unit) {
        const auto part = [&](const std::vector<Stretch>& all) -> const Stretch& {
            const auto tiles = static_cast<int64_t>(all.size()), at = unit % tiles;
            unit /= tiles;
            return all[static_cast<size_t>(at)];
        };
        w_ = part(s_.w), h_ = part(s_.h), d_ = part(s_.d);
        const Part planes{unit * s_.planes, std::min(p_.planes, (unit + 1) * s_.planes)};
        A* const stage = scratch_.template get<A>(Scratch::kRows, planes.size() * s_.room + 4 * N);
        std::memset(stage, 0, static_cast<size_t>(planes.size() * s_.room) * sizeof(A));
        int64_t plane = planes.first;
        for (; plane + kTogether <= planes.end; plane += kTogether)
            scatter_planes<kTogether>(plane, stage + (plane - planes.first) * s_.room);
        for (; plane < planes.end; ++plane) scatter_planes<1>(plane, stage + (plane - planes.first) * s_.room);
        give(planes, stage);
    }

private:
    // What a row of outputs of one plane has: gradients as accumulators have them, and offsets; and where its windows'
    // first taps would be in the accumulators, were they those of cell 0 along W.
    struct Feed {
        const char *g, *codes;
        A* to;
    };

    template <int U>
    void scatter_planes(int64_t plane, A* sums) {
        for (int u = 0; u < U; ++u)
            for (size_t a = 1; a < 3; ++a) at_[u][a] = p_.array[a].data + p_.plane(plane + u, static_cast<int>(a));
        switch (s_.offset_type) {
            case DType::u8: return scatter<uint8_t, U>(sums);
            case DType::u16: return scatter<uint16_t, U>(sums);
            default: return scatter<uint32_t, U>(sums);
        }
    }

    // n elements of a row as they are in memory, side by side.
    template <class T>
    const char* row_of(size_t array, Scratch::Slot slot, int u, int64_t d, int64_t h, int64_t n) const {
        const Array& a = p_.array[array];
        const char* from = at_[u][array] + d * a.stride[0] + h * a.stride[1] + w_.outputs.first * a.stride[2];
        if (p_.rows[array]) return from;
        T* const row = scratch_.template get<T>(slot, kTogether * n) + u * n;
        for (int64_t i = 0; i < n; ++i) std::memcpy(row + i, from + i * a.stride[2], sizeof(T));
        return reinterpret_cast<const char*>(row);
    }

    const char* gradients(int u, int64_t d, int64_t h, int64_t n) const {
        const char* from = row_of<In>(1, Scratch::kRaw, u, d, h, n);
        if constexpr (std::is_same_v<In, A>) return from;
        A* const row = scratch_.template get<A>(Scratch::kPlanes, kTogether * (n + N)) + u * (n + N);
        int64_t i = 0;
        const Added<E, A, Lift::none> added{};
        for (; i + N <= n; i += N) store(row + i, added.take(load<Raw>(from + i * kItem)));
        if (i < n) store(row + i, added.take(load_part<Raw>(from + i * kItem, n - i, In{})));
        return reinterpret_cast<const char*>(row);
    }

    template <class T, int U>
    void scatter(A* sums) const {
        const AxisTable &axis_d = *p_.axis[0], &axis_h = *p_.axis[1];
        const int64_t n = w_.outputs.size();
        if (n == 0) return;
        for (int64_t d = d_.outputs.first; d < d_.outputs.end; ++d)
            for (int64_t h = h_.outputs.first; h < h_.outputs.end; ++h) {
                const auto di = static_cast<size_t>(d), hi = static_cast<size_t>(h);
                Feed feed[U];
                for (int u = 0; u < U; ++u)
                    feed[u] = {gradients(u, d, h, n), row_of<T>(2, Scratch::kKept, u, d, h, n),
                               sums + u * s_.room + (axis_d.start[di] - d_.reach.first) * s_.plane +
                                   (axis_h.start[hi] - h_.reach.first) * s_.pitch - w_.reach.first};
                const auto deep = static_cast<uint32_t>(axis_d.count[di]),
                           high = static_cast<uint32_t>(axis_h.count[hi]);
                // where the window has all taps along H, or one along D, its offsets have no gap before the last
                if (!s_.far.empty() && (deep == 1 || high == s_.box_h))
                    scatter_row<T, U>(feed, ((deep - 1) * s_.box_h + high) * s_.box_w);
                else
                    for (const Feed& f : feed) scatter_any<T>(f, d, h);
            }
    }

    template <class T>
    static CENOTE_INLINE T item(const char* row, int64_t i) {
        T value;
        std::memcpy(&value, row + i * static_cast<int64_t>(sizeof(T)), sizeof value);
        return value;
    }

    // Offsets come from outside: those of no tap, from `limit` on, are left.
    template <class T, int U>
    __attribute__((noinline)) void scatter_row(const Feed* feeds, uint32_t limit) const {
        Feed feed[U];
        std::copy_n(feeds, U, feed);
        const int32_t* const far = s_.far.data();
        const int64_t first = w_.outputs.first, end = w_.outputs.end;
        const int64_t begin_steady = std::clamp(s_.steady.outputs.first, first, end),
                      end_steady = std::clamp(s_.steady.outputs.end, begin_steady, end);
        scatter_cut<T, U>(feed, limit, first, begin_steady);
        if (begin_steady < end_steady) {
            const int64_t distance = s_.steady.distance;
            int64_t cell = p_.axis[2]->start[static_cast<size_t>(begin_steady)];
            for (int64_t i = begin_steady - first; i < end_steady - first; ++i, cell += distance)
                CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                    const uint32_t code = item<T>(feed[u].codes, i);
                    if (code >= limit) continue;
                    A& sum = feed[u].to[cell + far[code]];
                    sum = sum + item<A>(feed[u].g, i);
                }
        }
        scatter_cut<T, U>(feed, limit, end_steady, end);
    }

    // Windows that may lack taps along W: outputs [from, until).
    template <class T, int U>
    CENOTE_INLINE void scatter_cut(const Feed* feed, uint32_t limit, int64_t from, int64_t until) const {
        const int32_t* const far = s_.far.data();
        const uint16_t* const tap = s_.tap.data();
        const int64_t *const start = p_.axis[2]->start.data(), *const count = p_.axis[2]->count.data();
        const int64_t first = w_.outputs.first;
        for (int64_t i = from; i < until; ++i) CENOTE_UNROLL for (int u = 0; u < U; ++u) {
                const uint32_t code = item<T>(feed[u].codes, i - first);
                if (code >= limit || tap[code] >= count[i]) continue;
                A& sum = feed[u].to[start[i] + far[code]];
                sum = sum + item<A>(feed[u].g, i - first);
            }
    }

    // Any windows: offsets are taken apart.
    template <class T>
    __attribute__((noinline)) void scatter_any(const Feed& f, int64_t d, int64_t h) const {
        const AxisTable &axis_d = *p_.axis[0], &axis_h = *p_.axis[1], &axis_w = *p_.axis[2];
        const auto di = static_cast<size_t>(d), hi = static_cast<size_t>(h);
        const int64_t step_d = axis_d.step[di] * s_.plane, step_h = axis_h.step[hi] * s_.pitch;
        for (int64_t w = w_.outputs.first; w < w_.outputs.end; ++w) {
            const auto wi = static_cast<size_t>(w);
            const uint32_t code = item<T>(f.codes, w - w_.outputs.first), rows = code / s_.box_w;
            const int64_t k = code % s_.box_w, j = rows % s_.box_h, i = rows / s_.box_h;
            if (i >= axis_d.count[di] || j >= axis_h.count[hi] || k >= axis_w.count[wi]) continue;
            A& sum = f.to[i * step_d + j * step_h + axis_w.start[wi] + k * axis_w.step[wi]];
            sum = sum + item<A>(f.g, w - w_.outputs.first);
        }
    }

    // Every cell of the tile to its place.
    void give(Part planes, const A* stage) const {
        const Array& dx = p_.array[0];
        const Part cells = w_.cells;
        const auto rows = [&](int64_t plane, int64_t d, int64_t h, int64_t count, const A* from) {
            const Sink to{
                dx.data + p_.plane(plane, 0) + d * dx.stride[0] + h * dx.stride[1] + cells.first * dx.stride[2],
                dx.stride[1], dx.stride[2], kItem};
            flush(to, count, cells.size(), 1, scratch_, [&](int64_t i, int64_t n, char* out) {
                put<In, N>(out, n, s_.past_caches, [&](int64_t e) {
                    return Rounded<A, E, Last::nothing>{}.give(load<V<A>>(from + i + e), 0, {});
                });
            });
        };
        const bool dense = s_.pitch == cells.size();
        if (dense && s_.room == h_.cells.size() * s_.pitch) {  // one plane's rows after the other's
            bool follow = true;
            for (int64_t plane = planes.first + 1; plane < planes.end; ++plane)
                follow = follow && p_.plane(plane, 0) - p_.plane(plane - 1, 0) == h_.cells.size() * dx.stride[1];
            if (follow)
                return rows(planes.first, d_.cells.first, h_.cells.first, planes.size() * h_.cells.size(), stage);
        }
        for (int64_t plane = planes.first; plane < planes.end; ++plane, stage += s_.room)
            for (int64_t d = d_.cells.first; d < d_.cells.end; ++d) {
                const A* from = stage + (d - d_.reach.first) * s_.plane + (h_.cells.first - h_.reach.first) * s_.pitch +
                                cells.first - w_.reach.first;
                if (dense) {
                    rows(plane, d, h_.cells.first, h_.cells.size(), from);
                    continue;
                }
                for (int64_t h = h_.cells.first; h < h_.cells.end; ++h, from += s_.pitch) rows(plane, d, h, 1, from);
            }
    }

    const Scattering& s_;
    const Problem& p_;
    Scratch& scratch_;
    Stretch d_{}, h_{}, w_{};
    const char* at_[kTogether][3] = {};  // the planes in each array
};

template <class E, class A>
bool scatter_tiles(const Problem& p, DType offset_type, int threads, Control& control) {
    Scattering s(p, offset_type);
    const bool eager = work_per_thread.load(std::memory_order_relaxed) < kWorkPerThread;
    if (!s.cut(eager ? 64 : kTileBytes / static_cast<int64_t>(sizeof(A)), threads, eager)) return false;
    s.tabulate();
    double cells = static_cast<double>(p.planes), outputs = cells;
    for (const AxisTable* axis : p.axis)
        cells *= static_cast<double>(axis->in), outputs *= static_cast<double>(axis->out());
    const auto item = static_cast<double>(sizeof(StoredAs<E>));
    s.past_caches = past_caches(outputs * item, cells * item);
    const auto nanoseconds = static_cast<int64_t>(std::min(0x1p60, 0.2 * cells + outputs));
    const auto work = static_cast<int64_t>(std::min(0x1p40, 1 + (cells + outputs) / static_cast<double>(s.units())));
    parallel_for(s.units(), nanoseconds, threads, control, [&](int64_t begin, int64_t end, Ticker& ticker) {
        ScatteredTile<E, A> tiles(s, scratch());
        for (int64_t unit = begin; unit < end; ++unit) {
            tiles.tile(unit);
            if (!ticker.go_on(work)) break;
        }
        if (s.past_caches) stream_end();
        scratch().trim();
    });
    return true;
}

// How many windows hold a cell, on average.
inline double windows_of_a_cell(const Problem& p) {
    double all = 1;
    for (const AxisTable* axis : p.axis) {
        double taps = 0;
        for (const int64_t n : axis->count) taps += static_cast<double>(n);
        all *= taps / static_cast<double>(axis->in);
    }
    return all;
}

// Windows of single elements.
inline bool scatter(const Problem& p, DType in, DType offset_type, int threads, Control& control) {
    switch (in) {
        case DType::f32: return scatter_tiles<float, float>(p, offset_type, threads, control);
        case DType::f64: return scatter_tiles<double, double>(p, offset_type, threads, control);
        case DType::f16: return scatter_tiles<F16, float>(p, offset_type, threads, control);
        case DType::bf16: return scatter_tiles<Bf16, float>(p, offset_type, threads, control);
        default: return false;
    }
}
