// One call as the maps that automatic differentiation is made of, for callers that hold plain arrays of the right dtype
// and count microseconds: no words to read, results made here.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>

#include "bindings/bind.hpp"
#include "bindings/buffers.hpp"
#include "bindings/plan.hpp"
#include "bindings/results.hpp"
#include "bindings/stoppable.hpp"
#include "engines/pick.hpp"

namespace cenote {
namespace {

DType offset_type_of(const Buffer& offsets) {
    switch (offsets.item()) {
        case 1: return DType::u8;
        case 2: return DType::u16;
        case 4: return DType::u32;
        case 8: return DType::u64;
        default: throw std::invalid_argument("offsets are unsigned numbers of 1, 2, 4 or 8 bytes");
    }
}

// The shape and dtype of an array that a map makes.
struct Made {
    nb::tuple shape;
    nb::object dtype;
    size_t bytes;

    nb::object array() const { return new_array(shape, dtype, bytes).array; }
};

class Maps {
public:
    Maps(nb::object plan, const Settings& settings, nb::tuple in_shape, nb::tuple out_shape, nb::object in_type,
         nb::object out_type, nb::object offset_type)
        : plan_(std::move(plan)), geometry_(&nb::cast<const Plan&>(plan_)), call_(settings.call(0, false)) {
        const auto made = [](const nb::tuple& shape, nb::object dtype) {
            size_t bytes = nb::cast<size_t>(dtype.attr("itemsize"));
            for (nb::handle n : shape) bytes *= nb::cast<size_t>(n);
            return Made{shape, std::move(dtype), bytes};
        };
        x_ = made(in_shape, in_type);
        y_ = made(out_shape, std::move(out_type));
        picked_ = made(out_shape, std::move(in_type));
        offsets_ = made(out_shape, std::move(offset_type));
        int64_t others = 1;
        for (size_t axis = 0; axis < nb::len(in_shape); ++axis)
            if (!geometry_->pooled(axis)) others = std::min<int64_t>(others * nb::cast<int64_t>(in_shape[axis]), kMost);
        work_ = taps_in_all(geometry_->geometry, others, 1);
    }

    nb::object pool(nb::handle x) const {
        const Buffer bx(x, false);
        check_item(bx, call_.params.in);
        nb::object y = y_.array();
        const Buffer by(y, true);
        const Layout layout = lay_out(*geometry_, {{&bx, true}, {&by, false}});
        run([&](const ForwardCall& call, const Geometry& g, Control& c) { run_forward(call, g, layout, c); });
        return y;
    }

    nb::tuple select(nb::handle x) const {
        const Buffer bx(x, false);
        check_item(bx, call_.params.in);
        nb::object y = picked_.array(), offsets = offsets_.array();
        const Buffer by(y, true), bo(offsets, true);
        const DType type = offset_type_of(bo);
        const Layout layout = lay_out(*geometry_, {{&bx, true}, {&by, false}, {&bo, false}});
        run([&](const ForwardCall& call, const Geometry& g, Control& c) {
            run_select(call, g, layout, type, Position::offsets, c);
        });
        return nb::make_tuple(y, offsets);
    }

    nb::object down(nb::handle x, nb::handle offsets) const {
        const Buffer bx(x, false), bo(offsets, false);
        check_item(bx, call_.params.in);
        const DType type = offset_type_of(bo);
        nb::object y = picked_.array();
        const Buffer by(y, true);
        const Layout layout = lay_out(*geometry_, {{&bx, true}, {&by, false}, {&bo, false}});
        run([&](const ForwardCall& call, const Geometry& g, Control& c) {
            pick(g, layout, call.params.in, type, call.threads, c);
        });
        return y;
    }

    nb::object up(nb::handle g_array, nb::handle offsets) const {
        const Buffer bg(g_array, false);
        check_item(bg, call_.params.out);
        std::optional<Buffer> bo;
        if (!offsets.is_none()) bo.emplace(offsets, false);
        if (kind_of(call_.reducer) == Kind::norm || (kind_of(call_.reducer) == Kind::winner) != bo.has_value())
            throw std::invalid_argument("this gradient needs something else");
        const DType type = bo ? offset_type_of(*bo) : DType::u8;
        nb::object dx = x_.array();
        const Buffer bx(dx, true);
        const Layout layout = lay_out(*geometry_, {{&bx, true}, {&bg, false}, {bo ? &*bo : nullptr, false}});
        run([&](const ForwardCall& call, const Geometry& g, Control& c) {
            run_backward(call, g, layout, call.params.out, type, c);
        });
        return dx;
    }

private:
    static constexpr int64_t kMost = int64_t{1} << 40;

    template <class Work>
    void run(const Work& work) const {
        ForwardCall call = call_;
        call.threads = threads_for(work_);
        run_stoppable(work_, call.threads, [&](Control& control) { work(call, geometry_->geometry, control); });
    }

    nb::object plan_;
    const Plan* geometry_;
    ForwardCall call_;
    Made x_, y_, picked_, offsets_;
    int64_t work_ = 0;
};

}  // namespace

void bind_maps(nb::module_& m) {
    nb::class_<Maps>(m, "Maps")
        .def(nb::init<nb::object, const Settings&, nb::tuple, nb::tuple, nb::object, nb::object, nb::object>(),
             nb::arg("plan"), nb::arg("settings"), nb::arg("shape"), nb::arg("result_shape"), nb::arg("dtype"),
             nb::arg("result_type"), nb::arg("offset_type"))
        .def("pool", &Maps::pool, nb::arg("x"))
        .def("select", &Maps::select, nb::arg("x"))
        .def("down", &Maps::down, nb::arg("x"), nb::arg("offsets"))
        .def("up", &Maps::up, nb::arg("g"), nb::arg("offsets").none());
}

}  // namespace cenote
