// How the gradients of winners are cut into tiles, and what a tile needs to know of its windows.
#pragma once

// Cells of one axis that a tile is responsible for, the outputs whose windows may hold some of them, and the cells that
// those windows reach: the tile has accumulators for all of these, so that a winner elsewhere needs no question.
struct Stretch {
    Part cells, outputs, reach;
};

inline std::vector<Stretch> stretches(const AxisTable& axis, int64_t size) {
    std::vector<Stretch> all;
    for (int64_t x = 0; x < axis.in; x += size) {
        Stretch s{{x, std::min(axis.in, x + size)}, {}, {}};
        s.outputs.first = std::lower_bound(axis.reach_last.begin(), axis.reach_last.end(), x) - axis.reach_last.begin();
        s.outputs.end =
            std::lower_bound(axis.reach_start.begin(), axis.reach_start.end(), s.cells.end) - axis.reach_start.begin();
        s.outputs.end = std::max(s.outputs.first, s.outputs.end);
        s.reach = s.cells;
        for (int64_t o = s.outputs.first; o < s.outputs.end; ++o) {
            const auto i = static_cast<size_t>(o);
            s.reach.first = std::min(s.reach.first, axis.start[i]);
            s.reach.end = std::max(s.reach.end, axis.start[i] + (axis.count[i] - 1) * axis.step[i] + 1);
        }
        all.push_back(s);
    }
    return all;
}

// The distance of taps along an axis, if it has only one.
inline bool one_step(const AxisTable& axis, int64_t& step) {
    step = 1;
    bool found = false, one = true;
    for (size_t i = 0; i < axis.step.size(); ++i) {
        if (axis.count[i] < 2) continue;
        one = one && (!found || axis.step[i] == step);
        step = axis.step[i], found = true;
    }
    return one;
}

// Outputs that follow one another at one distance and have all taps that a window can have.
struct Steady {
    Part outputs{0, 0};
    int64_t distance = 1;

    explicit Steady(const AxisTable& axis) {
        const auto whole = [&](int64_t i) { return axis.count[static_cast<size_t>(i)] == axis.most_taps; };
        const auto far = [&](int64_t i) { return axis.start[static_cast<size_t>(i)]; };
        while (outputs.first < axis.out() && !whole(outputs.first)) ++outputs.first;
        outputs.end = std::min(axis.out(), outputs.first + 1);
        if (outputs.end < axis.out()) distance = far(outputs.end) - far(outputs.first);
        while (outputs.end < axis.out() && whole(outputs.end) && far(outputs.end) - far(outputs.end - 1) == distance)
            ++outputs.end;
    }
};

constexpr int64_t kCellsOfPlanes = 8192;   // small planes that a tile takes together
constexpr double kMostRoom = 1 << 20;      // accumulators of any tile
constexpr int64_t kTileBytes = 256 << 10;  // accumulators of a tile: they fit into the second cache of a processor

// A call, ready to be cut into tiles.
struct Scattering {
    const Problem& p;
    DType offset_type;
    uint32_t box_d, box_h, box_w;
    std::vector<Stretch> d, h, w;
    int64_t pitch = 0, plane = 0, room = 0;  // of the accumulators, from row to row and plane to plane; of all of them
    // By offset, where all windows of an axis have the same steps: how far the tap is from the first among the
    // accumulators, and its number along W.
    std::vector<int32_t> far;
    std::vector<uint16_t> tap;
    Steady steady;
    int64_t planes = 1, plane_tiles = 1;  // of the call that a tile takes, how many tiles
    bool past_caches = false;

    int64_t units() const {
        return plane_tiles * static_cast<int64_t>(d.size()) * static_cast<int64_t>(h.size()) *
               static_cast<int64_t>(w.size());
    }

    Scattering(const Problem& problem, DType type)
        : p(problem),
          offset_type(type),
          box_d(static_cast<uint32_t>(std::max<int64_t>(1, p.axis[0]->most_taps))),
          box_h(static_cast<uint32_t>(std::max<int64_t>(1, p.axis[1]->most_taps))),
          box_w(static_cast<uint32_t>(std::max<int64_t>(1, p.axis[2]->most_taps))),
          steady(*p.axis[2]) {}

    // Cuts axes until a tile has no more than `most` accumulators, and there is work for all threads. False where tiles
    // would be too large all the same, or look at far more outputs than there are.
    bool cut(int64_t most, int64_t threads, bool eager) {
        double size[kMostPooled], halo[kMostPooled], all = 1, cells = 1;
        for (size_t a = 0; a < kMostPooled; ++a) {
            const AxisTable& axis = *p.axis[a];
            size[a] = static_cast<double>(axis.in), halo[a] = 0, cells *= size[a];
            for (size_t i = 0; i < axis.count.size(); ++i)
                halo[a] = std::max(halo[a], static_cast<double>((axis.count[i] - 1) * axis.step[i]));
        }
        const auto reach = [&](size_t a) {
            const auto in = static_cast<double>(p.axis[a]->in);
            return size[a] < in ? std::min(in, size[a] + 2 * halo[a]) : in;
        };
        double tiles = static_cast<double>(p.planes);
        const double least = eager ? 4 : 4096;
        for (;;) {
            all = reach(0) * reach(1) * reach(2);
            const double own = size[0] * size[1] * size[2];
            if (all <= static_cast<double>(most) && (own < least || tiles >= static_cast<double>(2 * threads))) break;
            // along the axis where outputs of neighbouring tiles are fewest; short rows cost, too
            size_t best = 0;
            double gain = 0;
            for (size_t a = 0; a < kMostPooled; ++a) {
                const double here = size[a] / (halo[a] + (a == 2 ? 64 : 1));
                if (size[a] > 1 && here > gain) best = a, gain = here;
            }
            if (gain == 0) break;
            // rather than beyond the second cache, outputs are looked at twice, but not more often
            double visits = 1;
            for (size_t a = 0; a < kMostPooled; ++a) {
                const double own_size = a == best ? size[a] / 2 : size[a];
                if (own_size < static_cast<double>(p.axis[a]->in)) visits *= 1 + halo[a] / own_size;
            }
            if (!eager && visits > 2 && all <= kMostRoom && tiles >= static_cast<double>(threads)) break;
            size[best] = std::ceil(size[best] / 2), tiles *= 2;
        }
        std::vector<Stretch>* const lists[] = {&d, &h, &w};
        double visited = 1, outputs = 1, at_once = 1;
        int64_t widest[kMostPooled];
        for (size_t a = 0; a < kMostPooled; ++a) {
            *lists[a] = stretches(*p.axis[a], static_cast<int64_t>(size[a]));
            double looked_at = 0, most_of_tile = 0;
            widest[a] = 0;
            for (const Stretch& s : *lists[a]) {
                looked_at += static_cast<double>(s.outputs.size());
                most_of_tile = std::max(most_of_tile, static_cast<double>(s.outputs.size()));
                widest[a] = std::max(widest[a], s.reach.size());
            }
            visited *= looked_at, at_once *= most_of_tile, outputs *= static_cast<double>(p.axis[a]->out());
        }
        pitch = widest[2];
        const double room_of_all =
            static_cast<double>(widest[0]) * static_cast<double>(widest[1]) * static_cast<double>(pitch);
        // calls are stopped between tiles
        if (room_of_all > kMostRoom || at_once > 0x1p26 || visited > 16 * outputs + 4 * cells) return false;
        plane = widest[1] * pitch, room = widest[0] * plane;
        if (d.size() * h.size() * w.size() == 1)
            planes =
                std::clamp<int64_t>(std::min<int64_t>(kCellsOfPlanes / room, p.planes / (2 * threads)), 1, p.planes);
        plane_tiles = (p.planes + planes - 1) / planes;
        return true;
    }

    void tabulate() {
        int64_t step[kMostPooled];
        for (size_t a = 0; a < kMostPooled; ++a)
            if (!one_step(*p.axis[a], step[a])) return;
        if (static_cast<double>(box_d) * box_h * box_w > 0x1p16) return;
        for (int64_t i = 0; i < box_d; ++i)
            for (int64_t j = 0; j < box_h; ++j)
                for (int64_t k = 0; k < box_w; ++k) {
                    far.push_back(static_cast<int32_t>(i * step[0] * plane + j * step[1] * pitch + k * step[2]));
                    tap.push_back(static_cast<uint16_t>(k));
                }
    }
};
