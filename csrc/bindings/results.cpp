#include "bindings/results.hpp"

#include <dlfcn.h>
#include <nanobind/stl/pair.h>

#include <cstdint>
#include <utility>

#include "bindings/bind.hpp"

namespace cenote {
namespace {

int memory_buffer(PyObject* self, Py_buffer* view, int flags) {
    Memory* memory = nb::inst_ptr<Memory>(nb::handle(self));
    return PyBuffer_FillInfo(view, self, memory->data(), static_cast<Py_ssize_t>(memory->bytes()), 0, flags);
}

NumPy* found = nullptr;  // never freed: arrays are made as long as Python runs

PyObject* call(nb::handle function, std::initializer_list<PyObject*> arguments) {
    return PyObject_Vectorcall(function.ptr(), arguments.begin(), arguments.size(), nullptr);
}

nb::object made(PyObject* array) {
    if (array == nullptr) throw nb::python_error();
    return nb::steal(array);
}

// Python's tracemalloc hears of this memory as of any other array's. The functions are public but not of the stable ABI:
// where they are not found, it does not.
constexpr unsigned kTraceDomain = 0xCE407E;
int (*trace)(unsigned, uintptr_t, size_t) = nullptr;
int (*untrace)(unsigned, uintptr_t) = nullptr;

void find_tracing() {
    trace = reinterpret_cast<decltype(trace)>(dlsym(RTLD_DEFAULT, "PyTraceMalloc_Track"));
    untrace = reinterpret_cast<decltype(untrace)>(dlsym(RTLD_DEFAULT, "PyTraceMalloc_Untrack"));
}

}  // namespace

Memory::Memory(size_t bytes) : piece_(ResultCache::instance().take(bytes)), bytes_(bytes) {
    if (trace != nullptr) trace(kTraceDomain, reinterpret_cast<uintptr_t>(piece_.data), bytes_);
}

Memory::~Memory() {
    if (untrace != nullptr) untrace(kTraceDomain, reinterpret_cast<uintptr_t>(piece_.data));
    ResultCache::instance().give(piece_);
}

const NumPy& numpy() { return *found; }

NewArray new_array(nb::handle shape, nb::handle dtype, size_t bytes) {
    if (bytes < kLeastKept) return {made(call(numpy().empty, {shape.ptr(), dtype.ptr()})), false};
    if (ResultCache::instance().limit() == 0) {
        PyObject* array = call(numpy().empty, {shape.ptr(), dtype.ptr()});
        return {made(array), true};
    }
    nb::object memory = nb::cast(new Memory(bytes), nb::rv_policy::take_ownership);
    const bool fresh = nb::inst_ptr<Memory>(memory)->fresh();
    return {made(call(numpy().ndarray, {shape.ptr(), dtype.ptr(), memory.ptr()})), fresh};
}

void bind_results(nb::module_& m) {
    find_tracing();
    const nb::module_ module = nb::module_::import_("numpy");
    found = new NumPy{module.attr("ndarray"), module.attr("empty"),
                      nb::steal<nb::object>(PyUnicode_InternFromString("dtype"))};

    static PyType_Slot slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(memory_buffer)}, {0, nullptr}};
    nb::class_<Memory>(m, "Memory", nb::type_slots(slots),
                       "The memory of a large result, kept for another when it dies.");
    m.def("new_array", [](nb::handle shape, nb::handle dtype, size_t bytes) {
        NewArray made = new_array(shape, dtype, bytes);
        return std::pair{std::move(made.array), made.fresh};
    }, nb::arg("shape"), nb::arg("dtype"), nb::arg("bytes"));
    m.def("empty_cache", [] { return ResultCache::instance().empty(); });
    m.def("set_cache_limit", [](size_t bytes) { ResultCache::instance().set_limit(bytes); }, nb::arg("bytes"));
    m.def("cache_limit", [] { return ResultCache::instance().limit(); });
    m.def("cache_held", [] { return ResultCache::instance().held(); });
    m.attr("least_kept") = kLeastKept;
}

}  // namespace cenote
