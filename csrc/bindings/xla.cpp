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
#include <string_view>
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
using Text = std::string_view;

const Kernels* core = nullptr;  // set when the module is imported, before a handler can be known to XLA

// A failure is XLA's to report, as the exception of the call: nothing may be thrown through its frames.
// run(plan, why) is false where a kernel said why not.
template <class Run>
ffi::Error with_plan(Text text, const Run& run) {
    try {
        std::string why;
        if (run(*XlaPlans::instance().find(text), why)) return ffi::Error::Success();
        return ffi::Error::Internal("cenote: " + why);
    } catch (const std::bad_alloc&) {
        return {ffi::ErrorCode::kResourceExhausted, "cenote: no memory"};
    } catch (const std::exception& failure) {
        return ffi::Error::InvalidArgument(std::string("cenote: ") + failure.what());
    }
}

int threads_for(const XlaPlan& plan, const Layout& layout) { return core->threads(work_of(plan, layout)); }

ffi::Error pool(Cells x, Out y, Text text) {
    return with_plan(text, [&](const XlaPlan& plan, std::string& why) {
        const Layout layout = lay_out(plan, {{Role::cells, &x}, {Role::outputs_out, &*y}});
        if (y->element_count() == 0) return true;
        const ForwardCall call = plan.of(type_of(x), type_of(*y), threads_for(plan, layout));
        return core->forward(call, plan.geometry, layout, why);
    });
}

// Offsets or indices, and the values unless y is null.
ffi::Error found(Cells& x, Cells* y, Cells& positions, Position position, Text text) {
    return with_plan(text, [&](const XlaPlan& plan, std::string& why) {
        const DType in = type_of(x), type = type_of(positions);
        // The fast engines write indices of 64 bits. JAX without its x64 mode wants 32.
        const bool narrow = position == Position::indices && type == DType::i32;
        const Layout layout = lay_out(plan, {{Role::cells, &x},
                                             {Role::outputs_out, y},
                                             {Role::outputs_out, &positions, narrow ? int64_t{8} : int64_t{0}}});
        if (positions.element_count() == 0) return true;
        if (y != nullptr && type_of(*y) != in) throw std::invalid_argument("selected values keep their type");
        if (!is_integral(type)) throw std::invalid_argument("positions are whole numbers");
        const ForwardCall call = plan.of(in, in, threads_for(plan, layout));
        if (narrow) return select_narrow(*core, call, plan, layout, positions, why);
        return core->select(call, plan.geometry, layout, type, position, why);
    });
}

// Values, and the offset of what won within its window.
ffi::Error select(Cells x, Out y, Out offsets, Text text) { return found(x, &*y, *offsets, Position::offsets, text); }

// Values, and the place of what won in the input.
ffi::Error locate(Cells x, Out y, Out indices, Text text) { return found(x, &*y, *indices, Position::indices, text); }

// Offsets alone.
ffi::Error offsets(Cells x, Out found_at, Text text) { return found(x, nullptr, *found_at, Position::offsets, text); }

ffi::Error down(Cells chosen, Cells x, Out y, Text text) {
    return with_plan(text, [&](const XlaPlan& plan, std::string& why) {
        const Layout layout = lay_out(plan, {{Role::cells, &x}, {Role::outputs_out, &*y}, {Role::outputs, &chosen}});
        if (y->element_count() == 0) return true;
        if (type_of(x) != type_of(*y)) throw std::invalid_argument("picked values keep their type");
        if (!is_integral(type_of(chosen))) throw std::invalid_argument("offsets are whole numbers");
        return core->pick(plan.geometry, layout, type_of(x), type_of(chosen), threads_for(plan, layout), why);
    });
}

ffi::Error spread(Cells* x, Cells* other, Cells& g, Cells& dx, Text text) {
    return with_plan(text, [&](const XlaPlan& plan, std::string& why) {
        const Layout layout =
            lay_out(plan, {{Role::cells_out, &dx}, {Role::outputs, &g}, {Role::outputs, other}, {Role::cells, x}});
        if (dx.element_count() == 0) return true;
        const ForwardCall call = plan.of(type_of(dx), type_of(g), threads_for(plan, layout));
        const Kind kind = kind_of(call.reducer);
        if (kind != Kind::spread && other == nullptr)
            throw std::invalid_argument("this gradient needs offsets or the result");
        if (kind == Kind::winner && !is_integral(type_of(*other)))
            throw std::invalid_argument("offsets are whole numbers");
        if (kind == Kind::norm && x == nullptr) throw std::invalid_argument("this gradient needs the input");
        if (x != nullptr && type_of(*x) != type_of(dx))
            throw std::invalid_argument("a gradient keeps the input's type");
        return core->backward(call, plan.geometry, layout, type_of(g), other ? type_of(*other) : type_of(g), why);
    });
}

// Gradients of sums.
ffi::Error up(Cells g, Out dx, Text text) { return spread(nullptr, nullptr, g, *dx, text); }

// Gradients to what won.
ffi::Error up_chosen(Cells chosen, Cells g, Out dx, Text text) { return spread(nullptr, &chosen, g, *dx, text); }

// Gradients of norms: `other` is the result in the accumulator's precision, or offsets where the norm is a maximum.
ffi::Error up_norm(Cells x, Cells other, Cells g, Out dx, Text text) { return spread(&x, &other, g, *dx, text); }

// For measurements: what it costs XLA to have memory for a result, and somebody to write it once.
ffi::Error fill(Out y, int64_t byte) {
    std::string why;
    const auto bytes = static_cast<int64_t>(y->size_bytes());
    const bool done =
        core->fill(static_cast<char*>(y->untyped_data()), bytes, static_cast<int>(byte), core->threads(bytes), why);
    return done ? ffi::Error::Success() : ffi::Error::Internal("cenote: " + why);
}

template <class Binding>
auto with_call(Binding&& binding) {
    return std::move(binding).template Attr<Text>("call");
}

XLA_FFI_DEFINE_HANDLER(kPool, pool, with_call(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kSelect, select, with_call(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kLocate, locate, with_call(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kOffsets, offsets, with_call(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kDown, down, with_call(ffi::Ffi::Bind().Arg<Cells>().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kUp, up, with_call(ffi::Ffi::Bind().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kUpChosen, up_chosen, with_call(ffi::Ffi::Bind().Arg<Cells>().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kUpNorm, up_norm,
                       with_call(ffi::Ffi::Bind().Arg<Cells>().Arg<Cells>().Arg<Cells>().Ret<Cells>()));
XLA_FFI_DEFINE_HANDLER(kFill, fill, ffi::Ffi::Bind().Ret<Cells>().Attr<int64_t>("byte"));

const struct {
    const char* name;
    XLA_FFI_Handler* handler;
} kHandlers[] = {
    {"cenote_pool", kPool},          {"cenote_select", kSelect},  {"cenote_locate", kLocate},
    {"cenote_offsets", kOffsets},    {"cenote_down", kDown},      {"cenote_up", kUp},
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
