"""What the demo computes: a 3x3 filter, then every kind of pooling, each value checked against the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cenote.catalogue import OPS, Call, Params
from cenote.errors import bad
from cenote.geometry import Slide, Window, arithmetic
from cenote.ops import functions
from cenote.reference import forward

Array = NDArray[Any]

#: Sobel's filter for vertical edges: what is brighter to the right of a pixel than to its left.
FILTER: Final = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=np.float32) / 4
SMALLEST: Final = 8
# The reference goes window by window in Python; what it checks of a photograph is this corner.
_CHECKED: Final = 128


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: its name, the result, and the arithmetic of the first pooled axis (both axes for a photograph)."""

    name: str
    values: Array
    arithmetic: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Native against reference, for one function."""

    function: str
    values: int
    largest_difference: float
    allowed: float
    """0 for what selects: bit for bit. For a sum of n values, the rounding of two trees of additions."""
    indices_equal: bool | None

    @property
    def passed(self) -> bool:
        """Values within what is allowed, and the very same indices."""
        return self.largest_difference <= self.allowed and self.indices_equal is not False


@dataclass(frozen=True, slots=True)
class Story:
    """One image from end to end."""

    label: str
    image: Array
    filtered: Array
    largest: Array
    winners: NDArray[np.int64]
    mean: Array
    global_largest: float
    global_winner: int
    global_mean: float
    stages: tuple[Stage, ...]
    checks: tuple[Check, ...]

    @property
    def is_checked(self) -> bool:
        """Whether every value agreed with the reference."""
        return all(check.passed for check in self.checks)


def filtered(image: Array) -> NDArray[np.float32]:
    """The 3x3 filter over an image, without padding: 28 x 28 becomes 26 x 26."""
    height, width = image.shape[0] - 2, image.shape[1] - 2
    out = np.zeros((height, width), dtype=np.float32)
    for row in range(3):
        for column in range(3):
            out += FILTER[row, column] * image[row : row + height, column : column + width]
    return out


def tell(label: str, image: Array) -> Story:
    """Filter an image of values 0 to 1, pool it in every way, and check the results."""
    if image.ndim != 2 or min(image.shape) < SMALLEST:
        raise bad("demo", f"the image is {image.shape}, at least {SMALLEST} x {SMALLEST} is needed", "use a larger one")
    image = np.ascontiguousarray(image, dtype=np.float32)
    features = filtered(image)
    pool = functions()
    largest, winners = pool["max_pool"](features, 2, return_indices=True)
    mean = pool["avg_pool"](features, 2)
    top, top_at = pool["global_max_pool"](features, return_indices=True)
    overall = pool["global_avg_pool"](features)
    halves, everything = Window.of(2, rank=2), Window.global_(2)
    stages = (
        Stage("image", image, ()),
        Stage("3x3 filter", features, _sums(Window((Slide(3, 1),) * 2), image.shape)),
        Stage("2x2 max pool", largest, _sums(halves, features.shape)),
        Stage("2x2 average pool", mean, _sums(halves, features.shape)),
        Stage("global max pool", np.asarray(top), _sums(everything, features.shape)),
        Stage("global average pool", np.asarray(overall), _sums(everything, features.shape)),
    )
    corner = features[:_CHECKED, :_CHECKED]
    checks = (
        _check(pool["max_pool"], "max", halves, corner, (2,)),
        _check(pool["avg_pool"], "avg", halves, corner, (2,)),
        _check(pool["global_max_pool"], "max", everything, features, ()),
        _check(pool["global_avg_pool"], "avg", everything, features, ()),
    )
    return Story(
        label, image, features, largest, winners, mean, float(top), int(top_at), float(overall), stages, checks
    )


def _sums(window: Window, shape: tuple[int, ...]) -> tuple[str, ...]:
    sums = tuple(arithmetic(rule, length) for rule, length in zip(window.rules, shape, strict=True))
    return sums[:1] if len(set(sums)) == 1 else sums


def _check(function: Callable[..., Any], op: str, window: Window, x: Array, size: tuple[int, ...]) -> Check:
    """The public function against the catalogue's slow meaning of the same operator."""
    selects = OPS[op].selects
    found = function(x, *size, **({"return_indices": True} if selects else {}))
    values, indices = found if selects else (found, None)
    call = Call(
        who=function.__name__,
        op=OPS[op],
        window=window,
        axes=(0, 1),
        shape=x.shape,
        dtype=x.dtype,
        result=x.dtype,
        params=Params(),
        select=selects,
    )
    expected, expected_indices = forward(call, x)
    expected = expected.reshape(np.shape(values))
    difference = float(np.max(np.abs(np.asarray(values, dtype=np.float64) - expected.astype(np.float64))))
    equal = (
        None
        if indices is None or expected_indices is None
        else bool(np.array_equal(indices, expected_indices.reshape(np.shape(indices))))
    )
    taps = x.size // max(1, expected.size)
    # Each level of a tree rounds once, relative to partial sums no larger than taps * |x|, which the division undoes.
    sums = (2 + np.log2(taps)) * float(np.finfo(x.dtype).eps) * float(np.max(np.abs(x)))
    return Check(function.__name__, expected.size, difference, 0.0 if selects else sums, equal)
