// Small maps, some at a time side by side in lanes: what was a row of five or twenty elements is one of as many whole
// registers, as in maps whose channels come last, and so is every window of whatever kind.
#pragma once

constexpr int64_t kPackedCells = 1024;      // of one map: more would not leave room for rows in the nearest cache
constexpr int64_t kPackedBytes = 24 << 10;  // that are packed at once

// Are all elements equally wide, so that registers of one kind hold them from memory to result?
template <class K, class F>
constexpr bool kPacking = sizeof(typename K::In) == sizeof(typename K::Acc) &&
                          sizeof(typename F::Out) == sizeof(typename K::Acc) && sizeof(typename K::Acc) > 1;

template <class K>
bool packs(const Problem& p) {
    const AxisTable &d = *p.axis[0], &h = *p.axis[1], &w = *p.axis[2];
    if (p.c != 1 || !p.x_rows || !p.y_rows || p.planes < 2 * kN<typename K::Acc>) return false;
    if (d.in > kPackedCells || h.in > kPackedCells || d.in * h.in * w.in > kPackedCells) return false;
    if (d.out() * h.out() * w.out() > kPackedCells) return false;
    if (d.out() * h.out() * w.out() == 1) return false;  // one window: see whole.hpp
    const Sliding& s = w.slide;
    return !(kFusing<K> && s.stride == 2 && s.dilation == 1 && (s.k == 2 || s.k == 3));  // see fused.hpp
}

// `cells` elements that follow one another in each of N planes: N of them to every cell of `to`, which has room for one
// block more.
template <class T>
void pack(const char* const* plane, int64_t cells, T* to) {
    using W = V<T>;
    constexpr int N = kN<T>;
    const auto block = [&](int64_t at, const auto& from) __attribute__((always_inline)) {
        W lanes[N];
        CENOTE_UNROLL for (int j = 0; j < N; ++j) lanes[j] = from(plane[j] + at * static_cast<int64_t>(sizeof(T)));
        transpose(lanes);
        CENOTE_UNROLL for (int j = 0; j < N; ++j) store(to + (at + j) * N, lanes[j]);
    };
    if (cells < N) return block(0, [&](const char* p) { return load_part<W>(p, cells, T{}); });
    const auto whole = [&](int64_t at) __attribute__((always_inline)) {
        if constexpr (kLoadsTransposed<W>) {
            W lanes[N];
            load_transposed(plane, at * static_cast<int64_t>(sizeof(T)), lanes);
            CENOTE_UNROLL for (int j = 0; j < N; ++j) store(to + (at + j) * N, lanes[j]);
        } else {
            block(at, [&](const char* p) __attribute__((always_inline)) { return load<W>(p); });
        }
    };
    int64_t i = 0;
    for (; i + N <= cells; i += N) whole(i);
    if (i < cells) whole(cells - N);  // the last whole block once more, shifted
}

// The other way round, for the first `planes` of them. Blocks of `from` may be read beyond its cells.
template <class T>
void unpack(const T* from, int64_t cells, int64_t planes, char* const* plane) {
    using W = V<T>;
    constexpr int N = kN<T>;
    const auto block = [&](int64_t at, const auto& put) __attribute__((always_inline)) {
        W lanes[N];
        CENOTE_UNROLL for (int j = 0; j < N; ++j) lanes[j] = load<W>(from + (at + j) * N);
        transpose(lanes);
        CENOTE_UNROLL for (int j = 0; j < N; ++j) put(plane[j] + at * static_cast<int64_t>(sizeof(T)), j, lanes[j]);
    };
    if (cells < N || planes < N) {
        for (int64_t i = 0; i < cells; i += N)
            block(i, [&](char* p, int j, W v) {
                if (j < planes) store_part(p, v, std::min<int64_t>(N, cells - i));
            });
        return;
    }
    const auto whole = [&](char* p, int, W v) __attribute__((always_inline)) { store(p, v); };
    int64_t i = 0;
    for (; i + N <= cells; i += N) block(i, whole);
    if (i < cells) block(cells - N, whole);
}

// The maps of one thread.
template <class K, class C, class F>
class Packed {
public:
    using T = typename K::In;
    using To = typename F::Out;
    static constexpr int N = kN<typename K::Acc>;

    // How many groups of N planes are worked on at once: enough of them for all threads.
    static int64_t together(const Problem& p, int threads) {
        const int64_t bytes = (cells(p, true) + cells(p, false)) * N * static_cast<int64_t>(sizeof(T));
        const int64_t groups = (p.planes + N - 1) / N;
        return std::clamp<int64_t>(kPackedBytes / bytes, 1, std::max<int64_t>(1, groups / (4 * threads)));
    }

    Packed(const K& quick, const C& careful, const Problem& p, const Divide& divide, Finish<F>& finish, int64_t groups,
           bool past_caches, Scratch& scratch)
        : p_(p),
          scratch_(scratch),
          past_caches_(past_caches),
          groups_(groups),
          in_(cells(p, true)),
          out_(cells(p, false)),
          x_(scratch.get<T>(Scratch::kPacked, (groups * in_ + N) * N)),
          y_(scratch.get<To>(Scratch::kUnpacked, (groups * out_ + N) * N)),
          packed_(side_by_side()),
          tiles_(cut<K>(packed_, 1)),
          results_(packed_, divide, finish, false, scratch),
          values_(quick, careful, packed_, tiles_, results_, scratch) {}

    // Groups [unit * groups, (unit + 1) * groups) of planes.
    void run(int64_t unit) {
        const int64_t first = unit * groups_ * N;
        for (int64_t g = 0; g < groups_; ++g) take(first + g * N, x_ + g * in_ * N);
        const int64_t units = tiles_.total(p_.axis[0]->out());
        for (int64_t i = 0; i < units; ++i) values_.tile(i);
        for (int64_t g = 0; g < groups_ && first + g * N < p_.planes; ++g) give(first + g * N, y_ + g * out_ * N);
    }

private:
    static int64_t cells(const Problem& p, bool in) {
        int64_t n = 1;
        for (const AxisTable* axis : p.axis) n *= in ? axis->in : axis->out();
        return n;
    }

    Problem side_by_side() const {
        Problem q = p_;
        const auto lie = [&](size_t a, char* data, int64_t size, int64_t all) {
            int64_t step = N * size;
            q.array[a].data = data;
            for (size_t i = kMostPooled; i-- > 0; step *= a == 0 ? p_.axis[i]->in : p_.axis[i]->out())
                q.array[a].stride[i] = step;
            q.loop[0].stride[a] = step;
            q.begin[a] = data, q.end[a] = data + groups_ * all * N * size;
        };
        lie(0, reinterpret_cast<char*>(x_), sizeof(T), in_);
        lie(1, reinterpret_cast<char*>(y_), sizeof(To), out_);
        q.c = N, q.loops = 1, q.loop[0].extent = q.planes = groups_;
        q.x = q.array[0], q.y = q.array[1], q.x_begin = q.begin[0], q.x_end = q.end[0];
        return q;
    }

    // each(cell, run): all pieces of a plane of array a that lie without a gap, as the number of the first cell and how
    // many there are, and the bytes from the plane's beginning.
    template <class Each>
    void pieces(size_t a, const Each& each) const {
        constexpr int64_t item = sizeof(T);
        const auto size = [&](size_t i) { return a == 0 ? p_.axis[i]->in : p_.axis[i]->out(); };
        const Array& array = p_.array[a];
        const int64_t wide = size(2), high = size(1), deep = size(0);
        const bool rows = high == 1 || array.stride[1] == wide * item;
        const bool whole = rows && (deep == 1 || array.stride[0] == high * wide * item);
        if (whole) return each(0, deep * high * wide, 0);
        for (int64_t d = 0; d < deep; ++d)
            for (int64_t h = 0; h < high; ++h)
                each((d * high + h) * wide, wide, d * array.stride[0] + h * array.stride[1]);
    }

    void take(int64_t first, T* to) const {
        const char* plane[N];
        pieces(0, [&](int64_t cell, int64_t n, int64_t bytes) {
            // behind the last plane it comes again: no lane is empty
            for (int j = 0; j < N; ++j) plane[j] = p_.x.data + p_.plane(std::min(first + j, p_.planes - 1), 0) + bytes;
            pack<T>(plane, n, to + cell * N);
        });
    }

    // Are results of these planes one piece of memory?
    bool follow(int64_t first, int64_t planes, int64_t bytes) const {
        int64_t all = sizeof(To);
        for (size_t i = kMostPooled; i-- > 0; all *= p_.axis[i]->out())
            if (p_.axis[i]->out() > 1 && p_.y.stride[i] != all) return false;
        for (int64_t j = 1; j < planes; ++j)
            if (p_.plane(first + j, 1) - p_.plane(first + j - 1, 1) != bytes) return false;
        return true;
    }

    void give(int64_t first, const To* from) const {
        char* plane[N] = {};
        const int64_t planes = std::min<int64_t>(N, p_.planes - first), bytes = out_ * static_cast<int64_t>(sizeof(To));
        if (follow(first, planes, bytes)) {
            // Written by turns, they would be so many streams of stores within few pages, which processors do not
            // expect (measured on Sapphire Rapids: half of the whole time).
            char* const stage = scratch_.get<char>(Scratch::kDone, planes * bytes);
            for (int64_t j = 0; j < planes; ++j) plane[j] = stage + j * bytes;
            unpack<To>(from, out_, planes, plane);
            char* const to = p_.y.data + p_.plane(first, 1);
            if (past_caches_) return copy_past_caches(to, stage, planes * bytes);
            std::memcpy(to, stage, static_cast<size_t>(planes * bytes));
            return;
        }
        pieces(1, [&](int64_t cell, int64_t n, int64_t at) {
            for (int64_t j = 0; j < planes; ++j) plane[j] = p_.y.data + p_.plane(first + j, 1) + at;
            unpack<To>(from + cell * N, n, planes, plane);
        });
    }

    const Problem& p_;
    Scratch& scratch_;
    bool past_caches_;
    int64_t groups_, in_, out_;
    T* x_;
    To* y_;
    Problem packed_;
    Tiles tiles_;
    Results<F> results_;
    Values<K, C, F> values_;
};
