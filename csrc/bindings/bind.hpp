// What each file of the bindings puts into the module.
#pragma once

#include <nanobind/nanobind.h>

namespace cenote {

void bind_calls(nanobind::module_& m);
void bind_results(nanobind::module_& m);
void bind_door(nanobind::module_& m);
void bind_kernels(nanobind::module_& m);
void bind_maps(nanobind::module_& m);

}  // namespace cenote
