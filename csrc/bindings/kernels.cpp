#include "bindings/kernels.hpp"

#include <nanobind/nanobind.h>

#include <algorithm>
#include <cfenv>
#include <cstring>
#include <exception>

#include "bindings/bind.hpp"
#include "engines/pick.hpp"

namespace cenote {
namespace {

// XLA lets its threads take denormal numbers for zero. The results would be others than our own threads compute beside
// them: as long as a kernel runs, its thread computes as C++ does everywhere.
class OrdinaryArithmetic {
public:
    OrdinaryArithmetic() {
        std::fegetenv(&before_);
        std::fesetenv(FE_DFL_ENV);
    }
    OrdinaryArithmetic(const OrdinaryArithmetic&) = delete;
    OrdinaryArithmetic& operator=(const OrdinaryArithmetic&) = delete;
    ~OrdinaryArithmetic() { std::fesetenv(&before_); }

private:
    std::fenv_t before_;
};

// Nothing asks such a call to stop: there is no Python on this thread whose signals could be looked for.
template <class Run>
bool guarded(std::string& why, const Run& run) noexcept {
    const OrdinaryArithmetic ordinary;
    try {
        Control control(nullptr);
        run(control);
        return true;
    } catch (const std::exception& failure) {
        why = failure.what();
    } catch (...) {
        why = "an unknown failure";
    }
    return false;
}

constexpr Kernels made() {
    Kernels k;
    k.threads = [](int64_t taps) noexcept {
        if (taps < work_per_thread.load(std::memory_order_relaxed)) return 1;
        return std::max(1, threads_said.load(std::memory_order_relaxed));
    };
    k.forward = [](const ForwardCall& call, const Geometry& g, const Layout& layout, std::string& why) noexcept {
        return guarded(why, [&](Control& control) { run_forward(call, g, layout, control); });
    };
    k.select = [](const ForwardCall& call, const Geometry& g, const Layout& layout, DType position_type,
                  Position position, std::string& why) noexcept {
        return guarded(why, [&](Control& control) { run_select(call, g, layout, position_type, position, control); });
    };
    k.backward = [](const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, DType other_type,
                    std::string& why) noexcept {
        return guarded(why, [&](Control& control) { run_backward(call, g, layout, g_type, other_type, control); });
    };
    k.pick = [](const Geometry& g, const Layout& layout, DType type, DType offset_type, int threads,
                std::string& why) noexcept {
        return guarded(why, [&](Control& control) { pick(g, layout, type, offset_type, threads, control); });
    };
    k.narrow = [](const int64_t* from, char* to, int64_t n, int threads, std::string& why) noexcept {
        constexpr int64_t kPiece = 1 << 13;
        return guarded(why, [&](Control& control) {
            parallel_for((n + kPiece - 1) / kPiece, n / 2, threads, control, [&](int64_t begin, int64_t end, Ticker&) {
                for (int64_t i = begin * kPiece; i < std::min(end * kPiece, n); ++i)
                    poke(to + 4 * i, static_cast<int32_t>(from[i]));
            });
        });
    };
    k.fill = [](char* data, int64_t bytes, int byte, int threads, std::string& why) noexcept {
        constexpr int64_t kPiece = 1 << 16;
        return guarded(why, [&](Control& control) {
            parallel_for((bytes + kPiece - 1) / kPiece, bytes / 8, threads, control,
                         [&](int64_t begin, int64_t end, Ticker&) {
                const int64_t from = begin * kPiece, to = std::min(end * kPiece, bytes);
                std::memset(data + from, byte, static_cast<size_t>(to - from));
            });
        });
    };
    return k;
}

const Kernels kernels = made();

}  // namespace

void bind_kernels(nanobind::module_& m) {
    namespace nb = nanobind;
    m.attr("kernels") = nb::capsule(&kernels, kKernelsCapsule);
    m.def("say_threads", [](int n) { threads_said.store(n, std::memory_order_relaxed); }, nb::arg("n"));
}

}  // namespace cenote
