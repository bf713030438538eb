// The calls that Python makes with arrays and a plan in hand.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bindings/bind.hpp"
#include "bindings/buffers.hpp"
#include "bindings/plan.hpp"
#include "bindings/stoppable.hpp"
#include "engines/pick.hpp"
#include "engines/unpool.hpp"

namespace cenote {
namespace {

void forward(const Plan& plan, const Settings& settings, nb::handle x, nb::handle y, bool fresh) {
    const Buffer bx(x, false), by(y, true);
    const ForwardCall call = settings.call(work_of(plan, bx), fresh);
    check_item(bx, call.params.in);
    check_item(by, call.params.out);
    const Layout layout = lay_out(plan, {{&bx, true}, {&by, false}});
    run_stoppable([&](Control& control) { run_forward(call, plan.geometry, layout, control); });
}

void positions(const Plan& plan, const Settings& settings, nb::handle x, nb::handle y, nb::handle found,
               int position_type, bool indices, bool fresh) {
    const Buffer bx(x, false), bo(found, true);
    const ForwardCall call = settings.call(work_of(plan, bx), fresh);
    std::optional<Buffer> by;
    if (!y.is_none()) by.emplace(y, true);
    check_item(bx, call.params.in);
    check_item(bo, dtype_of(position_type));
    if (by) check_item(*by, call.params.in);
    const Layout layout = lay_out(plan, {{&bx, true}, {by ? &*by : nullptr, false}, {&bo, false}});
    run_stoppable([&](Control& control) {
        run_select(call, plan.geometry, layout, dtype_of(position_type),
                   indices ? Position::indices : Position::offsets, control);
    });
}

void gradient(const Plan& plan, const Settings& settings, nb::handle dx, nb::handle g, int g_type, nb::handle other,
              int other_type, nb::handle x, bool fresh) {
    const Buffer bdx(dx, true), bg(g, false);
    const ForwardCall call = settings.call(work_of(plan, bdx), fresh);
    std::optional<Buffer> bo, bx;
    if (!other.is_none()) bo.emplace(other, false);
    if (!x.is_none()) bx.emplace(x, false);
    const Kind kind = kind_of(call.reducer);
    if (kind != Kind::spread && !bo) throw std::invalid_argument("this gradient needs offsets or the result");
    if (kind == Kind::norm && !bx) throw std::invalid_argument("this gradient needs the input");
    check_item(bdx, call.params.in);
    check_item(bg, dtype_of(g_type));
    if (bo) check_item(*bo, dtype_of(other_type));
    if (bx) check_item(*bx, call.params.in);
    const Layout layout =
        lay_out(plan, {{&bdx, true}, {&bg, false}, {bo ? &*bo : nullptr, false}, {bx ? &*bx : nullptr, true}});
    run_stoppable([&](Control& control) {
        run_backward(call, plan.geometry, layout, dtype_of(g_type), dtype_of(other_type), control);
    });
}

// `type` is that of x and y, of which only the size matters.
void picked(const Plan& plan, nb::handle x, nb::handle y, nb::handle offsets, int type, int offset_type) {
    const Buffer bx(x, false), by(y, true), bo(offsets, false);
    check_item(bx, dtype_of(type));
    check_item(by, dtype_of(type));
    check_item(bo, dtype_of(offset_type));
    const Layout layout = lay_out(plan, {{&bx, true}, {&by, false}, {&bo, false}});
    const int threads = threads_for(work_of(plan, bx));
    run_stoppable([&](Control& control) {
        pick(plan.geometry, layout, dtype_of(type), dtype_of(offset_type), threads, control);
    });
}

// Returns None, or the first index found that names no cell; then nothing has been written.
std::optional<int64_t> unpool_into(nb::handle y, nb::handle indices, nb::handle out, int type,
                                   const std::vector<size_t>& axes, int threads) {
    const Buffer by(y, false), bi(indices, false), bo(out, true);
    const size_t ndim = by.ndim(), rank = axes.size();
    check_item(by, dtype_of(type));
    check_item(bo, dtype_of(type));
    if (bi.item() != 8 || bi.ndim() != ndim || bo.ndim() != ndim || rank < 1 || rank > kMostPooled)
        throw std::invalid_argument("arrays of a call differ in dimensions");
    Layout layout;
    UnpoolShape shape;
    const Buffer* buffers[] = {&by, &bi, &bo};
    size_t next = kMostPooled - rank;
    for (size_t axis = 0; axis < ndim; ++axis) {
        if (by.shape(axis) != bi.shape(axis)) throw std::invalid_argument("values and indices differ in shape");
        const bool pooled = std::find(axes.begin(), axes.end(), axis) != axes.end();
        Loop loop;
        for (size_t a = 0; a < 3; ++a)
            (pooled ? layout.array[a].stride[next] : loop.stride[a]) = buffers[a]->stride(axis);
        if (pooled) {
            shape.in[next] = by.shape(axis);
            shape.out[next++] = bo.shape(axis);
        } else {
            if (bo.shape(axis) != by.shape(axis)) throw std::invalid_argument("arrays of a call differ in shape");
            loop.extent = by.shape(axis);
            layout.outer.push_back(loop);
        }
    }
    for (size_t a = 0; a < 3; ++a) layout.array[a].data = buffers[a]->data();
    IndexCheck check;
    run_stoppable(
        [&](Control& control) { check = unpool(layout, shape, dtype_of(type), std::max(1, threads), control); });
    if (check.ok) return std::nullopt;
    return check.bad;
}

// The same call n times, without Python in between: what the way in is measured against. Seconds per call.
double loop_forward(const Plan& plan, const Settings& settings, nb::handle x, nb::handle y, int64_t n) {
    const Buffer bx(x, false), by(y, true);
    const ForwardCall call = settings.call(work_of(plan, bx), false);
    check_item(bx, call.params.in);
    check_item(by, call.params.out);
    const Layout layout = lay_out(plan, {{&bx, true}, {&by, false}});
    const auto start = std::chrono::steady_clock::now();
    run_stoppable([&](Control& control) {
        for (int64_t i = 0; i < n; ++i) run_forward(call, plan.geometry, layout, control);
    });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
           static_cast<double>(std::max<int64_t>(1, n));
}

}  // namespace

void bind_calls(nb::module_& m) {
    nb::class_<Plan>(m, "Plan")
        .def(nb::init<const std::vector<size_t>&, nb::list>(), nb::arg("axes"), nb::arg("tables"))
        .def_prop_ro("box", &Plan::box);
    nb::class_<Settings>(m, "Settings")
        .def("__init__",
             [](Settings* self, int reducer, int in, int out, double p, int divisor, double number,
                int64_t whole_number) { new (self) Settings{reducer, in, out, p, divisor, number, whole_number}; },
             nb::arg("reducer"), nb::arg("dtype"), nb::arg("result"), nb::arg("p"), nb::arg("divisor"),
             nb::arg("number"), nb::arg("whole_number"));
    m.def("set_thread_source", [](nb::object source) { thread_source = new nb::object(std::move(source)); },
          nb::arg("source"));
    m.def("forward", &forward, nb::arg("plan"), nb::arg("settings"), nb::arg("x"), nb::arg("y"), nb::arg("fresh"));
    m.def("positions", &positions, nb::arg("plan"), nb::arg("settings"), nb::arg("x"), nb::arg("y").none(),
          nb::arg("found"), nb::arg("position_type"), nb::arg("indices"), nb::arg("fresh"));
    m.def("gradient", &gradient, nb::arg("plan"), nb::arg("settings"), nb::arg("dx"), nb::arg("g"), nb::arg("g_type"),
          nb::arg("other").none(), nb::arg("other_type"), nb::arg("x").none(), nb::arg("fresh"));
    m.def("pick", &picked, nb::arg("plan"), nb::arg("x"), nb::arg("y"), nb::arg("offsets"), nb::arg("type"),
          nb::arg("offset_type"));
    m.def("unpool_into", &unpool_into, nb::arg("y"), nb::arg("indices"), nb::arg("out"), nb::arg("type"),
          nb::arg("axes"), nb::arg("threads"));
    m.def("loop_forward", &loop_forward, nb::arg("plan"), nb::arg("settings"), nb::arg("x"), nb::arg("y"),
          nb::arg("n"));
}

}  // namespace cenote
