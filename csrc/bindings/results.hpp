// Arrays for results: small ones by NumPy, large ones over pieces of the cache.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <cstddef>

#include "memory/cache.hpp"

namespace cenote {

namespace nb = nanobind;

// What the module uses of NumPy.
struct NumPy {
    nb::object ndarray, empty, dtype_word;
};

const NumPy& numpy();

// The base of an array over a piece of the cache: gives the piece back when the last array over it has died.
class Memory {
public:
    explicit Memory(size_t bytes);
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory();

    void* data() const { return piece_.data; }
    size_t bytes() const { return bytes_; }
    bool fresh() const { return !piece_.touched; }

private:
    Piece piece_;
    size_t bytes_;
};

struct NewArray {
    nb::object array;
    bool fresh;  // large, and perhaps never written before
};

// A C-ordered array of `bytes` bytes. Throws when there is no memory for it.
NewArray new_array(nb::handle shape, nb::handle dtype, size_t bytes);

}  // namespace cenote
