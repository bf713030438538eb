#include "bindings/door.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "bindings/bind.hpp"
#include "bindings/results.hpp"
#include "bindings/stoppable.hpp"

namespace cenote {

bool Words::object(nb::handle value, const std::vector<nb::object>& constants, int depth) {
    enum Tag : int64_t { none, no, yes, whole, real, text, several, constant };
    PyObject* o = value.ptr();
    if (o == Py_None) return number(none);
    if (o == Py_False) return number(no);
    if (o == Py_True) return number(yes);
    if (PyLong_CheckExact(o)) {
        int overflow = 0;
        const int64_t n = PyLong_AsLongLongAndOverflow(o, &overflow);
        return overflow == 0 && number(whole) && number(n);
    }
    if (PyFloat_CheckExact(o)) return number(real) && number(std::bit_cast<int64_t>(PyFloat_AsDouble(o)));
    if (PyUnicode_CheckExact(o)) {
        Py_ssize_t length = 0;
        const char* bytes = PyUnicode_AsUTF8AndSize(o, &length);
        if (bytes == nullptr) PyErr_Clear();  // a lone surrogate
        if (bytes == nullptr || length > 16) return false;
        int64_t both[2] = {0, 0};
        std::memcpy(both, bytes, static_cast<size_t>(length));
        return number(text) && number(length) && number(both[0]) && number(both[1]);
    }
    if (PyTuple_CheckExact(o)) {
        const Py_ssize_t n = PyTuple_Size(o);
        if (depth == 2 || n > 8 || !number(several) || !number(n)) return false;
        for (Py_ssize_t i = 0; i < n; ++i)
            if (!object(PyTuple_GetItem(o, i), constants, depth + 1)) return false;
        return true;
    }
    for (const nb::object& known : constants)
        if (known.ptr() == o) return number(constant) && number(reinterpret_cast<int64_t>(o));
    return false;
}

uint64_t Words::hash() const {
    uint64_t h = size_;
    for (size_t i = 0; i < size_; ++i) {
        h = (h ^ static_cast<uint64_t>(word_[i])) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    return h;
}

bool Words::operator==(const Words& other) const {
    return size_ == other.size_ && std::equal(word_.begin(), word_.begin() + size_, other.word_.begin());
}

Words& Words::operator=(const Words& other) {
    std::copy(other.word_.begin(), other.word_.begin() + other.size_, word_.begin());
    size_ = other.size_;
    return *this;
}

std::shared_ptr<const Ready> Memo::find(const Words& words) {
    auto& set = entries_[words.hash() % kSets];
    const std::lock_guard lock(mutex_);
    for (Entry& entry : set)
        if (entry.ready && entry.words == words) {
            entry.used = ++clock_;
            return entry.ready;
        }
    return nullptr;
}

void Memo::keep(const Words& words, std::shared_ptr<const Ready> ready) {
    // What is let go holds Python objects: it dies after the lock is free again.
    std::vector<std::shared_ptr<const Ready>> gone;
    auto& set = entries_[words.hash() % kSets];
    const std::lock_guard lock(mutex_);
    const auto drop = [&](Entry& entry) {
        weight_ -= entry.ready->weight;
        gone.push_back(std::move(entry.ready));
        entry.ready = nullptr;
        entry.used = 0;
    };
    Entry* place = &set[0];
    for (Entry& entry : set) {
        if (entry.ready && entry.words == words) {
            place = &entry;
            break;
        }
        if (entry.used < place->used) place = &entry;
    }
    if (place->ready) drop(*place);
    while (weight_ > 0 && weight_ + ready->weight > kMostOutputs) {
        Entry* oldest = nullptr;
        for (auto& some : entries_)
            for (Entry& entry : some)
                if (entry.ready && (oldest == nullptr || entry.used < oldest->used)) oldest = &entry;
        drop(*oldest);
    }
    weight_ += ready->weight;
    place->words = words;
    place->used = ++clock_;
    place->ready = std::move(ready);
}

void Memo::clear() {
    std::vector<std::shared_ptr<const Ready>> gone;
    const std::lock_guard lock(mutex_);
    for (auto& set : entries_)
        for (Entry& entry : set) {
            if (entry.ready) gone.push_back(std::move(entry.ready));
            entry.ready = nullptr;
            entry.used = 0;
        }
    weight_ = 0;
}

namespace {

Memo& memo() {
    static Memo* const calls = new Memo;  // never destroyed: it holds Python objects
    return *calls;
}

std::atomic<int64_t> hits{0};

nb::object attribute(PyObject* object, const nb::object& name) {
    PyObject* found = PyObject_GetAttr(object, name.ptr());
    if (found == nullptr) throw nb::python_error();
    return nb::steal(found);
}

bool is_plain(PyObject* x) { return reinterpret_cast<PyObject*>(Py_TYPE(x)) == numpy().ndarray.ptr(); }

// Where a result goes: its memory and, per axis that the caller sees, its strides.
class Target {
public:
    // Results are written without a further look where nothing can go wrong; other cases are Python's to judge.
    bool take(PyObject* out, const nb::object& type, const std::vector<int64_t>& shape, const Buffer& x) {
        if (!is_plain(out) || attribute(out, numpy().dtype_word).ptr() != type.ptr()) return false;
        array_ = nb::borrow(out);
        buffer_.emplace(out, false);
        const Buffer& b = *buffer_;
        if (b.readonly() || b.ndim() != shape.size()) return false;
        for (size_t i = 0; i < shape.size(); ++i)
            if (b.shape(i) != shape[i]) return false;
        return !b.may_overlap_itself() && !b.may_overlap(x);
    }

    void make(const nb::object& type, const Ready& ready, int64_t item) {
        NewArray made = new_array(ready.result_shape, type, ready.cells * static_cast<size_t>(item));
        array_ = std::move(made.array);
        fresh_ = made.fresh;
        buffer_.emplace(array_, true);
    }

    const Buffer& buffer() const { return *buffer_; }
    bool fresh() const { return fresh_; }
    nb::object array() { return array_; }

private:
    nb::object array_;
    std::optional<Buffer> buffer_;
    bool fresh_ = false;
};

Layout lay_out_ready(const Ready& ready, const Buffer& x, const Target* targets, size_t count) {
    Layout layout;
    layout.array[0].data = x.data();
    for (size_t a = 0; a < count; ++a) layout.array[a + 1].data = targets[a].buffer().data();
    size_t seen = 0;  // axes of the result
    for (size_t axis = 0; axis < ready.pooled.size(); ++axis) {
        Loop loop;
        loop.extent = x.shape(axis);
        loop.stride[0] = x.stride(axis);
        if (!ready.dropped[axis]) {
            for (size_t a = 0; a < count; ++a) loop.stride[a + 1] = targets[a].buffer().stride(seen);
            ++seen;
        }
        if (ready.pooled[axis] < 0) {
            if (loop.extent != 1) layout.outer.push_back(loop);
            continue;
        }
        for (size_t a = 0; a <= count; ++a)
            layout.array[a].stride[static_cast<size_t>(ready.pooled[axis])] = loop.stride[a];
    }
    return layout;
}

// One public function's way in. `words` are its arguments after x and out, in a fixed order; `own` is the dictionary of
// those that only its operator has.
class Door {
public:
    explicit Door(nb::tuple constants) : id_(next_++) {
        for (nb::handle constant : constants) constants_.push_back(nb::borrow(constant));
    }

    bool read(Words& words, PyObject* dtype, PyObject* own, PyObject* const* rest, Py_ssize_t n) const {
        bool ok = words.number(id_) && words.number(reinterpret_cast<int64_t>(dtype)) && words.number(PyDict_Size(own));
        Py_ssize_t at = 0;
        PyObject *name = nullptr, *value = nullptr;
        while (ok && PyDict_Next(own, &at, &name, &value))
            ok = words.object(name, constants_) && words.object(value, constants_);
        for (Py_ssize_t i = 0; ok && i < n; ++i) ok = words.object(rest[i], constants_);
        return ok;
    }

    // `spelled` says whether these words could be remembered at all.
    std::shared_ptr<const Ready> find(const Buffer& x, PyObject* dtype, PyObject* own, PyObject* const* rest,
                                      Py_ssize_t n, bool& spelled) const {
        Words words;
        bool ok = words.number(static_cast<int64_t>(x.ndim()));
        for (size_t i = 0; ok && i < x.ndim(); ++i) ok = words.number(x.shape(i));
        spelled = ok && read(words, dtype, own, rest, n);
        return spelled ? memo().find(words) : nullptr;
    }

    void keep(nb::tuple shape, nb::object dtype, nb::dict own, nb::tuple rest, nb::object plan,
              const Settings& settings, nb::tuple result_shape, nb::object result_type, nb::object index_type,
              bool drop, bool select, nb::object payload) {
        Words words;
        bool ok = words.number(static_cast<int64_t>(nb::len(shape)));
        for (nb::handle n : shape) ok = ok && words.number(nb::cast<int64_t>(n));
        std::vector<PyObject*> words_left;
        for (nb::handle word : rest) words_left.push_back(word.ptr());
        if (!ok || !read(words, dtype.ptr(), own.ptr(), words_left.data(), static_cast<Py_ssize_t>(words_left.size())))
            return;
        auto ready = std::make_shared<Ready>();
        ready->geometry = &nb::cast<const Plan&>(plan);
        ready->call = settings.call(0, false);
        ready->select = select;
        int64_t others = 1;
        for (size_t axis = 0; axis < nb::len(shape); ++axis) {
            const std::optional<size_t> pooled = ready->geometry->pooled(axis);
            ready->pooled.push_back(pooled ? static_cast<int>(*pooled) : -1);
            ready->dropped.push_back(drop && pooled);
            // An empty axis makes no work; a product beyond 2^63 is capped where taps are counted.
            if (!pooled) others = nb::cast<int64_t>(shape[axis]) * others;
        }
        for (nb::handle n : result_shape) {
            ready->shape.push_back(nb::cast<int64_t>(n));
            ready->cells *= static_cast<size_t>(ready->shape.back());
        }
        for (const AxisTable& axis : ready->geometry->geometry.axis) ready->weight += axis.out();
        if (ready->weight > Memo::kMostOutputs) return;
        ready->work = taps_in_all(ready->geometry->geometry, others, 1);
        ready->plan = std::move(plan);
        ready->dtype = std::move(dtype);
        ready->result_shape = std::move(result_shape);
        ready->result_type = std::move(result_type);
        ready->index_type = std::move(index_type);
        ready->payload = std::move(payload);
        memo().keep(words, std::move(ready));
    }

private:
    static inline std::atomic<int64_t> next_{0};
    int64_t id_;
    std::vector<nb::object> constants_;
};

// Everything about one call before it runs; empty when it is not one of those that are remembered.
struct Prepared {
    std::shared_ptr<const Ready> ready;
    std::optional<Buffer> x;
    Target target[2];
    ForwardCall call;
    Layout layout;

    bool prepare(const Door& door, PyObject* const* args, Py_ssize_t n) {
        if (!is_plain(args[0]) || !PyDict_CheckExact(args[2])) return false;
        const nb::object dtype = attribute(args[0], numpy().dtype_word);
        x.emplace(args[0], false);
        bool spelled = false;
        ready = door.find(*x, dtype.ptr(), args[2], args + 3, n - 3, spelled);
        if (!ready) return false;
        call = ready->call;
        const size_t results = ready->select ? 2 : 1;
        const nb::object* const types[] = {&ready->result_type, &ready->index_type};
        PyObject* out = args[1];
        if (out == Py_None) {
            target[0].make(*types[0], *ready, item_size(call.params.out));
            if (ready->select) target[1].make(*types[1], *ready, 8);
        } else if (!ready->select) {
            if (!target[0].take(out, *types[0], ready->shape, *x)) return false;
        } else {
            if (!PyTuple_CheckExact(out) || PyTuple_Size(out) != 2) return false;
            for (size_t i = 0; i < 2; ++i)
                if (!target[i].take(PyTuple_GetItem(out, static_cast<Py_ssize_t>(i)), *types[i], ready->shape, *x))
                    return false;
            if (target[0].buffer().may_overlap(target[1].buffer())) return false;
        }
        call.fresh = target[0].fresh() || target[1].fresh();
        layout = lay_out_ready(*ready, *x, target, results);
        return true;
    }

    void run() {
        call.threads = threads_for(ready->work);
        run_stoppable(ready->work, call.threads, [&](Control& control) {
            const Geometry& geometry = ready->geometry->geometry;
            if (ready->select)
                run_select(call, geometry, layout, DType::i64, Position::indices, control);
            else
                run_forward(call, geometry, layout, control);
        });
    }
};

PyObject* declined() {
    Py_INCREF(Py_NotImplemented);
    return Py_NotImplemented;
}

// (x, out, own, word, ...) -> result, or NotImplemented: then nothing has happened that matters, and the long way says
// what the call means or what is wrong with it.
PyObject* enter(PyObject* self, PyObject* const* args, Py_ssize_t n) noexcept {
    if (n < 3) return declined();
    Prepared prepared;
    try {
        if (!prepared.prepare(*nb::inst_ptr<Door>(nb::handle(self)), args, n)) return declined();
    } catch (...) {  // memory, an odd buffer: the long way meets them too, and has the words for it
        return declined();
    }
    try {
        prepared.run();
    } catch (nb::python_error& raised) {  // by a signal handler, in here or while Python counted threads
        raised.restore();
        return nullptr;
    } catch (...) {
        return declined();
    }
    hits.fetch_add(1, std::memory_order_relaxed);
    if (!prepared.ready->select) return prepared.target[0].array().release().ptr();
    return PyTuple_Pack(2, prepared.target[0].array().ptr(), prepared.target[1].array().ptr());
}

// (x, own, word, ...) -> what was kept beside the plan; None for a call that is new, NotImplemented for one that can not
// be remembered.
PyObject* recall(PyObject* self, PyObject* const* args, Py_ssize_t n) noexcept {
    try {
        if (n >= 2 && is_plain(args[0]) && PyDict_CheckExact(args[1])) {
            const nb::object dtype = attribute(args[0], numpy().dtype_word);
            const Buffer x(args[0], false);
            const Door& door = *nb::inst_ptr<Door>(nb::handle(self));
            bool spelled = false;
            if (const auto ready = door.find(x, dtype.ptr(), args[1], args + 2, n - 2, spelled))
                return nb::object(ready->payload).release().ptr();
            if (spelled) return nb::none().release().ptr();
        }
    } catch (...) {}
    return declined();
}

// Plain built-in functions: nanobind's own calls of many arguments cost several times as much.
PyMethodDef enter_def = {"enter", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(enter)), METH_FASTCALL,
                         nullptr};
PyMethodDef recall_def = {"recall", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(recall)), METH_FASTCALL,
                          nullptr};

nb::object bound(PyMethodDef* def, nb::handle self) {
    PyObject* function = PyCFunction_NewEx(def, self.ptr(), nullptr);
    if (function == nullptr) throw nb::python_error();
    return nb::steal(function);
}

}  // namespace

void bind_door(nb::module_& m) {
    nb::class_<Door>(m, "Door")
        .def(nb::init<nb::tuple>(), nb::arg("constants"))
        .def_prop_ro("enter", [](nb::handle_t<Door> self) { return bound(&enter_def, self); })
        .def_prop_ro("recall", [](nb::handle_t<Door> self) { return bound(&recall_def, self); })
        .def("keep", &Door::keep, nb::arg("shape"), nb::arg("dtype"), nb::arg("own"), nb::arg("rest"), nb::arg("plan"),
             nb::arg("settings"), nb::arg("result_shape"), nb::arg("result_type"), nb::arg("index_type"),
             nb::arg("drop"), nb::arg("select"), nb::arg("payload"));
    m.def("forget_calls", [] { memo().clear(); });
    // For tests: how many calls took the short way.
    m.def("short_ways", [] { return hits.load(); });
}

}  // namespace cenote
