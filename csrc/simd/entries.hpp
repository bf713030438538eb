// The part of a target that is compiled here: included inside its namespace, behind its region. The first part is also
// where the target's table is.
#pragma once

#if CENOTE_PART == 0
bool extremes_part(bool largest, const ForwardCall& call, const Problem& p, Control& control) {
    return extremes(largest, call, p, control);
}
#elif CENOTE_PART == 1
bool sums_part(const ForwardCall& call, const Problem& p, uint64_t box, Control& control) {
    return sums(call, p, box, control);
}
#else
bool select_part(const ForwardCall& call, const Geometry& g, const Layout& layout, DType position_type,
                 Position position, Control& control) {
    return select(call, g, layout, position_type, position, control);
}
bool backward_part(const ForwardCall& call, const Geometry& g, const Layout& layout, DType g_type, DType other_type,
                   Control& control) {
    return backward(call, g, layout, g_type, other_type, control);
}
#endif
