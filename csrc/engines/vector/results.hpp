// Where the results of a tile go: straight to their place, or by way of scratch memory.
#pragma once

// A sink as in lanes.hpp that finishes: elements to their place.
template <class F, class By>
struct ToResult {
    const F& finish;
    By by;  // by(row) is what divides it
    char* out;
    int64_t pitch;       // bytes from row to row
    int64_t line, rows;  // elements of a row; how many rows
    bool past;           // past the caches: every register of a row is whole and aligned
    bool dense;          // what runs over a row is the beginning of the next, and written again

    static constexpr bool kTwo = requires { requires F::kTwo; };

    // Holds copies: what is reached through a reference would be read again after every store.
    struct Row {
        F finish;
        DivideBy<typename F::Div> by;
        char* to;
        int64_t left;  // elements that may be written
        bool past;
        CENOTE_INLINE void operator()(int64_t i, V<typename F::Acc> v) const {
            constexpr auto item = static_cast<int64_t>(sizeof(typename F::Out));
            const auto done = finish.give(v, i, by);
            if (past) {
                if constexpr (sizeof(done) >= 16) return stream(to + i * item, done);
            }
            if (i + kN<typename F::Acc> <= left)
                store(to + i * item, done);
            else
                store_part(to + i * item, done, left - i);
        }
        // Can elements up to number n be finished two registers at once?
        CENOTE_INLINE bool simple(int64_t n) const {
            if constexpr (kTwo)
                return finish.two() && n <= left;
            else
                return false;
        }
        // Those from i and from i + N on.
        CENOTE_INLINE void operator()(int64_t i, V<typename F::Acc> a, V<typename F::Acc> b) const {
            constexpr int N = kN<typename F::Acc>;
            if (simple(i + 2 * N)) return put_two(i, a, b);
            (*this)(i, a);
            if (i + N < left) (*this)(i + N, b);
        }
        // The same where it is simple.
        CENOTE_INLINE void put_two(int64_t i, V<typename F::Acc> a, V<typename F::Acc> b) const {
            if constexpr (kTwo) put_whole(i, finish.give_two(a, b, i, by));
        }
        // Elements of even and of odd numbers from i on, of one cell.
        CENOTE_INLINE void put_split(int64_t i, V<typename F::Acc> even, V<typename F::Acc> odd) const {
            constexpr int N = kN<typename F::Acc>;
            if constexpr (requires { &F::give_split; })
                if (F::kTwo && i + 2 * N <= left) return put_whole(i, finish.give_split(even, odd, i, by));
            V<typename F::Acc> a, b;
            interleave(even, odd, a, b);
            (*this)(i, a, b);
        }
        // Two registers of accumulators make one, which may not be aligned as such: only its halves go past the caches.
        template <class W>
        CENOTE_INLINE void put_whole(int64_t i, W done) const {
            constexpr auto item = static_cast<int64_t>(sizeof(typename F::Out));
            if (!past || sizeof(done) < 32) return store(to + i * item, done);
            CENOTE_UNROLL for (int j = 0; j < static_cast<int>(sizeof(done)); j += 16) {
                Vec<uint8_t, 16> part;
                __builtin_memcpy(&part, reinterpret_cast<const char*>(&done) + j, sizeof part);
                stream(to + i * item + j, part);
            }
        }
    };
    CENOTE_INLINE Row row(int64_t r) const {
        return {finish, by(r), out + r * pitch, dense ? (rows - r) * line : line, past};
    }
};

// Some rows of outputs: of these planes, at one D.
struct Place {
    int64_t d;
    Part planes, h, w;

    int64_t rows() const { return planes.size() * h.size(); }
};

template <class F>
class Results {
public:
    using Acc = typename F::Acc;
    using Div = typename F::Div;
    static constexpr int N = kN<Acc>;

    Results(const Problem& p, const Divide& divide, Finish<F>& finish, bool past_caches, Scratch& scratch)
        : p_(p), divide_(divide), finish_(finish), past_caches_(past_caches), scratch_(scratch) {
        tables_.reserve(8);
    }

    // each(put) computes all rows of the place; where it answers false, something else has to, and is asked to put them
    // in the same place.
    // `flat`: as if all rows were one.
    template <class Each>
    bool write(const Place& place, const Each& each, bool flat = false) {
        const int64_t rows = place.rows(), line = place.w.size() * p_.c, bytes = line * finish_.item();
        char* out = at(place, place.planes.first, place.h.first);
        const bool dense = follow_one_another(place, bytes);
        const int64_t pitch = dense ? bytes : p_.y.stride[1];
        const bool past = past_caches_ && streams(out, p_.c == 1 ? bytes : p_.c * finish_.item(), pitch);
        // Lines of the caches that are not written as a whole must not go past them: then scratch memory is worth its
        // while, unless rows have divisors of their own and would pass through it twice.
        if (flat    ? dense && divide_.same() && !past_caches_
            : dense ? past == past_caches_ || !divide_.same()
                    : p_.y_rows && place.planes.size() == 1) {
            const DivideBy<Div>* only = divide_.same() ? &divisors(place, place.h.first) : nullptr;
            const auto by = [&, only](int64_t r) {
                return only != nullptr ? *only : divisors(place, place.h.first + r % place.h.size());
            };
            const int64_t along = flat ? rows * line : line, down = flat ? 1 : rows;
            return each(ToResult<F, decltype(by)>{finish_.how(), by, out, pitch, along, down, past, dense});
        }
        Acc* stage = scratch_.get<Acc>(Scratch::kStage, rows * line + 2 * N);
        if (!each(ToRows<Acc>{stage, line})) return false;
        if (dense)
            finish_dense(place, stage, out);
        else
            finish_rows(place, stage);
        return true;
    }

private:
    char* at(const Place& place, int64_t plane, int64_t h) const {
        return p_.y.data + p_.plane(plane, 1) + place.d * p_.y.stride[0] + h * p_.y.stride[1] +
               place.w.first * p_.y.stride[2];
    }

    // Whole registers at aligned addresses, row after row.
    static bool streams(const char* out, int64_t bytes, int64_t pitch) {
        constexpr int64_t size = sizeof(Vec<typename F::Out, N>);
        return size >= 16 && bytes % size == 0 && pitch % size == 0 && reinterpret_cast<uintptr_t>(out) % size == 0;
    }

    // Do the rows lie one behind the other?
    bool follow_one_another(const Place& place, int64_t bytes) const {
        if (!p_.y_rows) return false;
        if (place.rows() == 1) return true;
        if (place.w.size() != p_.axis[2]->out() || (place.h.size() > 1 && p_.y.stride[1] != bytes)) return false;
        for (int64_t plane = place.planes.first + 1; plane < place.planes.end; ++plane)
            if (p_.plane(plane, 1) - p_.plane(plane - 1, 1) != bytes * place.h.size()) return false;
        return true;
    }

    void finish_dense(const Place& place, const Acc* stage, char* out) {
        const int64_t rows = place.rows(), line = place.w.size() * p_.c, bytes = line * finish_.item();
        if (divide_.same()) return finish_.put(stage, rows * line, divisors(place, 0), out, past_caches_);
        // past the caches whole lines of them have to be written, and rows are none
        char* done = past_caches_ ? scratch_.get<char>(Scratch::kDone, rows * bytes) : out;
        for (int64_t r = 0; r < rows; ++r) {
            const auto by = divisors(place, place.h.first + r % place.h.size());
            finish_.put(stage + r * line, line, by, done + r * bytes, false);
        }
        if (past_caches_) copy_past_caches(out, done, rows * bytes);
    }

    void finish_rows(const Place& place, const Acc* stage) {
        const int64_t wide = place.w.size(), line = wide * p_.c, item = finish_.item();
        for (int64_t plane = place.planes.first; plane < place.planes.end; ++plane)
            for (int64_t h = place.h.first; h < place.h.end; ++h, stage += line) {
                char* to = at(place, plane, h);
                if (p_.y_rows) {
                    finish_.put(stage, line, divisors(place, h), to, false);
                    continue;
                }
                char* done = scratch_.get<char>(Scratch::kDone, line * item);
                finish_.put(stage, line, divisors(place, h), done, false);
                for (int64_t i = 0; i < wide; ++i)
                    std::memcpy(to + i * p_.y.stride[2], done + i * p_.c * item, static_cast<size_t>(p_.c * item));
            }
    }

    // What divides a row. Rows at the rims of a map have divisors of their own: there are few different ones.
    const DivideBy<Div>& divisors(const Place& place, int64_t h) {
        const double factor = divide_.none ? divide_.number : divide_.at(p_, 0, place.d) * divide_.at(p_, 1, h);
        for (const Table& table : tables_)
            if (table.factor == factor && table.first == place.w.first) return table.by;
        if (tables_.size() == 8) tables_.clear();  // room is reserved for as many
        Table& made = tables_.emplace_back();
        made.factor = factor, made.first = place.w.first;
        const auto along = [&](int64_t i) { return divide_.none ? 1.0 : divide_.at(p_, 2, place.w.first + i); };
        if (divide_.same_w || place.w.size() == 1) {
            made.by = DivideBy<Div>(factor * along(0));
            return made.by;
        }
        for (int64_t i = 0; i < place.w.size(); ++i)
            made.values.insert(made.values.end(), static_cast<size_t>(p_.c), static_cast<Div>(factor * along(i)));
        made.values.resize(made.values.size() + N, Div(1));
        made.by = DivideBy<Div>(1, made.values.data());
        return made.by;
    }

    struct Table {
        double factor;
        int64_t first;  // of the outputs along W
        std::vector<Div> values;
        DivideBy<Div> by;
    };

    const Problem& p_;
    const Divide& divide_;
    Finish<F>& finish_;
    bool past_caches_;
    Scratch& scratch_;
    std::vector<Table> tables_;
};
