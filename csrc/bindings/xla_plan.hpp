// A call's geometry as it comes with an XLA custom call: whole numbers in an attribute, decoded once and kept. What a
// window is, nobody here knows: tables were made in Python and are only unpacked.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "geometry.hpp"

namespace cenote {

// Numbers that somebody else owns.
struct Numbers {
    const int64_t* data = nullptr;
    size_t size = 0;

    bool operator==(const Numbers& other) const {
        return size == other.size && (size == 0 || std::memcmp(data, other.data, size * sizeof(int64_t)) == 0);
    }
};

// Reads the attribute `plan`: the number of pooled axes; for each its number counted from the end (-1 is the last
// axis), its length, the number of its outputs, and six tables (start, count, step, padded, window, skipped). A table is
// its number of runs and then the runs, each (first, delta, count): first, first + delta, ...
class PlanReader {
public:
    explicit PlanReader(Numbers from) : from_(from) {}

    int64_t next() {
        if (at_ == from_.size) throw std::invalid_argument("a plan ends too early");
        return from_.data[at_++];
    }

    std::vector<int64_t> table(int64_t n) {
        std::vector<int64_t> values;
        values.reserve(static_cast<size_t>(n));
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
        if (at_ != from_.size) throw std::invalid_argument("a plan goes on behind its end");
    }

private:
    Numbers from_;
    size_t at_ = 0;
};

struct XlaPlan {
    std::vector<int64_t> key;  // the attribute's own copy
    Geometry geometry;
    size_t rank = 0;
    int64_t from_end[kMostPooled] = {};  // 1 is the last axis; ascending axes, so descending numbers
    int64_t outputs = 0;                 // along all pooled axes: what its tables weigh

    explicit XlaPlan(Numbers from) : key(from.data, from.data + from.size) {
        PlanReader reader(from);
        const int64_t axes = reader.next();
        if (axes < 1 || axes > kMostPooled) throw std::invalid_argument("a plan has one to three axes");
        rank = static_cast<size_t>(axes);
        for (size_t i = 0; i < rank; ++i) {
            from_end[i] = -reader.next();
            if (from_end[i] < 1 || (i > 0 && from_end[i] >= from_end[i - 1]))
                throw std::invalid_argument("axes of a plan ascend and count from the end");
            AxisTable& axis = geometry.axis[kMostPooled - rank + i];
            axis.in = reader.next();
            const int64_t n = reader.next();
            if (n < 0 || n > kFarthest / 64) throw std::invalid_argument("a plan has too many outputs");
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

    // Which pooled axis an array's axis is, counted from its end; -1 for none.
    int pooled(int64_t distance) const {
        for (size_t i = 0; i < rank; ++i)
            if (from_end[i] == distance) return static_cast<int>(kMostPooled - rank + i);
        return -1;
    }
};

// The plans in use, found by their numbers: an attribute's address is its executable's, and may be another's tomorrow.
class XlaPlans {
public:
    static XlaPlans& instance() {
        static XlaPlans* const all = new XlaPlans;  // never destroyed: threads of XLA's may run until the end
        return *all;
    }

    std::shared_ptr<const XlaPlan> find(Numbers from) {
        // One thread tends to run one small call over and over: no lock, no hash, one comparison of its numbers.
        thread_local std::shared_ptr<const XlaPlan> last;
        if (last && of(*last) == from) return last;
        const uint64_t hash = hash_of(from);
        {
            const std::shared_lock lock(mutex_);
            const auto [begin, end] = plans_.equal_range(hash);
            for (auto it = begin; it != end; ++it)
                if (of(*it->second) == from) return last = it->second;
        }
        auto made = std::make_shared<const XlaPlan>(from);
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

    static Numbers of(const XlaPlan& plan) { return {plan.key.data(), plan.key.size()}; }

    static uint64_t hash_of(Numbers from) {
        uint64_t hash = 0x9E3779B97F4A7C15u;
        for (size_t i = 0; i < from.size; ++i) {
            hash = (hash ^ static_cast<uint64_t>(from.data[i])) * 0xBF58476D1CE4E5B9u;
            hash ^= hash >> 29;
        }
        return hash;
    }

    std::shared_mutex mutex_;
    std::unordered_multimap<uint64_t, std::shared_ptr<const XlaPlan>> plans_;
    int64_t weight_ = 0;
};

}  // namespace cenote
