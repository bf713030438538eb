"""vjp and max_unpool: what they take, what they keep, what they refuse."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import cenote
from arrays import FLOATS, INTS, dtype_of, fill, make
from cenote import CenoteError, CenoteIndexError, CenoteTypeError

pytestmark = pytest.mark.sanitize

OPS = ("max", "min", "avg", "sum", "lp")
X = np.random.default_rng(1).standard_normal((2, 3, 8, 10)).astype(np.float32)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("form", ["{}_pool", "adaptive_{}_pool", "global_{}_pool"])
def test_shapes_and_types(op: str, form: str) -> None:
    function = getattr(cenote, form.format(op))
    args = () if "global" in form else (3,)
    for name in FLOATS:
        x = X.astype(dtype_of(name))
        y, pullback = cenote.vjp(function, x, *args)
        assert y.tobytes() == function(x, *args).tobytes()
        dx = pullback(np.ones_like(y))
        assert (dx.shape, dx.dtype) == (x.shape, x.dtype)
        assert dx.flags.owndata
        assert dx.flags.c_contiguous


@pytest.mark.parametrize("op", OPS)
def test_keywords_reach_the_function(op: str) -> None:
    function = getattr(cenote, f"{op}_pool")
    keywords: dict[str, Any] = {"stride": 2, "padding": 1, "axes": (1, 2), "ceil_mode": True}
    y, pullback = cenote.vjp(function, X, 3, **keywords)
    assert y.tobytes() == function(X, 3, **keywords).tobytes()
    assert pullback(y).shape == X.shape
    y, pullback = cenote.vjp(getattr(cenote, f"global_{op}_pool"), X, keepdims=True)
    assert pullback(y).shape == X.shape
    y, pullback = cenote.vjp(getattr(cenote, f"global_{op}_pool"), X)
    assert y.shape == (2, 3)
    assert pullback(y).shape == X.shape


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("name", [*INTS, "bool"])
def test_whole_numbers_have_no_gradient(op: str, name: str) -> None:
    x = make((4, 4), name, "ties")
    keywords = {"dtype": np.float32} if op == "avg" else {}
    with pytest.raises(CenoteTypeError, match=rf"vjp: x has dtype {name}.*; .*float"):
        cenote.vjp(getattr(cenote, f"{op}_pool"), x, 2, **keywords)


@pytest.mark.parametrize("op", ["max", "min", "avg", "sum"])
def test_nothing_of_the_input_is_needed_later(op: str) -> None:
    """Only lp looks at x again: elsewhere x may be changed, and is not kept alive."""
    x = X.copy()
    y, pullback = cenote.vjp(getattr(cenote, f"{op}_pool"), x, 2)
    dy = fill(y.shape, "float32", "random", 1)
    want = pullback(dy).tobytes()
    x[...] = np.nan
    y[...] = np.nan
    assert pullback(dy).tobytes() == want
    x = X.copy()
    assert x.flags.owndata  # a view would die while its memory lived on
    gone = weakref.ref(x)
    _, pullback = cenote.vjp(getattr(cenote, f"{op}_pool"), x, 2)
    del x
    gc.collect()
    assert gone() is None
    assert pullback(dy).tobytes() == want


@pytest.mark.parametrize("p", [2, np.inf])
def test_lp_keeps_x_but_not_the_callers_result(p: float) -> None:
    assert "lp keeps the result and a reference to x" in " ".join((type_of_pullback().__doc__ or "").split())
    x = X.copy()
    y, pullback = cenote.vjp(cenote.lp_pool, x, 2, p=p)
    dy = fill(y.shape, "float32", "random", 1)
    want = pullback(dy).tobytes()
    y[...] = np.nan  # the result belongs to the caller, who may do with it what he likes
    assert pullback(dy).tobytes() == want
    watched = weakref.ref(x)
    del x
    gc.collect()
    assert watched() is not None
    assert pullback(dy).tobytes() == want
    del pullback
    gc.collect()
    assert watched() is None


def type_of_pullback() -> type:
    return type(cenote.vjp(cenote.max_pool, X, 2)[1])


@pytest.mark.parametrize("op", OPS)
def test_dy_may_be_any_view_or_type_that_loses_nothing_but_precision(op: str) -> None:
    y, pullback = cenote.vjp(getattr(cenote, f"{op}_pool"), X, 2)
    dy = np.random.default_rng(2).integers(-9, 9, y.shape).astype(np.float32)
    want = pullback(dy).tobytes()
    for other in (dy.astype(np.float64), dy.astype(np.int16), dy.tolist(), np.asfortranarray(dy), dy[::-1][::-1]):
        assert pullback(other).tobytes() == want
    ones = np.broadcast_to(np.float32(1), y.shape)
    assert pullback(ones).tobytes() == pullback(np.ones_like(y)).tobytes()
    readonly = dy.copy()
    readonly.flags.writeable = False
    assert pullback(readonly).tobytes() == want


@pytest.mark.parametrize("op", OPS)
def test_dy_that_does_not_belong(op: str) -> None:
    y, pullback = cenote.vjp(getattr(cenote, f"{op}_pool"), X, 2)
    for wrong in (np.ones(y.shape[1:]), np.ones((1, *y.shape[1:])), np.ones(()), np.ones(y.shape)[..., :1]):
        with pytest.raises(CenoteError, match=r"pullback: dy has shape .*; pass that shape"):
            pullback(wrong)
    for wrong in (
        y.astype(complex),
        y.astype(y.dtype.newbyteorder()),
        y.astype("U9"),
        y.astype(object),
        np.ma.masked_array(y),
    ):
        with pytest.raises(CenoteTypeError, match=r"pullback: dy .*; "):
            pullback(wrong)


def test_what_vjp_does_not_take() -> None:
    for wrong in (np.max, "max", None, cenote.max_unpool, lambda x: x):
        with pytest.raises(CenoteError, match="vjp: "):
            cenote.vjp(wrong, X, 2)
    with pytest.raises(CenoteError, match="vjp: return_indices"):
        cenote.vjp(cenote.max_pool, X, 2, return_indices=True)
    with pytest.raises(CenoteError, match="vjp: out"):
        cenote.vjp(cenote.max_pool, X, 2, out=np.empty((2, 3, 4, 5), np.float32))


@pytest.mark.parametrize("teller", [cenote.vjp, cenote.explain])
@pytest.mark.parametrize("name", ["max_pool", "adaptive_avg_pool"])
def test_a_missing_argument_is_said_of_the_function_called(teller: Any, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}\(\) missing 1 required positional argument"):
        teller(getattr(cenote, name), X)
    with pytest.raises(TypeError, match=rf"^{name}\(\) .*nonsense"):
        teller(getattr(cenote, name), X, 2, nonsense=1)


def test_gradients_with_another_result_type() -> None:
    x = np.array([[1.5, 2.5]], np.float16)
    y, pullback = cenote.vjp(cenote.avg_pool, x, (2,), dtype=np.float64)
    assert (y.dtype, y.item()) == (np.float64, 2.0)
    dx = pullback(np.array([[1 / 3]]))
    assert dx.dtype == np.float16
    assert dx.tolist() == [[float(np.float16(1 / 6))] * 2]


def test_nothing_in_nothing_out() -> None:
    y, pullback = cenote.vjp(cenote.max_pool, X[:0], 2)
    assert pullback(y).shape == (0, 3, 8, 10)


@pytest.mark.parametrize("taps", [255, 256, 257, 65535, 65536, 65537])
def test_offsets_that_need_more_bits(taps: int) -> None:
    """What is kept for the gradient is one, two or four bytes per output; the last tap is where it matters."""
    x = np.zeros((2, taps + 1), np.float32)
    x[0, taps - 1] = x[1, taps] = 1
    y, pullback = cenote.vjp(cenote.max_pool, x, (taps,), stride=1)
    dx = pullback(np.array([[1, 2], [4, 8]], np.float32))
    assert y.tolist() == [[1, 1], [0, 1]]
    # row 0: both windows hold the one at taps - 1; row 1: the first holds zeros only, so its first tap wins
    want = np.zeros_like(x)
    want[0, taps - 1], want[1, 0], want[1, taps] = 3, 4, 8
    assert (dx == want).all()


@pytest.mark.parametrize(("op", "each"), [("max", 1), ("min", 1), ("avg", 0), ("sum", 0)])
def test_the_saved_memory_is_one_byte_per_output(op: str, each: int) -> None:
    """What is alive after x and y are gone: an offset for each output, or nothing. x alone has 16 bytes for each."""
    import tracemalloc

    function, shape = getattr(cenote, f"{op}_pool"), (16, 16, 128, 128)
    cenote.vjp(function, np.zeros(shape, np.float32), 2)  # plans and the like are kept once
    tracemalloc.start()
    try:
        x = np.zeros(shape, np.float32)
        y, pullback = cenote.vjp(function, x, 2)
        outputs = y.size
        del x, y
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert each * outputs <= kept < each * outputs + 10_000  # the rest: a few Python objects
    assert pullback(np.ones((16, 16, 64, 64), np.float32)).shape == shape


# ------------------------------------------------------------------------------------------------- max_unpool


def test_unpool_by_hand() -> None:
    y, where = cenote.max_pool(X, 2, return_indices=True)
    back = cenote.max_unpool(y, where, X.shape)
    assert np.count_nonzero(back) == y.size
    assert (cenote.max_pool(np.where(back == 0, -np.inf, back).astype(np.float32), 2) == y).all()
    one = cenote.max_unpool(np.array([7, 8, 9]), np.array([1, -1, 1]), (4,), axes=0)
    assert one.tolist() == [0, 9, 0, 0]


@pytest.mark.parametrize("axes", ["NHWC", (1, 2), (-3, -2)])
def test_unpool_axes(axes: Any) -> None:
    x = X.transpose(0, 2, 3, 1)
    y, where = cenote.max_pool(x, 2, axes="NHWC", return_indices=True)
    want = cenote.max_unpool(*cenote.max_pool(X, 2, return_indices=True), X.shape).transpose(0, 2, 3, 1)
    assert (cenote.max_unpool(y, where, x.shape, axes=axes) == want).all()


@pytest.mark.parametrize("name", ["bool", *INTS, *FLOATS])
def test_unpool_keeps_types(name: str) -> None:
    y = make((2, 2), name, "ties")
    assert cenote.max_unpool(y, np.arange(4).reshape(2, 2), (2, 2)).tobytes() == y.tobytes()
    for index in (np.int32, np.uint8, np.uint64):
        assert cenote.max_unpool(y, np.arange(4, dtype=index).reshape(2, 2), (2, 2)).tobytes() == y.tobytes()


@pytest.mark.parametrize(
    ("indices", "shape", "keywords", "kind", "words"),
    [
        ([[0, 4]], (1, 4), {"axes": 1}, CenoteIndexError, ("4",)),
        ([[0, -2]], (1, 4), {"axes": 1}, CenoteIndexError, ("-2", "-1")),
        ([[0, 2**62]], (1, 4), {"axes": 1}, CenoteIndexError, (str(2**62),)),
        ([[0.0, 1.0]], (1, 4), {}, CenoteTypeError, ("indices", "float64")),
        ([[True, False]], (1, 4), {}, CenoteTypeError, ("indices", "bool")),
        (np.array([[0, 1]], np.dtype("int64").newbyteorder()), (1, 4), {}, CenoteTypeError, ("indices", "-endian")),
        ([0, 1], (1, 4), {}, CenoteError, ("indices", "shape")),
        ([[0, 1]], (4,), {}, CenoteError, ("shape",)),
        ([[0, 1]], (2, 4), {"axes": 1}, CenoteError, ("shape",)),
        ([[0, 1]], 4, {}, CenoteError, ("shape",)),
        ([[0, 1]], (1, -4), {}, CenoteError, ("shape", "-4")),
        ([[0, 1]], (1, 4.0), {}, CenoteError, ("shape", "4.0")),
        ([[0, 1]], (1, 4), {"axes": (0, 0)}, CenoteError, ("axes",)),
        ([[0, 1]], (1, 4), {"axes": 2}, CenoteIndexError, ("2",)),
        ([[0, 1]], (1, 2**61), {}, CenoteError, ()),
    ],
    ids=str,
)
def test_unpool_refuses(indices: Any, shape: Any, keywords: Any, kind: type[Exception], words: tuple[str, ...]) -> None:
    with pytest.raises(kind) as told:
        cenote.max_unpool(np.array([[1.0, 2.0]]), indices, shape, **keywords)
    text = str(told.value)
    assert text.startswith("max_unpool: ")
    assert "; " in text
    assert all(word in text for word in words), text


def test_unpool_of_nothing() -> None:
    empty = np.empty((0, 2, 2), np.float32)
    assert cenote.max_unpool(empty, empty.astype(np.int64), (0, 4, 4)).shape == (0, 4, 4)


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 2), complex), np.zeros((1, 2), ">f4"), np.ma.masked_array(np.zeros((1, 2)))]
)
def test_unpool_refuses_the_same_arrays_as_pooling(wrong: np.ndarray) -> None:
    with pytest.raises(CenoteTypeError, match="max_unpool: y"):
        cenote.max_unpool(wrong, [[0, 1]], (1, 4))
