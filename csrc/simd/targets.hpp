// The CPU targets: the same engines compiled for several instruction sets, one of them chosen when the program runs.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "calls.hpp"
#include "engines/gather.hpp"
#include "engines/problem.hpp"
#include "memory/scratch.hpp"

namespace cenote {

// Are results of so many bytes, made of so many others, written past the caches? They would be gone from there before
// anybody reads them, pushed out by what is read meanwhile. (Measured on Sapphire Rapids: from 4 MB of results on it pays,
// below it costs.)
inline bool past_caches(double read, double written) { return written >= 0x1p22 && read + written >= 20 * 0x1p20; }

// What a target computes. Each is false where the call is for the engine that takes everything.
struct Target {
    const char* name;
    bool (*usable)();
    bool (*values)(const ForwardCall&, const Geometry&, const Layout&, Control&);
    bool (*select)(const ForwardCall&, const Geometry&, const Layout&, DType position_type, Position, Control&);
    bool (*backward)(const ForwardCall&, const Geometry&, const Layout&, DType g_type, DType other_type, Control&);
};

// Compiled for this kind of processor, the least demanding first.
const std::vector<Target>& targets();

// The one in use: the last usable one until another is chosen. By its name; false where it is unknown or unusable.
const Target& target();
bool choose_target(const std::string& name);

}  // namespace cenote
