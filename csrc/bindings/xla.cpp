// The kernels as XLA custom calls, for cenote.jax. A module of its own, because it is compiled against the headers of
// the oldest jaxlib that is supported; the kernels are _core's. Handlers run on XLA's threads and never touch Python.
#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "bindings/kernels.hpp"
#include "bindings/xla_layout.hpp"
#include "bindings/xla_narrow.hpp"
#include "bindings/xla_plan.hpp"
#include "xla/ffi/api/ffi.h"

namespace nb = nanobind;
namespace ffi = xla::ffi;

namespace cenote {
namespace {

using Cells = ffi::AnyBuffer;
using Out = ffi::Result<ffi::AnyBuffer>;
using Whole = ffi::Span<const int64_t>;
using Real = ffi::Span<const double>;

const Kernels* core = nullptr;  // set when the module is imported, before a handler can be known to XLA

std::shared_ptr<const XlaPlan> plan_of(Whole plan) {
    return XlaPlans::instance().find({plan.begin(), plan.size()});
}

// A failure is XLA's to report, as the exception of the call: nothing may be thrown through its frames.
template <class Run>
ffi::Error guarded(const Run& run) {
    try {
        std::string why;
        if (run(why)) return ffi::Error::Success();
        return ffi::Error::Internal("cenote: " + why);
    } catch (const std::bad_alloc&) {
        return {ffi::ErrorCode::kResourceExhausted, "cenote: no memory"};
    } catch (const std::exception& failure) {
        return ffi::Error::InvalidArgument(std::string("cenote: ") + failure.what());
    }
}

// The settings of the operator as the attributes of a call say them: (reducer, divisor, whole number) and (number, p).
struct Operator {
    Whole whole;
    Real real;

    ForwardCall call(DType in, DType out, int64_t work) const {
        if (whole.size() != 3 || real.size() != 2) throw std::invalid_argument("an operator has five settings");
        if (whole[0] < 0 || whole[0] >= kReducers) throw std::invalid_argument("unknown reducer");
        if (whole[1] < 0 || whole[1] > static_cast<int64_t>(Divisor::number))
            throw std::invalid_argument("unknown divisor");
        Params params;
        params.in = in;
        params.out = out;
        params.p = real[1];
        params.number = real[0];
        params.whole_number = whole[2];
        // XLA's memory may be fresh or not, nobody says; nothing depends on it but speed
        return {static_cast<Reducer>(whole[0]), params, static_cast<Divisor>(whole[1]), core->threads(work), false};
    }
};

ffi::Error pool(Cells x, Out y, Whole plan_numbers, Whole whole, Real real) {
    return guarded([&](std::string& why) {
        const auto plan = plan_of(plan_numbers);
        const Layout layout = lay_out(*plan, {{Role::cells, &x}, {Role::outputs_out, &*y}});
        if (y->element_count() == 0) return true;
        const ForwardCall call = Operator{whole, real}.call(type_of(x), type_of(*y), work_of(*plan, layout));
        return core->forward(call, plan->geometry, layout, why);
    });
}

// Offsets or indices, and the values unless y is null.
bool found(Cells& x, Cells* y, Cells& positions, Whole plan_numbers, const Operator& op, Position position,
           std::string& why) {
    const auto plan = plan_of(plan_numbers);
    const DType in = type_of(x), type = type_of(positions);
    // The fast engines write indices of 64 bits. JAX without its x64 mode wants 32.
    const bool narrow = position == Position::indices && type == DType::i32;
    const Layout layout = lay_out(*plan, {{Role::cells, &x},
                                          {Role::outputs_out, y},
                                          {Role::outputs_out, &positions, narrow ? int64_t{8} : int64_t{0}}});
    if (positions.element_count() == 0) return true;
    if (y != nullptr && type_of(*y) != in) throw std::invalid_argument("selected values keep their type");
    if (!is_integral(type)) throw std::invalid_argument("positions are whole numbers");
    const ForwardCall call = op.call(in, in, work_of(*plan, layout));
    if (narrow) return select_narrow(*core, call, *plan, layout, positions, why);
    return core->select(call, plan->geometry, layout, type, position, why);
}

// Values, and the offset of what won within its window.
ffi::Error select(Cells x, Out y, Out offsets, Whole plan_numbers, Whole whole, Real real) {
    return guarded([&](std::string& why) {
        return found(x, &*y, *offsets, plan_numbers, {whole, real}, Position::offsets, why);
    });
}

// Values, and the place of what won in the input.
ffi::Error locate(Cells x, Out y, Out indices, Whole plan_numbers, Whole whole, Real real) {
    return guarded([&](std::string& why) {
        return found(x, &*y, *indices, plan_numbers, {whole, real}, Position::indices, why);
    });
}

// Offsets alone.
ffi::Error offsets(Cells x, Out positions, Whole plan_numbers, Whole whole, Real real) {
    return guarded([&](std::string& why) {
        return found(x, nullptr, *positions, plan_numbers, {whole, real}, Position::offsets, why);
    });
}

ffi::Error down(Cells chosen, Cells x, Out y, Whole plan_numbers) {
    return guarded([&](std::string& why) {
        const auto plan = plan_of(plan_numbers);
        const Layout layout =
            lay_out(*plan, {{Role::cells, &x}, {Role::outputs_out, &*y}, {Role::outputs, &chosen}});
        if (y->element_count() == 0) return true;
        if (type_of(x) != type_of(*y)) throw std::invalid_argument("picked values keep their type");
        return core->pick(plan->geometry, layout, type_of(x), type_of(chosen), core->threads(work_of(*plan, layout)),
                          why);
    });
}

bool spread(Cells* x, Cells* other, Cells& g, Cells& dx, Whole plan_numbers, const Operator& op,
            std::string& why) {
    const auto plan = plan_of(plan_numbers);
    const Layout layout = lay_out(
        *plan, {{Role::cells_out, &dx}, {Role::outputs, &g}, {Role::outputs, other}, {Role::cells, x}});
    if (dx.element_count() == 0) return true;
    const ForwardCall call = op.call(type_of(dx), type_of(g), work_of(*plan, layout));
    const Kind kind = kind_of(call.reducer);
    if (kind != Kind::spread && other == nullptr) throw std::invalid_argument("this gradient needs offsets or the result");
    if (kind == Kind::norm && x == nullptr) throw std::invalid_argument("this gradient needs the input");
    if (x != nullptr && type_of(*x) != type_of(dx)) throw std::invalid_argument("a gradient keeps the input's type");
    return core->backward(call, plan->geometry, layout, type_of(g), other ? type_of(*other) : type_of(g), why);
}

// Gradients of sums.
ffi::Error up(Cells g, Out dx, Whole plan_numbers, Whole whole, Real real) {
    return guarded([&](std::string& why) {
        return spread(nullptr, nullptr, g, *dx, plan_numbers, {whole, real}, why);
    });
}

// Gradients to what won.
ffi::Error up_chosen(Cells chosen, Cells g, Out dx, Whole plan_numbers, Whole whole, Real real) {
    return guarded([&](std::string& why) {
        return spread(nullptr, &chosen, g, *dx, plan_numbers, {whole, real}, why);
    });
}

// Gradients of norms: `other` is the result in the accumulator's precision, or offsets where the norm is a maximum.
ffi::Error up_norm(Cells x, Cells other, Cells g, Out dx, Whole plan_numbers, Whole whole, Real real) {
    return guarded([&](std::string& why) {
        return spread(&x, &other, g, *dx, plan_numbers, {whole, real}, why);
    });
}

// For measurements: what it costs XLA to have memory for a result, and somebody to write it once.
ffi::Error fill(Out y, int64_t byte) {
    return guarded([&](std::string& why) {
        return core->fill(static_cast<char*>(y->untyped_data()), static_cast<int64_t>(y->size_bytes()),
                          static_cast<int>(byte), core->threads(static_cast<int64_t>(y->size_bytes())), why);
    });
}

template <class Binding>
auto with_plan(Binding&& binding) {
    return std::move(binding).template Attr<Whole>("plan");
}

template <class Binding>
auto with_operator(Binding&& binding) {
    return with_plan(std::move(binding)).template Attr<Whole>("whole").template Attr<Real>("real");
}

XLA_FFI_DEFINE_HANDLER(kPool, pool, with_operator(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kSelect, select, with_operator(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kLocate, locate, with_operator(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kOffsets, offsets, with_operator(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kDown, down, with_plan(ffi::Ffi::Bind().Arg<Cells>().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kUp, up, with_operator(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kUpChosen, up_chosen,
                       with_operator(ffi::Ffi::Bind().Arg<Cells>().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kUpNorm, up_norm,
                       with_operator(ffi::Ffi::Bind().Arg<Cells>().Arg<Cells>().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kFill, fill, ffi::Ffi::Bind().Ret<Cells>().Attr<int64_t>("byte"));

const struct {
    const char* name;
    XLA_FFI_Handler* handler;
} kHandlers[] = {
    {"cenote_pool", kPool},     {"cenote_select", kSelect}, {"cenote_locate", kLocate},
    {"cenote_offsets", kOffsets}, {"cenote_down", kDown},     {"cenote_up", kUp},
    {"cenote_up_chosen", kUpChosen}, {"cenote_up_norm", kUpNorm}, {"cenote_fill", kFill},
};

}  // namespace
}  // namespace cenote

NB_MODULE(_xla, m) {
    using namespace cenote;
    nb::set_leak_warnings(false);
    m.doc() = "The compiled kernels as XLA custom calls. Use cenote.jax; it alone imports this module.";
    const nb::object capsule = nb::module_::import_("cenote.native._core").attr("kernels");
    core = static_cast<const Kernels*>(PyCapsule_GetPointer(capsule.ptr(), kKernelsCapsule));
    if (core == nullptr) throw nb::python_error();
    if (!core->same_build()) {
        core = nullptr;
        throw nb::import_error("cenote.jax._xla and cenote.native._core are not of one build; install cenote again");
    }
    // XLA looks a handler up by its name, in a capsule of this name.
    m.def("handlers", [] {
        nb::dict all;
        for (const auto& h : kHandlers)
            all[h.name] = nb::capsule(reinterpret_cast<const void*>(h.handler), "xla._CUSTOM_CALL_TARGET");
        return all;
    });
    m.attr("api") = nb::make_tuple(XLA_FFI_API_MAJOR, XLA_FFI_API_MINOR);
    m.attr("version") = CENOTE_VERSION;
}
