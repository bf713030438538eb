"""CPU targets: each usable one can be forced and is then what runs, and all of them give the same bits."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import cenote
from arrays import fill, values_for
from cenote.native import _core

USABLE = _core.targets(usable=True)
pytestmark = pytest.mark.sanitize


@pytest.fixture
def as_before() -> Iterator[None]:
    """Whatever target a test asks for, the next test finds the old one."""
    before = _core.target()
    yield
    assert _core.use_target(before)


@pytest.mark.parametrize("name", USABLE)
def test_forced(name: str) -> None:
    script = (
        "import cenote, numpy; from cenote.native import _core\n"
        "cenote.max_pool(numpy.zeros((8, 8), numpy.float32), 2)\n"
        "print(_core.target(), cenote.info().target, cenote.explain(cenote.max_pool, numpy.zeros((4, 4)), 2).target)"
    )
    environment = {**os.environ, "CENOTE_TARGET": name}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert run.stdout.split() == [name, name, name], run.stderr


def test_unknown() -> None:
    script = "import cenote, numpy; cenote.max_pool(numpy.zeros((8, 8)), 2)"
    environment = {**os.environ, "CENOTE_TARGET": "mmx"}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert f"CENOTE_TARGET: target 'mmx' is not usable here, {USABLE[0]}" in run.stderr


def test_best_is_the_default() -> None:
    if "CENOTE_TARGET" not in os.environ:
        assert _core.target() == USABLE[-1] == cenote.info().target


def bits(array: np.ndarray) -> np.ndarray:
    """Bytes to compare; a NaN of a value has no bits of its own in the contract."""
    array = np.ascontiguousarray(array)
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
    elif array.dtype.name == "bfloat16":
        wide = array.astype(np.float32)
        return np.where(np.isnan(wide), np.float32(np.nan), wide).view(np.uint8)
    return array.view(np.uint8)


# around the widths of registers (16, 32 and 64 bytes), of rows that fill tiles, and of windows where ways change
WIDTHS = (1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 130)
WINDOWS = (
    "2",
    "2/1",
    "2/1+1",
    "3/1+2",
    "4/1+1",
    "3/2+1",
    "3/1+1",
    "3/2",
    "5/1+2",
    "7/2+3",
    "8/1",
    "9/1+4",
    "13/1+6",
    "16/1+8",
    "17/1+8",
    "4/3+2",
    "3/1+2@2",
    "31/1+15",
    "33/1+16",
    "67/1+33",
    "6/5",
)
DTYPES = ("float32", "float64", "float16", "bfloat16", "int8", "uint8", "int16", "uint16", "int32", "uint64")


def calls(dtype: str) -> Iterator[tuple[str, np.ndarray, object]]:
    for number, (width, window) in enumerate(itertools.product(WIDTHS, WINDOWS)):
        size = cenote.Window.parse(window, rank=2)
        height = 3 + number % 37
        try:
            size.output_shape((height, width))
        except cenote.CenoteError:  # the window is larger than the map
            continue
        kind = values_for(dtype)[number % len(values_for(dtype))]
        yield f"NCHW {height}x{width} {window}", fill((2, height, width), dtype, kind, number), (size, (1, 2))
        channels = (1, 3, 8, 17, 64)[number % 5]
        x = fill((height, width, channels), dtype, kind, number)
        yield f"NHWC {height}x{width}x{channels} {window}", x, (size, (0, 1))


@pytest.mark.skipif(len(USABLE) < 2, reason="this CPU has one target only")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", ["max_pool", "min_pool", "avg_pool", "sum_pool", "lp_pool"])
def test_equal_bits(op: str, dtype: str, as_before: None) -> None:
    pool = getattr(cenote, op)
    for label, x, (size, axes) in calls(dtype):
        results = []
        for name in USABLE:
            assert _core.use_target(name)
            assert _core.target() == name
            results.append(bits(pool(x, size, axes=axes)).ravel())
            if op in ("max_pool", "min_pool"):
                indices = pool(x, size, axes=axes, return_indices=True)[1]
                results[-1] = np.concatenate([results[-1], indices.view(np.uint8).ravel()])
        for name, other in zip(USABLE[1:], results[1:], strict=True):
            assert np.array_equal(results[0], other), f"{label}: {USABLE[0]} and {name} differ"
