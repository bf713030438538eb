"""The public functions: what they accept, which axes they pool by default, what comes back."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

import cenote
from arrays import BFLOAT16, FLOATS, INTS, dtype_of, make, present
from cenote import CenoteError

pytestmark = pytest.mark.sanitize

OPS = ("max", "min", "avg", "sum", "lp")
X = np.random.default_rng(1).standard_normal((2, 3, 8, 10)).astype(np.float32)


def every(op: str) -> list[tuple[Any, tuple[Any, ...]]]:
    return [
        (getattr(cenote, f"{op}_pool"), (2,)),
        (getattr(cenote, f"adaptive_{op}_pool"), (2,)),
        (getattr(cenote, f"global_{op}_pool"), ()),
    ]


# ------------------------------------------------------------------------------------------------ signatures

SIGNATURES = {
    "{op}_pool": "x, size, *, stride=None, padding=0, dilation=1, ceil_mode=False, axes=None{own}, out=None",
    "adaptive_{op}_pool": "x, parts, *, axes=None{own}, out=None",
    "global_{op}_pool": "x, *, axes=(-2, -1), keepdims=False{own}, out=None",
}
OWN = {
    "max": ", return_indices=False",
    "min": ", return_indices=False",
    "avg": ", divisor='inside', dtype=None",
    "sum": ", dtype=None",
    "lp": ", p=2, dtype=None",
}


@pytest.mark.parametrize("form", SIGNATURES)
@pytest.mark.parametrize("op", OPS)
def test_signatures(op: str, form: str) -> None:
    function = getattr(cenote, form.format(op=op))
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in inspect.signature(function).parameters.values()]
    assert str(inspect.Signature(bare)) == f"({SIGNATURES[form].format(own=OWN[op])})"
    assert function.__name__ == form.format(op=op)
    assert function.__module__ == "cenote"


def test_docstrings_have_their_parts() -> None:
    for op in OPS:
        for form in SIGNATURES:
            text = inspect.getdoc(getattr(cenote, form.format(op=op)))
            assert text
            assert text.splitlines()[0].endswith(".")
            for part in ("Parameters", "Returns", "Raises", "Examples", ">>> "):
                assert part in text, (op, form, part)


# ------------------------------------------------------------------------------------------------------ axes


@pytest.mark.parametrize("op", OPS)
def test_an_int_pools_the_last_two_of_two_to_four(op: str) -> None:
    pool = getattr(cenote, f"{op}_pool")
    for x in (X[0, 0], X[0], X):
        assert pool(x, 2).tobytes() == pool(x, (2, 2), axes=(-2, -1)).tobytes()
        assert pool(x, 2).shape == (*x.shape[:-2], 4, 5)


@pytest.mark.parametrize("op", OPS)
def test_a_tuple_pools_as_many_trailing_axes(op: str) -> None:
    pool = getattr(cenote, f"{op}_pool")
    assert pool(X, (2,)).shape == (2, 3, 8, 5)
    assert pool(X, [2, 5]).shape == (2, 3, 4, 2)
    assert pool(X, (3, 2, 2)).shape == (2, 1, 4, 5)
    assert pool(X[None, None], (2, 2, 2)).shape == (1, 1, 2, 1, 4, 5)
    assert pool(X[0, 0, 0], (3,)).shape == (3,)


def test_an_int_pools_every_axis_of_axes() -> None:
    assert cenote.max_pool(X, 2, axes=1).shape == (2, 1, 8, 10)
    assert cenote.max_pool(X, 2, axes=(0, 2, 3)).shape == (1, 3, 4, 5)
    assert cenote.max_pool(X[None], 2, axes=(-1,)).shape == (1, 2, 3, 8, 5)
    assert cenote.max_pool(X, np.int64(2), axes=np.int32(1)).shape == (2, 1, 8, 10)


def test_sizes_belong_to_axes_but_ties_and_indices_follow_the_array() -> None:
    x = np.zeros((4, 6))
    for axes, size in (((0, 1), (2, 3)), ((1, 0), (3, 2))):
        y, where = cenote.max_pool(x, size, axes=axes, return_indices=True)
        assert y.shape == (2, 2)
        assert where.tolist() == [[0, 3], [12, 15]]
    padded = cenote.max_pool(x, 2, axes=(1, 0), stride=(3, 1), padding=((0, 1), 1), dilation=(1, 2))
    assert padded.tobytes() == cenote.max_pool(x, 2, stride=(1, 3), padding=(1, (0, 1)), dilation=(2, 1)).tobytes()
    assert cenote.adaptive_max_pool(x, (3, 2), axes=(1, 0)).shape == (2, 3)


@pytest.mark.parametrize(
    ("layout", "axes"),
    [
        *(("HWC", (0, 1)), ("CHW", (1, 2)), ("WHC", (0, 1)), ("HW", (0, 1)), ("W", (0,))),
        *(("NCHW", (2, 3)), ("NHWC", (1, 2)), ("nchw", (2, 3)), ("NCW", (2,)), ("NWC", (1,))),
        *(("NCDHW", (2, 3, 4)), ("NDHWC", (1, 2, 3))),
    ],
)
def test_layouts(layout: str, axes: tuple[int, ...]) -> None:
    x = make([4, 5, 6, 7, 8][: len(layout)], "float32")
    for op in OPS:
        for function, args in every(op):
            assert function(x, *args, axes=layout).tobytes() == function(x, *args, axes=axes).tobytes()
    assert cenote.output_shape(x.shape, 2, axes=layout) == cenote.output_shape(x.shape, 2, axes=axes)


def test_layout_order_is_the_order_of_sizes() -> None:
    assert cenote.max_pool(np.zeros((12, 12, 3)), (2, 3), axes="HWC").shape == (6, 4, 3)


def test_an_rgb_image() -> None:
    image = np.random.default_rng(3).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    got = cenote.max_pool(image, 2, axes="HWC")
    assert (got == image.reshape(10, 2, 15, 2, 3).max((1, 3))).all()
    assert got.dtype == np.uint8


@pytest.mark.parametrize("op", OPS)
def test_global_axes_and_keepdims(op: str) -> None:
    function = getattr(cenote, f"global_{op}_pool")
    assert function(X).shape == (2, 3)
    assert function(X, keepdims=True).shape == (2, 3, 1, 1)
    assert function(X, axes=(1,)).shape == (2, 8, 10)
    assert function(X, axes=0, keepdims=True).shape == (1, 3, 8, 10)
    assert function(X, axes=(3, 0)).shape == (3, 8)
    assert function(X[0, 0]).shape == ()
    assert isinstance(function(X[0, 0]), np.ndarray)
    assert function(X).tobytes() == getattr(cenote, f"adaptive_{op}_pool")(X, 1).tobytes()


@pytest.mark.parametrize("op", OPS)
def test_parts_of_none_keep_the_axis(op: str) -> None:
    function = getattr(cenote, f"adaptive_{op}_pool")
    assert function(X, (None, 2)).shape == (2, 3, 8, 2)
    assert function(X, (None, 2)).tobytes() == function(X, (8, 2)).tobytes()
    assert function(X, (3, None), axes=(0, 1)).shape == (3, 3, 8, 10)


def test_stride_none_is_the_size() -> None:
    assert cenote.max_pool(X, (2, 5), stride=None).tobytes() == cenote.max_pool(X, (2, 5), stride=(2, 5)).tobytes()


# ---------------------------------------------------------------------------------------------------- arrays


@pytest.mark.parametrize("op", OPS)
def test_lists_and_scalars_of_numpy_are_arrays(op: str) -> None:
    pool = getattr(cenote, f"{op}_pool")
    rows = [[1.0, 2.0], [3.0, 4.0]]
    assert pool(rows, 2).tolist() == pool(np.array(rows), 2).tolist()
    assert pool(tuple(map(tuple, rows)), 2).dtype == np.float64


def test_objects_with_an_array_in_them() -> None:
    class Holder:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.arange(4.0)

    assert cenote.max_pool(Holder(), (2,)).tolist() == [1, 3]
    assert cenote.max_pool(memoryview(np.arange(4, dtype=np.uint8)), (2,)).tolist() == [1, 3]


@pytest.mark.parametrize("op", OPS)
def test_subclasses_come_back_as_plain_arrays(op: str) -> None:
    class Tagged(np.ndarray):
        pass

    x = X.view(Tagged)
    for function, args in every(op):
        assert type(function(x, *args)) is np.ndarray
        y, pullback = cenote.vjp(function, x, *args)
        assert type(y) is np.ndarray
        assert type(pullback(y)) is np.ndarray


@pytest.mark.parametrize("op", OPS)
def test_results_are_fresh_ordinary_arrays(op: str) -> None:
    x = np.asfortranarray(X)
    before = x.tobytes()
    for function, args in [*every(op), (getattr(cenote, f"{op}_pool"), (1,))]:
        y = function(x, *args)
        assert y.flags.c_contiguous
        assert y.flags.writeable
        assert y.flags.owndata
        assert y.flags.aligned
        assert not np.shares_memory(x, y)
    assert x.tobytes() == before


@pytest.mark.parametrize("view", ["negative", "transposed", "stepped", "packed", "misaligned", "broadcast"])
@pytest.mark.parametrize("op", OPS)
def test_views_are_read_in_place(op: str, view: str) -> None:
    """No silent copy: the peak of traced memory stays far below the size of the input."""
    x = present(np.ones((64, 64, 64, 3), np.float32), view)
    for function, args in every(op):
        function(x, *args, axes=(1, 2))  # whatever is made once is made now
        tracemalloc.start()
        try:
            y = function(x, *args, axes=(1, 2))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        # Beside the result: tables of the window (8 bytes for a few counts per output and axis) and call objects.
        assert peak < y.nbytes + 100_000 < y.nbytes + x.size * 4 // 8


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
@pytest.mark.parametrize("op", OPS)
def test_16_bit_floats(op: str, name: str) -> None:
    x = make((2, 9, 9), name, "whole")
    for function, args in every(op):
        y, pullback = cenote.vjp(function, x, *args)
        assert y.dtype == dtype_of(name)
        assert pullback(y).dtype == dtype_of(name)


@pytest.mark.parametrize("name", [*INTS, *FLOATS, "bool"])
def test_types_are_kept(name: str) -> None:
    x = make((4, 6), name, "ties")
    assert cenote.max_pool(x, 2).dtype == x.dtype
    assert cenote.min_pool(x, 2).dtype == x.dtype
    if name != "bool":
        assert cenote.avg_pool(x, 2).dtype == x.dtype
    wide = np.sum(x.astype(dtype_of(name))).dtype
    assert cenote.sum_pool(x, 2).dtype == (x.dtype if name == "bfloat16" else wide)
    small = name in ("int8", "uint8", "int16", "uint16", "bool")
    want = x.dtype if name in FLOATS else np.dtype(np.float32 if small else np.float64)
    assert cenote.lp_pool(x, 2).dtype == want


def test_dtype_asks_for_another_result() -> None:
    x = np.array([[1, 2], [2, 2]], np.uint8)
    for dtype in (np.float32, np.float64, np.float16, BFLOAT16):
        y = cenote.avg_pool(x, 2, dtype=dtype)
        assert (y.dtype, y.item()) == (np.dtype(dtype), 1.75)
        assert cenote.sum_pool(x, 2, dtype=dtype).dtype == np.dtype(dtype)
    assert cenote.avg_pool(x, 2).item() == 2  # 1.75 rounds to 2, and 1.5 below to the even one
    assert cenote.avg_pool(np.array([1, 2], np.uint8), (2,)).item() == 2
    assert cenote.avg_pool(np.array([2, 3], np.uint8), (2,)).item() == 2
    assert cenote.lp_pool(x, 2, dtype=np.float64).dtype == np.float64


def test_64_bit_averages_are_exact() -> None:
    for dtype in (np.int64, np.uint64):
        top = np.iinfo(dtype).max
        assert cenote.avg_pool(np.array([top, top - 1, top - 2], dtype), (3,)).item() == top - 1
        assert cenote.avg_pool(np.full(1000, top, dtype), (1000,)).item() == top


def test_whole_averages_that_do_not_fit_wrap() -> None:
    """Documented at `divisor`: an explicit divisor below the number of taps can leave the range of the type."""
    assert cenote.avg_pool(np.array([100, 100], np.int8), (2,), divisor=1).item() == 200 - 256
    assert cenote.avg_pool(np.array([1, 2], np.int64), (2,), divisor=-2).item() == -2


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex(dtype: Any) -> None:
    x = np.array([[1 + 2j, 3 - 4j], [5j, -6]], dtype)
    assert cenote.sum_pool(x, 2).tolist() == [[-2 + 3j]]
    assert cenote.avg_pool(x, 2).tolist() == [[-0.5 + 0.75j]]
    y, pullback = cenote.vjp(cenote.avg_pool, x, 2)
    assert y.dtype == dtype
    assert pullback(np.array([[4 - 8j]], dtype)).tolist() == [[1 - 2j] * 2] * 2


# ----------------------------------------------------------------------------------------------- other calls


def test_output_shape_is_the_whole_shape() -> None:
    assert cenote.output_shape((32, 3, 28, 28), 2) == (32, 3, 14, 14)
    assert cenote.output_shape([28, 28, 3], 3, stride=2, padding=1, axes="HWC") == (14, 14, 3)
    assert cenote.output_shape((5, 7), (2,), stride=1) == (5, 6)
    with pytest.raises(CenoteError, match="output_shape"):
        cenote.output_shape((5,), 2)


def test_a_window_may_stand_for_the_size() -> None:
    window = cenote.Window.parse("3x3/2+1^")
    want = cenote.max_pool(X, 3, stride=2, padding=1, ceil_mode=True)
    assert cenote.max_pool(X, window).tobytes() == want.tobytes()
    with pytest.raises(CenoteError, match="stride"):
        cenote.max_pool(X, window, stride=2)


def test_a_table_of_spans_may_stand_for_the_size() -> None:
    x = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    window = cenote.Window((cenote.Spans([(0, 3), (2, 8, 3), (5, 5), (7, 8)]),))
    y, where = cenote.max_pool(x, window, return_indices=True)
    assert y.tolist() == [4, 9, -np.inf, 6]
    assert where.tolist() == [2, 5, -1, 7]
    assert cenote.sum_pool(x, window).tolist() == [8, 13, 0, 6]
    _, pullback = cenote.vjp(cenote.max_pool, x, window)
    assert pullback(np.array([1.0, 2, 4, 8])).tolist() == [0, 0, 1, 0, 0, 2, 0, 8]


def test_explain() -> None:
    answer = cenote.explain(cenote.max_pool, X, 3, stride=2)
    assert answer.provider == "native"
    assert answer.target == cenote.info().target
    assert 1 <= answer.threads <= cenote.get_num_threads()
    assert answer.refusals
    assert all(isinstance(reason, str) and len(reason) > 10 for reason in answer.refusals.values())
    for word in ("provider", "native", "target", "threads", *answer.refusals):
        assert word in str(answer)
    json.dumps(answer.as_dict())
    for op in OPS:
        for function, args in every(op):
            assert cenote.explain(function, X, *args).provider == "native"
    with pytest.raises(CenoteError, match="explain"):
        cenote.explain(np.max, X)


def test_info() -> None:
    info = cenote.info()
    assert dataclasses.is_dataclass(info)
    assert info.version == cenote.__version__
    assert info.numpy == np.__version__
    assert info.python == ".".join(map(str, sys.version_info[:3]))
    assert info.threads == cenote.get_num_threads()
    assert info.target in info.targets_usable
    assert set(info.targets_usable) <= set(info.targets_compiled)
    assert info.compiler.split()[0] in ("gcc", "clang", "apple", "msvc")
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.version = "9"
    text = str(info)
    assert all(name in text for name in info.as_dict())
    json.dumps(info.as_dict())


def test_the_environment_sets_the_threads() -> None:
    code = "import cenote; print(cenote.get_num_threads())"
    environment = {"OMP_NUM_THREADS": "3", "PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "3"


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_spans_of_different_steps_side_by_side(size: int, stride: int) -> None:
    """Rows of outputs whose windows have as many taps, but not as far apart."""
    x = np.random.default_rng(12).random((6, 64), dtype=np.float32)
    rows = cenote.Spans([(0, 6, 5), (4, 6, 1), (0, 2, 1), (1, 6, 4)])
    y = cenote.max_pool(x, cenote.Window((rows, cenote.Slide(size, stride))))
    for got, pair in zip(y, ([0, 5], [4, 5], [0, 1], [1, 5]), strict=True):
        high = x[pair].max(axis=0)
        assert np.array_equal(got, cenote.max_pool(high, (size,), stride=stride))
