"""Rows and channel counts around the lengths of vector registers, where the ends of loops go wrong.

Held to the tap loop in NumPy, which is itself held to the oracle (`test_mutants.py`): the oracle counts in Fractions
and would take hours here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cenote
from arrays import dtype_of, fill, seed_of
from oracle import Slide, Split
from taploop import TapLoop

pytestmark = [pytest.mark.sanitize, pytest.mark.slow]

TYPES = {
    "max": ("uint8", "int16", "int64", "float16", "bfloat16", "float32", "float64"),
    "min": ("int8", "uint32", "float16", "float32"),
    "avg": ("uint8", "int32", "float16", "float32", "float64", "complex64"),
    "sum": ("uint8", "int64", "bfloat16", "float32"),
    "lp": ("float16", "float32"),
}
# Around 16, 32 and 64 lanes (bytes to floats in 256 and 512 bits), with the odd ones of everyday life.
WIDTHS = (1, 2, 7, 15, 16, 17, 31, 33, 41, 63, 64, 65, 100, 127, 129)
WINDOWS: dict[str, tuple[Any, ...]] = {
    "2/2": (Slide(2, 2),),
    "3/1+1": (Slide(3, 1, (1, 1)),),
    "3/2+1": (Slide(3, 2, (1, 1)),),
    "5/3+2@2": (Slide(5, 3, (4, 4), 2),),
    "13/1+6": (Slide(13, 1, (6, 6)),),
    "40/1+20": (Slide(40, 1, (20, 20)),),
    ">5": (Split(5),),
    "*": (Split(1),),
    "3x2/2x1+1": (Slide(3, 2, (1, 1)), Slide(2, 1, (1, 1))),
    ">2x3": (Split(2), Split(3)),
}
LAYOUTS = ("row", "column", "plane", "channels")


def place(layout: str, width: int, rank: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(shape, axes): `width` is the pooled row, the row beside it, or the number of channels."""
    if rank == 1:
        return {"row": ((2, width), (1,)), "column": ((11, width), (0,)), "channels": ((2, 9, width), (1,))}[layout]
    return {"plane": ((2, 6, width), (1, 2)), "channels": ((5, 4, width), (0, 1))}[layout]


def call(op: str, rules: tuple[Any, ...], axes: tuple[int, ...]) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    if isinstance(rules[0], Split):
        return getattr(cenote, f"adaptive_{op}_pool"), (tuple(r.parts for r in rules),), {"axes": axes}
    keywords = {
        "stride": tuple(r.stride for r in rules),
        "padding": rules[0].pad if isinstance(rules[0].pad, str) else tuple(r.pad for r in rules),
        "dilation": tuple(r.dilation for r in rules),
        "axes": axes,
    }
    return getattr(cenote, f"{op}_pool"), (tuple(r.size for r in rules),), keywords


def near(got: np.ndarray, want: np.ndarray, reach: np.ndarray, taps: int) -> bool:
    """Either side may be off by (taps + 4) u sum|x| (see bounds.py), and by half a unit of its own type."""
    kind = np.float32 if got.dtype.itemsize <= 4 or got.dtype == np.complex64 else np.float64
    held = np.finfo(kind).eps / 2
    own = {"float16": 2.0**-11, "bfloat16": 2.0**-8}.get(got.dtype.name, held)
    wide = np.complex128 if got.dtype.kind == "c" else np.float64
    allowed = 2 * ((taps + 4) * held * reach + own * np.abs(want.astype(wide)) + 2.0**-25)
    return bool((np.abs(got.astype(wide) - want.astype(wide)) <= allowed).all())


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(("op", "dtype"), [(op, dtype) for op, types in TYPES.items() for dtype in types])
def test_widths(op: str, dtype: str, window: str) -> None:
    rules = WINDOWS[window]
    for layout in LAYOUTS:
        if (len(rules) == 1) == (layout == "plane") or (len(rules) == 2 and layout in ("row", "column")):
            continue
        for width in WIDTHS:
            shape, axes = place(layout, width, len(rules))
            values = "nan" if op in ("max", "min") and width % 3 == 0 and "float" in dtype else "random"
            x = fill(shape, dtype, values, seed_of(op, dtype, window, width))
            compare(op, x, rules, axes, f"{layout} {width}")


def compare(op: str, x: np.ndarray, rules: tuple[Any, ...], axes: tuple[int, ...], where: str) -> None:
    if any(r.outputs(x.shape[a]) < 1 for r, a in zip(rules, axes, strict=True)):
        return
    function, args, keywords = call(op, rules, axes)
    dy = pullback = None
    if x.dtype.kind not in "iu":
        y, pullback = cenote.vjp(function, x, *args, **keywords)
        dy = fill(y.shape, x.dtype.name, "random", 3)
    want, index, dx = TapLoop().run(op, x, rules, axes, {}, dy)
    got = function(x, *args, **keywords)
    assert (got.shape, got.dtype) == (want.shape, want.dtype), where
    if index is not None:
        picked, found = function(x, *args, **keywords, return_indices=True)
        assert (found == index).all(), where
        assert picked.tobytes() == want.tobytes(), where
        assert ((got == want) | ((got != got) & (want != want))).all(), where
        if pullback is not None:
            assert pullback(dy).tobytes() == dx.tobytes(), where
        return
    if x.dtype.kind in "iu":
        assert got.tobytes() == want.tobytes(), where
        return
    taps = int(np.prod([max(len(b.taps) for b in r.bins(x.shape[a])) for r, a in zip(rules, axes, strict=True)]))
    if op == "lp":
        # Powers and a root on either side, a few units each (POWERS in bounds.py); nothing cancels, so relative.
        own = 2.0**-11 if x.dtype == np.float16 else 0.0
        rtol = (taps + 192) * np.finfo(np.float32).eps + 2 * own
        np.testing.assert_allclose(got.astype(float), want.astype(float), rtol=rtol, atol=2.0**-25, err_msg=where)
        return
    size = np.abs(x.astype(np.complex128 if x.dtype.kind == "c" else np.float64))
    reach, _, _ = TapLoop().run(op, size, rules, axes, {}, None)
    assert near(got, want, reach, taps), where
    assert pullback is not None
    _, _, spread = TapLoop().run(op, size, rules, axes, {}, np.abs(dy).astype(np.float64))
    assert near(pullback(dy), dx, spread, taps), where


PLANES: dict[str, tuple[Any, ...]] = {
    "2/2": (Slide(2, 2), Slide(2, 2)),
    "3/2+1": (Slide(3, 2, (1, 1)),) * 2,
    "3/2^": (Slide(3, 2, ceil=True),) * 2,
    "7x5/1+same": (Slide(7, 1, "same"), Slide(5, 1, "same")),
    "1x31/1": (Slide(1, 1), Slide(31, 1)),
    "31x1/3": (Slide(31, 3), Slide(1, 1)),
    ">7x9": (Split(7), Split(9)),
}


@pytest.mark.parametrize("window", PLANES)
@pytest.mark.parametrize(
    ("op", "dtype"), [("max", "float32"), ("max", "uint8"), ("min", "float16"), ("avg", "float32")]
)
def test_planes(op: str, dtype: str, window: str, threads: None) -> None:
    """Arrays large enough to be cut into tiles and shared among threads, cut at odd places."""
    rules = PLANES[window]
    for shape, axes in (((2, 3, 131, 149), (2, 3)), ((2, 131, 149, 3), (1, 2))):
        x = fill(shape, dtype, "ties" if op == "max" and dtype == "float32" else "random", 5)
        for count in (1, 3):
            cenote.set_num_threads(count)
            compare(op, x, rules, axes, f"{shape} with {count} threads")


@pytest.mark.parametrize("layout", ["row", "column", "channels", "plane"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_long_sums_lose_little(dtype: str, layout: str) -> None:
    """A running sum in float32 stops growing at 2**24 ones and drifts long before; a tree does not.

    Allowed: one unit for each of the log2(n) levels of the tree on either axis, and half a unit of the result's own
    type.
    """
    n = 2**24 + 2**20
    shape = {"row": (n,), "column": (n, 1), "channels": (n // 4, 4), "plane": (n // 2**12, 2**12)}[layout]
    axes = (0, 1) if layout == "plane" else 0
    ones = np.broadcast_to(np.ones((), dtype), shape)
    assert (cenote.global_avg_pool(ones, axes=axes) == 1).all()
    size = 2**20
    x = np.random.default_rng(1).random(size).astype(dtype) + dtype_of(dtype).type(0.5)
    x = x.reshape({"row": (size,), "column": (size, 1), "channels": (size // 4, 4), "plane": (2**10, 2**10)}[layout])
    exact = np.mean(x.astype(np.float64), axis=axes)  # 2**20 numbers of 24 bits: float64 adds them without error
    unit = 2.0**-24
    own = 2.0**-11 if dtype == "float16" else unit
    got = cenote.global_avg_pool(x, axes=axes).astype(np.float64)
    assert (np.abs(got - exact) <= (22 * unit + own) * exact).all()
