"""Drawn calls of PyTorch's pooling functions, in PyTorch's words: any spelling, any layout, nasty values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import oracle
from arrays import fill

LAYOUTS = ("plain", "channels_last", "sliced", "transposed", "expanded", "unbatched", "no batch")
OPERATORS = ("max", "avg", "adaptive_max", "adaptive_avg")


@dataclass(frozen=True)
class Case:
    """One call: the function's name, the tensor's recipe, the words."""

    operator: str
    rank: int
    lengths: tuple[int, ...]
    layout: str
    dtype: str
    values: str
    seed: int
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.operator}_pool{self.rank}d"

    def tensor(self, torch: Any) -> Any:
        """The input, a view of every awkward kind."""
        n, c = 2, 3
        shape = (n, c, *self.lengths)
        if self.layout == "no batch":
            return torch.zeros((0, c, *self.lengths), dtype=getattr(torch, self.dtype))
        if self.layout == "unbatched":
            return as_tensor(torch, fill(shape[1:], self.dtype, self.values, self.seed))
        if self.layout == "sliced":
            wide = fill((n, 2 * c, *(2 * length for length in self.lengths)), self.dtype, self.values, self.seed)
            return as_tensor(torch, wide)[(slice(None), slice(1, None, 2), *(slice(0, None, 2),) * self.rank)]
        x = as_tensor(torch, fill(shape, self.dtype, self.values, self.seed))
        if self.layout == "channels_last" and self.rank > 1:
            return x.to(memory_format=torch.channels_last if self.rank == 2 else torch.channels_last_3d)
        if self.layout == "transposed":
            return x.transpose(0, -1).contiguous().transpose(0, -1)
        return x[:1].expand(4, *shape[1:]) if self.layout == "expanded" else x


def as_tensor(torch: Any, array: np.ndarray) -> Any:
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    operator, rank = draw(st.sampled_from(OPERATORS)), draw(st.sampled_from((1, 2, 3)))
    dtype = draw(st.sampled_from(["float32", "float64", "float16", "bfloat16"]))
    assume(not (operator == "avg" and rank == 3 and "16" in dtype))  # PyTorch has no such kernel
    values = ["random", "ties", "zeros", "equal", "denormal", "descending"]
    values += ["nan", "infinite"] if operator.endswith("max") else []
    longest = {1: 40, 2: 13, 3: 7}[rank]
    lengths = tuple(draw(st.integers(1, longest)) for _ in range(rank))
    args, kwargs = draw(_adaptive(operator, lengths) if "adaptive" in operator else _sliding(operator, lengths))
    layout = draw(st.sampled_from(LAYOUTS))
    return Case(
        operator, rank, lengths, layout, dtype, draw(st.sampled_from(values)), draw(st.integers(0, 99)), args, kwargs
    )


@st.composite
def _adaptive(draw: st.DrawFn, operator: str, lengths: tuple[int, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    parts: Any = tuple(draw(st.integers(1, n + 2)) for n in lengths)
    if len(lengths) > 1:
        parts = draw(st.sampled_from([parts, list(parts), parts[0], (None, *parts[1:])]))
    else:
        parts = parts[0]
    return ((), {"output_size": parts}) if draw(st.booleans()) else ((parts,), {})


@st.composite
def _sliding(draw: st.DrawFn, operator: str, lengths: tuple[int, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    dilated = operator == "max"
    ceil = draw(st.booleans())
    sizes, strides, pads, dilations = [], [], [], []
    for n in lengths:
        k = draw(st.integers(1, 5))
        p, d, s = draw(st.integers(0, k // 2)), draw(st.integers(1, 3)) if dilated else 1, draw(st.integers(1, 4))
        rule = oracle.Slide(k, s, (p, p), d, ceil)
        assume(rule.outputs(n) >= 1)
        # PyTorch's index of a window without any tap is out of range: a row of docs/differences.md
        assume(all(b.taps for b in rule.bins(n)))
        if operator == "avg" and len(lengths) == 3:
            assume(k <= n)  # what PyTorch asks of volumes
        for where, value in ((sizes, k), (strides, s), (pads, p), (dilations, d)):
            where.append(value)

    def spelled(entries: list[int]) -> Any:
        ways: list[Any] = [tuple(entries), list(entries)]
        if len(set(entries)) == 1:
            ways += [entries[0], (entries[0],)]
        return draw(st.sampled_from(ways))

    words: dict[str, Any] = {
        "kernel_size": spelled(sizes),
        "stride": spelled(strides),
        "padding": spelled(pads),
        "ceil_mode": ceil,
    }
    if strides == sizes and draw(st.booleans()):
        words["stride"] = draw(st.sampled_from([None, []]))
    if dilated:
        words["dilation"] = spelled(dilations)
    else:
        words["count_include_pad"] = draw(st.booleans())
        if len(lengths) > 1 and draw(st.booleans()):
            words["divisor_override"] = draw(st.sampled_from([1, 7, -3]))
    return (words.pop("kernel_size"),) if draw(st.booleans()) else (), words


def taps(case: Case) -> int:
    """No window has more."""
    if "adaptive" in case.operator:
        return math.prod(case.lengths)
    size = case.args[0] if case.args else case.kwargs["kernel_size"]
    entries = list(size) if isinstance(size, tuple | list) else [size]
    return math.prod(entries * case.rank if len(entries) == 1 else entries)
