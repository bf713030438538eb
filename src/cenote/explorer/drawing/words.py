"""A window in words: numbers as people write them, the formula with its numbers, and why it is what it is.

The sentences are those of the page (``static/engine/formula.js``); a test holds them equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Final

from cenote.geometry import Slide, Split

from .scene import Scene

_MOST: Final = 12  # numbers that a reader still reads
_NAMES: Final = {"max": "Max", "min": "Min", "avg": "Average", "sum": "Sum", "lp": "Lp"}


def number(value: Any, digits: int = 4) -> str:
    """A number of at most so many digits that count; whole ones below a million in full.

    >>> number(1 / 3), number(-0.0), number(12345678.0), number(2.50)
    ('0.3333', '-0', '1.23e+7', '2.5')
    """
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    size = abs(value)
    if value.is_integer() and size < 1e6:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    if size >= 1e6 or size < 1e-4:
        return _exponential(value, digits - 1)
    with localcontext(prec=digits, rounding=ROUND_HALF_UP):
        rounded = +Decimal(value)
    if rounded.adjusted() >= digits:
        return _exponential(value, digits)
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exponential(value: float, digits: int) -> str:
    with localcontext(prec=digits, rounding=ROUND_HALF_UP):
        rounded = +Decimal(value)
    sign, figures, _ = rounded.as_tuple()
    text = "".join(map(str, figures)).ljust(digits, "0")
    return f"{'-' if sign else ''}{text[0]}.{text[1:]}e{rounded.adjusted():+d}"


def formula(scene: Scene, output: int) -> str:
    """The formula of one output, with its numbers."""
    values = scene.values.reshape(-1)
    numbers = _listed([number(values[cell]) for cell in scene.cells(output)])
    result = number(scene.outputs.reshape(-1)[output])
    if scene.op in ("max", "min"):
        return f"{scene.op}({', '.join(numbers)}) = {result}"
    if scene.op == "sum":
        return f"{_sum(numbers)} = {result}"
    if scene.op == "avg":
        return f"({_sum(numbers)}) / {number(scene.divided_by(output))} = {result}"
    power = "" if scene.p in (1, math.inf) else f"^{number(scene.p)}"
    sizes = [text if text == "..." else f"|{text}|{power}" for text in numbers]
    if math.isinf(scene.p):
        return f"max({', '.join(sizes)}) = {result}"
    added = _sum(sizes)
    return f"{added} = {result}" if scene.p == 1 else f"({added})^(1/{number(scene.p)}) = {result}"


def _sum(numbers: Sequence[str]) -> str:
    return " + ".join(numbers) if numbers else "0"


def _listed(texts: Sequence[str]) -> list[str]:
    return list(texts) if len(texts) <= _MOST else [*texts[: _MOST - 2], "...", texts[-1]]


def reason(scene: Scene, output: int) -> str:
    """Why the result is what it is: the divisor of an average, the winner of a tie, a window of nothing."""
    values = scene.values.reshape(-1)
    cells = scene.cells(output)
    if not len(cells):
        return f"no cell lies in this window: {scene.op} gives {number(scene.outputs.reshape(-1)[output])}"
    if scene.op == "avg":
        return _of_divisor(scene, output)
    if scene.winners is None:
        return "a NaN makes the result NaN" if any(math.isnan(values[cell]) for cell in cells) else ""
    if math.isnan(values[scene.winners.reshape(-1)[output]]):
        return "a NaN wins; of several the last one is the index"
    equal = len(scene.ties(output))
    return f"{equal} cells are equal: the first in reading order wins" if equal > 1 else ""


def _of_divisor(scene: Scene, output: int) -> str:
    if not isinstance(scene.divisor, str):
        return f"divided by {number(scene.divisor)}, the number that was asked for"
    inside, padded, window = (scene.counted(rule, output) for rule in ("inside", "padded", "window"))
    if inside == window:
        return f"all {window} taps are cells"
    if scene.divisor == "inside":
        return f"{inside} of {window} taps are cells; padding does not count"
    if scene.divisor == "padded":
        if padded == window:
            return f"all {window} taps lie in the padded input: {window - inside} of padding count"
        return f"{padded} of {window} taps lie in the padded input; what hangs over it does not count"
    return f"always the {window} taps of the window, cells or not"


def heading(scene: Scene) -> str:
    """What the picture is of: "Max pooling, window 3 x 3, stride 2, padding 1"."""
    rules = scene.window.rules
    name = f"{_NAMES.get(scene.op, scene.op)} pooling"
    if scene.op == "lp":
        name += f", p {number(scene.p)}"
    if all(isinstance(rule, Split) and rule.parts == 1 for rule in rules):
        return f"Global {name[0].lower()}{name[1:]}"
    if all(isinstance(rule, Split) for rule in rules):
        parts = " x ".join(str(rule.parts) for rule in rules if isinstance(rule, Split))
        return f"Adaptive {name[0].lower()}{name[1:]}, {parts} {'part' if parts == '1' else 'parts'}"
    slides = [rule for rule in rules if isinstance(rule, Slide)]
    if len(slides) < len(rules):
        return f"{name}, windows of {scene.window}"
    said = [
        name,
        f"window {' x '.join(str(rule.size) for rule in slides)}",
        f"stride {_each([str(s.stride) for s in slides])}",
    ]
    if any(rule.dilation > 1 for rule in slides):
        said.append(f"dilation {_each([str(rule.dilation) for rule in slides])}")
    if any(rule.pad != (0, 0) for rule in slides):
        said.append(f"padding {_each([_pad(rule) for rule in slides])}")
    if any(rule.ceil_mode for rule in slides):
        said.append("rounded up")
    return ", ".join(said)


def _pad(rule: Slide) -> str:
    if isinstance(rule.pad, str):
        return rule.pad
    lo, hi = rule.pad
    return str(lo) if lo == hi else f"{lo}:{hi}"


def _each(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else " x ".join(texts)


def padding_name(scene: Scene, *, over: bool = False) -> str:
    """What stands in a cell of padding, or of what hangs over it: on whom it depends is who reads it."""
    if scene.op in ("max", "min"):
        return "-inf" if scene.op == "max" else "inf"
    if scene.op != "avg":
        return "0"
    counts = scene.divisor == "window" or (scene.divisor == "padded" and not over)
    return "0, counted" if counts else "ignored"
