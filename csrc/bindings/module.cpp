// The Python module: buffers and tables in, a run of a kernel, an exception out. Only this folder knows Python.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind.hpp"
#include "calls.hpp"
#include "simd/targets.hpp"

namespace nb = nanobind;
using namespace cenote;

namespace {

std::string compiler() {
#if defined(__clang__)
    return "clang " __clang_version__;
#elif defined(__GNUC__)
    return "gcc " __VERSION__;
#else
    return "unknown";
#endif
}

}  // namespace

NB_MODULE(_core, m) {
    // A thread that still pools while the interpreter ends keeps its plan: no leak worth a warning to the user.
    nb::set_leak_warnings(false);
    m.doc() = "Compiled pooling kernels. Use cenote's functions; this module checks only what memory safety needs.";
    bind_calls(m);
    bind_results(m);
    bind_door(m);
    bind_kernels(m);
    bind_maps(m);
    m.def("compiler", &compiler);
    m.def("targets", [](bool usable) {
        std::vector<std::string> names;
        for (const Target& t : targets())
            if (!usable || t.usable()) names.emplace_back(t.name);
        return names;
    }, nb::arg("usable"));
    m.def("use_target", &choose_target, nb::arg("name"));
    m.def("target", [] { return std::string(target().name); });
    m.def("dtypes", [] {
        std::vector<std::string> names;
        for (int i = 0; i < kDTypes; ++i) names.emplace_back(dtype_name(i));
        return names;
    });
    m.def("reducers", [] {
        return std::vector<std::pair<std::string, std::string>>{
#define CENOTE_REDUCER(name, type, kind) {#name, #kind},
#include "ops.def"
#undef CENOTE_REDUCER
        };
    });
    m.def("divisors", [] { return std::vector<std::string>{"inside", "padded", "window", "number"}; });
    // For tests: see threads/parallel.hpp and pool.hpp.
    m.def("set_work_per_thread", [](int64_t n) { return work_per_thread.exchange(std::max<int64_t>(1, n)); },
          nb::arg("n"));
    m.def("threads_started", [] { return threads_started.load(); });
    m.def("threads_created", [] { return threads_created.load(); });
    m.attr("version") = CENOTE_VERSION;
}
