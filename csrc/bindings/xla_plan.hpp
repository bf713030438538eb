// A call as it comes with an XLA custom call: whole numbers in a text, read once and kept. What a window is, nobody here
// knows: tables were made in Python and are only unpacked.
#pragma once

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "calls.hpp"
#include "geometry.hpp"

namespace cenote {

// Reads whole numbers with one space between them. A text, because that is an attribute of which every version of JAX
// can make a file.
class PlanReader {
public:
    explicit PlanReader(std::string_view text) : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

    int64_t next() {
        int64_t value = 0;
        const bool apart = at_ == begin_ || (at_ != end_ && *at_ == ' ');
        const auto [after, error] = std::from_chars(at_ == begin_ || !apart ? at_ : at_ + 1, end_, value);
        if (!apart || error != std::errc()) throw std::invalid_argument("a plan ends too early, or is none");
        at_ = after;
        return value;
    }

    // The number of its runs and then the runs, each (first, delta, count): first, first + delta, ...
    std::vector<int64_t> table(int64_t n) {
        std::vector<int64_t> values;
        for (int64_t runs = next(); runs > 0; --runs) {
            const int64_t first = next(), delta = next(), count = next();
            if (count < 1 || count > n - static_cast<int64_t>(values.size()))
                throw std::invalid_argument("a run of a plan has no place in its table");
            // as unsigned numbers, whose overflow is defined; check_and_prepare() refuses what comes of it
            auto value = static_cast<uint64_t>(first);
            for (int64_t i = 0; i < count; ++i, value += static_cast<uint64_t>(delta))
                values.push_back(static_cast<int64_t>(value));
        }
        if (static_cast<int64_t>(values.size()) != n) throw std::invalid_argument("a table of a plan is too short");
        return values;
    }

    void end() const {
        if (at_ != end_) throw std::invalid_argument("a plan goes on behind its end");
    }

private:
    const char *begin_, *at_, *end_;
};

// In this order: reducer, divisor, whole number, and the bits of number and p as those of whole numbers; the number of
// pooled axes, and for each its number counted from the end (-1 is the last), its length, the number of its outputs, and
// six tables (start, count, step, padded, window, skipped).
struct XlaPlan {
    std::string text;
    ForwardCall call{};  // without element types and threads
    Geometry geometry;
    size_t rank = 0;
    int64_t from_end[kMostPooled] = {};  // 1 is the last axis; ascending axes, so descending numbers
    int64_t outputs = 0;                 // along all pooled axes: what its tables weigh

    explicit XlaPlan(std::string_view from) : text(from) {
        PlanReader reader(from);
        const int64_t reducer = reader.next(), divisor = reader.next();
        if (reducer < 0 || reducer >= kReducers) throw std::invalid_argument("unknown reducer");
        if (divisor < 0 || divisor > static_cast<int64_t>(Divisor::number))
            throw std::invalid_argument("unknown divisor");
        call.reducer = static_cast<Reducer>(reducer);
        call.divisor = static_cast<Divisor>(divisor);
        call.params.whole_number = reader.next();
        call.params.number = std::bit_cast<double>(reader.next());
        call.params.p = std::bit_cast<double>(reader.next());
        const int64_t axes = reader.next();
        if (axes < 1 || axes > kMostPooled) throw std::invalid_argument("a plan has one to three axes");
        rank = static_cast<size_t>(axes);
        for (size_t i = 0; i < rank; ++i) {
            const int64_t number = reader.next();
            if (number >= 0 || number < -kFarthest || (i > 0 && -number >= from_end[i - 1]))
                throw std::invalid_argument("axes of a plan ascend and count from the end");
            from_end[i] = -number;
            AxisTable& axis = geometry.axis[kMostPooled - rank + i];
            axis.in = reader.next();
            const int64_t n = reader.next();
            if (axis.in < 0 || n < 0 || n > kFarthest / 64) throw std::invalid_argument("a plan has too many cells");
            axis.start = reader.table(n);
            axis.count = reader.table(n);
            axis.step = reader.table(n);
            axis.padded = reader.table(n);
            axis.window = reader.table(n);
            axis.skipped = reader.table(n);
            outputs += n;
        }
        reader.end();
        for (AxisTable& axis : geometry.axis) axis.check_and_prepare();
    }

    ForwardCall of(DType in, DType out, int threads) const {
        ForwardCall made = call;
        made.params.in = in;
        made.params.out = out;
        made.threads = threads;
        return made;
    }

    // Which pooled axis an array's axis is, counted from its end; -1 for none.
    int pooled(int64_t distance) const {
        for (size_t i = 0; i < rank; ++i)
            if (from_end[i] == distance) return static_cast<int>(kMostPooled - rank + i);
        return -1;
    }
};

// The plans in use, found by their text: where an attribute lies is its executable's business, and may be another's
// tomorrow.
class XlaPlans {
public:
    static XlaPlans& instance() {
        static XlaPlans* const all = new XlaPlans;  // never destroyed: threads of XLA's may run until the end
        return *all;
    }

    std::shared_ptr<const XlaPlan> find(std::string_view text) {
        // One thread tends to run one small call over and over: no lock, no hash, one comparison.
        thread_local std::shared_ptr<const XlaPlan> last;
        if (last && last->text == text) return last;
        const size_t hash = std::hash<std::string_view>()(text);
        {
            const std::shared_lock lock(mutex_);
            const auto [begin, end] = plans_.equal_range(hash);
            for (auto it = begin; it != end; ++it)
                if (it->second->text == text) return last = it->second;
        }
        auto made = std::make_shared<const XlaPlan>(text);
        if (made->outputs > kLongest) return made;
        const std::unique_lock lock(mutex_);
        if (plans_.size() >= kMost || weight_ + made->outputs > kMostOutputs) {
            plans_.clear();
            weight_ = 0;
        }
        plans_.emplace(hash, made);
        weight_ += made->outputs;
        return last = made;
    }

private:
    static constexpr size_t kMost = 256;
    // An output along an axis is 64 bytes of tables: 17 MB at the most are kept.
    static constexpr int64_t kLongest = 1 << 16, kMostOutputs = 1 << 18;

    std::shared_mutex mutex_;
    std::unordered_multimap<size_t, std::shared_ptr<const XlaPlan>> plans_;
    int64_t weight_ = 0;
};

}  // namespace cenote
