// The fast way in: the words of a call lead straight to a plan that was made before. What words mean is decided
// elsewhere, in Python; here a call is recognised only if every word of it was seen before, letter for letter.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "bindings/plan.hpp"

namespace cenote {

namespace nb = nanobind;

// The words of a call as numbers. Types are part of it: True, 1 and 1.0 are three words.
class Words {
public:
    // False: not a word that can be recognised, or too many.
    bool number(int64_t value) {
        if (size_ == kMost) return false;
        word_[size_++] = value;
        return true;
    }
    bool object(nb::handle value, const std::vector<nb::object>& constants, int depth = 0);

    uint64_t hash() const;
    bool operator==(const Words& other) const;

    Words() = default;
    Words(const Words& other) { *this = other; }
    Words& operator=(const Words& other);

private:
    static constexpr size_t kMost = 48;
    size_t size_ = 0;
    std::array<int64_t, kMost> word_;  // only the first size_ are ever looked at
};

// All that a call needs beside its arrays.
struct Ready {
    nb::object plan, payload, dtype, result_shape, result_type, index_type;
    const Plan* geometry = nullptr;
    ForwardCall call{};
    bool select = false;
    std::vector<int64_t> shape;  // of the result as the caller sees it
    std::vector<int> pooled;     // per axis of x: the pooled axis of the geometry, or -1
    std::vector<bool> dropped;   // per axis of x: has the result lost it?
    int64_t weight = 0;          // outputs along the pooled axes, each a line in every table of the plan
    int64_t work = 0;            // taps
    size_t cells = 1;            // of the result
};

// The calls that are remembered, of all functions together: those used last, at most 256, and at most 17 MB of tables.
class Memo {
public:
    std::shared_ptr<const Ready> find(const Words& words);
    void keep(const Words& words, std::shared_ptr<const Ready> ready);
    void clear();

    static constexpr int64_t kMostOutputs = 1 << 18;

private:
    struct Entry {
        Words words;
        std::shared_ptr<const Ready> ready;
        uint64_t used = 0;
    };
    static constexpr size_t kSets = 64, kWays = 4;
    std::mutex mutex_;
    std::array<std::array<Entry, kWays>, kSets> entries_;
    uint64_t clock_ = 0;
    int64_t weight_ = 0;
};

}  // namespace cenote
