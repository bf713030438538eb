"""A chain of layers: shapes with their arithmetic, receptive field and jump.

Receptive field ``r`` and jump ``j`` grow by ``r += (extent - 1) * j`` and ``j *= stride``, starting from 1 and 1:
the recurrence of Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", 2019.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .rules import Rule, Slide, Split
from .window import Window


@dataclass(frozen=True, slots=True)
class Layer:
    """A named layer of a chain; for shapes a convolution and a pooling are the same."""

    name: str
    window: Window


@dataclass(frozen=True, slots=True)
class Step:
    """One layer applied: lengths before and after, the sums per axis, receptive field and jump in input cells.

    ``jump`` is None on an axis once bins of unequal distance (adaptive pooling) make it undefined.
    """

    layer: Layer
    input: tuple[int, ...]
    output: tuple[int, ...]
    arithmetic: tuple[str, ...]
    receptive: tuple[int, ...]
    jump: tuple[int | None, ...]


def walk(lengths: Sequence[int], layers: Iterable[Layer]) -> list[Step]:
    """Apply the layers one after the other.

    >>> steps = walk((28, 28), [Layer("conv", Window.parse("3x3/1")), Layer("pool", Window.parse("2x2"))])
    >>> [step.output for step in steps], steps[-1].receptive, steps[-1].jump
    ([(26, 26), (13, 13)], (4, 4), (2, 2))
    """
    steps: list[Step] = []
    shape = whole = tuple(lengths)
    receptive: tuple[int, ...] = (1,) * len(shape)
    jump: tuple[int | None, ...] = (1,) * len(shape)
    for layer in layers:
        rules = layer.window.rules
        output = layer.window.output_shape(shape, who=layer.name)
        fields = [
            _grow(rule, length, r, j, full)
            for rule, length, r, j, full in zip(rules, shape, receptive, jump, whole, strict=True)
        ]
        receptive, jump = tuple(r for r, _ in fields), tuple(j for _, j in fields)
        sums = tuple(arithmetic(rule, length) for rule, length in zip(rules, shape, strict=True))
        steps.append(Step(layer, shape, output, sums, receptive, jump))
        shape = output
    return steps


def _grow(rule: Rule, length: int, receptive: int, jump: int | None, whole: int) -> tuple[int, int | None]:
    """Receptive field and jump behind ``rule``. Unknown distances are bounded by the whole input."""
    extent, stride = pace(rule, length)
    if jump is None:
        return whole, None
    grown = receptive + max(0, extent - 1) * jump
    return grown, jump * stride if stride else None


def pace(rule: Rule, length: int) -> tuple[int, int]:
    """Cells under the widest window, and from one window to the next; 0 where the distances differ.

    >>> pace(Slide(3, stride=2, dilation=2), 28), pace(Split(7), 28), pace(Split(3), 7)
    ((5, 2), (4, 4), (3, 2))
    >>> pace(Split(3), 5)
    (3, 0)
    """
    if isinstance(rule, Slide):
        return rule.extent, rule.stride
    if isinstance(rule, Split):
        # bin i holds ceil((i*L mod p + L) / p) cells, and i*L mod p reaches p - gcd(L, p); starts floor(i*L / p) are
        # evenly spaced when L mod p is 0 or 1
        parts = rule.parts
        widest = -(-(parts - math.gcd(length, parts) + length) // parts)
        return widest, length // parts if length % parts <= 1 else 0
    table = rule.spans(length)
    distances = {int(b - a) for a, b in zip(table.start, table.start[1:], strict=False)}
    return max((t[-1] - t[0] + 1 for t in table if t), default=0), distances.pop() if len(distances) == 1 else 0


def arithmetic(rule: Rule, length: int) -> str:
    """The output length of one axis, with the numbers substituted.

    >>> arithmetic(Slide(3, stride=1), 28)
    'floor((28 + 0 + 0 - 3)/1) + 1 = 26'
    >>> arithmetic(Slide(2, pad="same"), 13)
    'ceil(13/2) = 7'
    """
    outputs = rule.output_length(length)
    if isinstance(rule, Split):
        return f"{length} in {outputs} part{'s' if outputs > 1 else ''} = {outputs}"
    if not isinstance(rule, Slide):
        return f"{outputs} spans of {length} = {outputs}"
    if isinstance(rule.pad, str):
        return f"ceil({length}/{rule.stride}) = {outputs}"
    lo, hi = rule.pad
    rounding = "ceil" if rule.ceil_mode else "floor"
    extent = str(rule.size) if rule.dilation == 1 else f"(({rule.size} - 1)*{rule.dilation} + 1)"
    text = f"{rounding}(({length} + {lo} + {hi} - {extent})/{rule.stride}) + 1"
    before = -(-(length + lo + hi - rule.extent) // rule.stride) + 1
    if rule.ceil_mode and before != outputs:
        return f"{text} = {before}, less 1 window that would start in the right padding = {outputs}"
    return f"{text} = {outputs}"
