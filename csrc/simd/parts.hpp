// What a target consists of: included inside its namespace, in front of its region. Each part is compiled as a file of
// its own (CENOTE_PART, see CMakeLists.txt): as one file a target keeps one processor busy for minutes while the others
// wait.
#pragma once

bool extremes_part(bool largest, const ForwardCall& call, const Problem& p, Control& control);
bool sums_part(const ForwardCall& call, const Problem& p, uint64_t box, Control& control);
bool select_part(const ForwardCall& call, const Geometry& g, const Layout& layout, DType position_type,
                 Position position, Control& control);
bool backward_part(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, DType other_type,
                   Control& control);
