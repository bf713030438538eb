// The Python module: buffers and tables in, a run of a kernel, an exception out. The only file that knows Python.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "calls.hpp"
#include "engines/unpool.hpp"
#include "simd/targets.hpp"

namespace nb = nanobind;
using namespace cenote;

namespace {

// A borrowed view of an array's memory, held for the length of a call. Only address, shape and strides are read:
// element types arrive as codes, because not every NumPy dtype has a buffer format.
class Buffer {
public:
    Buffer(nb::handle object, bool writable) {
        const int flags = PyBUF_STRIDES | (writable ? PyBUF_WRITABLE : 0);
        if (PyObject_GetBuffer(object.ptr(), &view_, flags) != 0) throw nb::python_error();
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { PyBuffer_Release(&view_); }

    char* data() const { return static_cast<char*>(view_.buf); }
    size_t ndim() const { return static_cast<size_t>(view_.ndim); }
    int64_t shape(size_t i) const { return view_.shape[i]; }
    int64_t stride(size_t i) const { return view_.strides[i]; }
    int64_t item() const { return view_.itemsize; }

private:
    Py_buffer view_{};
};

std::vector<int64_t> table(nb::handle object) {
    const Buffer buffer(object, false);
    if (buffer.ndim() != 1 || buffer.item() != 8) throw std::invalid_argument("axis tables are one-dimensional int64");
    std::vector<int64_t> values(static_cast<size_t>(buffer.shape(0)));
    for (size_t i = 0; i < values.size(); ++i)
        values[i] = peek<int64_t>(buffer.data() + static_cast<int64_t>(i) * buffer.stride(0));
    return values;
}

// The geometry of a call: one table per pooled axis and which array axes they are. Made once, used from any thread.
struct Plan {
    Geometry geometry;
    std::vector<size_t> axes;

    // axes ascending; tables: (length, start, count, step, padded, window, skipped) per axis
    Plan(const std::vector<size_t>& pooled, nb::list tables) : axes(pooled) {
        const size_t rank = axes.size();
        if (rank < 1 || rank > kMostPooled || nb::len(tables) != rank)
            throw std::invalid_argument("a plan has one to three axes and a table for each");
        for (size_t i = 0; i < rank; ++i) {
            if (i > 0 && axes[i] <= axes[i - 1]) throw std::invalid_argument("axes are ascending");
            AxisTable& axis = geometry.axis[kMostPooled - rank + i];
            nb::tuple row = nb::cast<nb::tuple>(tables[i]);
            if (nb::len(row) != 7) throw std::invalid_argument("an axis has a length and six tables");
            axis.in = nb::cast<int64_t>(row[0]);
            axis.start = table(row[1]);
            axis.count = table(row[2]);
            axis.step = table(row[3]);
            axis.padded = table(row[4]);
            axis.window = table(row[5]);
            axis.skipped = table(row[6]);
        }
        for (AxisTable& axis : geometry.axis) axis.check_and_prepare();
    }

    uint64_t box() const { return geometry.box(); }

    std::optional<size_t> pooled(size_t axis) const {
        for (size_t i = 0; i < axes.size(); ++i)
            if (axes[i] == axis) return kMostPooled - axes.size() + i;
        return std::nullopt;
    }
};

// One array of a call: its memory, and whether its pooled axes have the input's or the output's lengths.
struct Operand {
    const Buffer* buffer;
    bool is_input;
};

Layout lay_out(const Plan& plan, const std::vector<Operand>& operands) {
    Layout layout;
    const size_t ndim = operands[0].buffer->ndim();
    for (size_t axis = 0; axis < ndim; ++axis) {
        const std::optional<size_t> pooled = plan.pooled(axis);
        Loop loop;
        for (size_t a = 0; a < operands.size(); ++a) {
            const Buffer* b = operands[a].buffer;
            if (b == nullptr) continue;
            if (b->ndim() != ndim) throw std::invalid_argument("arrays of a call differ in dimensions");
            if (pooled) {
                const AxisTable& t = plan.geometry.axis[*pooled];
                if (b->shape(axis) != (operands[a].is_input ? t.in : t.out()))
                    throw std::invalid_argument("an array does not fit the plan");
                layout.array[a].stride[*pooled] = b->stride(axis);
            } else {
                if (b->shape(axis) != operands[0].buffer->shape(axis))
                    throw std::invalid_argument("arrays of a call differ in shape");
                loop.stride[a] = b->stride(axis);
            }
        }
        if (!pooled) {
            loop.extent = operands[0].buffer->shape(axis);
            layout.outer.push_back(loop);
        }
    }
    if (plan.axes.back() >= ndim) throw std::invalid_argument("the plan pools an axis that the array lacks");
    for (size_t a = 0; a < operands.size(); ++a)
        if (operands[a].buffer != nullptr) layout.array[a].data = operands[a].buffer->data();
    return layout;
}

// Takes the GIL back. While the interpreter shuts down, Python before 3.14 ends a (daemon) thread that asks for it by
// unwinding its stack, which no C++ frame above survives. Such a thread is parked instead, as Python does from 3.14.
void take_back(PyThreadState* state) {
    try {
        PyEval_RestoreThread(state);
    } catch (...) {
        for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

// Runs work without the GIL; now and then takes it back to let signal handlers run. Their exception ends the call.
template <class Work>
void run_stoppable(const Work& work) {
    std::optional<nb::python_error> raised;
    std::exception_ptr failure;
    PyThreadState* state = PyEval_SaveThread();
    Control control([&] {
        take_back(state);
        const bool stop = PyErr_CheckSignals() != 0;
        if (stop) raised.emplace();
        state = PyEval_SaveThread();
        return stop;
    });
    try {
        work(control);
    } catch (const Stopped&) {
    } catch (...) {
        failure = std::current_exception();
    }
    take_back(state);
    if (raised) throw nb::python_error(std::move(*raised));
    if (failure) std::rethrow_exception(failure);
}

DType dtype_of(int code) {
    if (code < 0 || code >= kDTypes) throw std::invalid_argument("unknown dtype code");
    return static_cast<DType>(code);
}

void check_item(const Buffer& buffer, DType type) {
    if (buffer.item() != item_size(type)) throw std::invalid_argument("an array's item size does not fit its dtype");
}

// What of a call does not depend on its arrays.
struct Settings {
    int reducer, in, out;
    double p;
    int divisor;
    double number;
    int64_t whole_number;
    int threads;

    ForwardCall call() const {
        if (reducer < 0 || reducer >= kReducers) throw std::invalid_argument("unknown reducer");
        if (divisor < 0 || divisor > static_cast<int>(Divisor::number)) throw std::invalid_argument("unknown divisor");
        Params params;
        params.in = dtype_of(in);
        params.out = dtype_of(out);
        params.p = p;
        params.number = number;
        params.whole_number = whole_number;
        return {static_cast<Reducer>(reducer), params, static_cast<Divisor>(divisor), std::max(1, threads)};
    }
};

void forward(const Plan& plan, const Settings& settings, nb::handle x, nb::handle y) {
    const ForwardCall call = settings.call();
    const Buffer bx(x, false), by(y, true);
    check_item(bx, call.params.in);
    check_item(by, call.params.out);
    const Layout layout = lay_out(plan, {{&bx, true}, {&by, false}});
    run_stoppable([&](Control& control) { run_forward(call, plan.geometry, layout, control); });
}

void positions(const Plan& plan, const Settings& settings, nb::handle x, nb::handle y, nb::handle found,
               int position_type, bool indices) {
    const ForwardCall call = settings.call();
    const Buffer bx(x, false), bo(found, true);
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
              int other_type, nb::handle x) {
    const ForwardCall call = settings.call();
    const Buffer bdx(dx, true), bg(g, false);
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
    nb::class_<Plan>(m, "Plan")
        .def(nb::init<const std::vector<size_t>&, nb::list>(), nb::arg("axes"), nb::arg("tables"))
        .def_prop_ro("box", &Plan::box);
    nb::class_<Settings>(m, "Settings")
        .def(
            "__init__",
            [](Settings* self, int reducer, int in, int out, double p, int divisor, double number, int64_t whole_number,
               int threads) { new (self) Settings{reducer, in, out, p, divisor, number, whole_number, threads}; },
            nb::arg("reducer"), nb::arg("dtype"), nb::arg("result"), nb::arg("p"), nb::arg("divisor"),
            nb::arg("number"), nb::arg("whole_number"), nb::arg("threads"));
    m.def("forward", &forward, nb::arg("plan"), nb::arg("settings"), nb::arg("x"), nb::arg("y"));
    m.def("positions", &positions, nb::arg("plan"), nb::arg("settings"), nb::arg("x"), nb::arg("y").none(),
          nb::arg("found"), nb::arg("position_type"), nb::arg("indices"));
    m.def("gradient", &gradient, nb::arg("plan"), nb::arg("settings"), nb::arg("dx"), nb::arg("g"), nb::arg("g_type"),
          nb::arg("other").none(), nb::arg("other_type"), nb::arg("x").none());
    m.def("unpool_into", &unpool_into, nb::arg("y"), nb::arg("indices"), nb::arg("out"), nb::arg("type"),
          nb::arg("axes"), nb::arg("threads"));
    m.def("compiler", &compiler);
    m.def("targets", [](bool usable) {
        std::vector<std::string> names;
        for (const Target& t : targets())
            if (!usable || t.usable()) names.emplace_back(t.name);
        return names;
    }, nb::arg("usable"));
    m.def("use_target", &choose_target, nb::arg("name"));
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
