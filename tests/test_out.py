"""Writing into `out`: the same array comes back, and a call that fails has written nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cenote
from arrays import present
from cenote import CenoteError, CenoteTypeError

pytestmark = pytest.mark.sanitize

X = np.random.default_rng(2).standard_normal((2, 3, 7, 9)).astype(np.float32)
OPS = ("max", "min", "avg", "sum", "lp")
FORMS = [(f"{op}_pool", (2,)) for op in OPS]
FORMS += [(f"adaptive_{op}_pool", (2,)) for op in OPS]
FORMS += [(f"global_{op}_pool", ()) for op in OPS]


@pytest.mark.parametrize(("name", "args"), FORMS)
def test_the_very_array_comes_back(name: str, args: tuple[Any, ...]) -> None:
    function = getattr(cenote, name)
    want = function(X, *args)
    out = np.full_like(want, 77)
    assert function(X, *args, out=out) is out
    assert out.tobytes() == want.tobytes()


@pytest.mark.parametrize(("name", "args"), [f for f in FORMS if "max" in f[0] or "min" in f[0]])
def test_with_indices_out_is_a_pair(name: str, args: tuple[Any, ...]) -> None:
    function = getattr(cenote, name)
    want, where = function(X, *args, return_indices=True)
    out = np.empty_like(want), np.empty_like(where)
    for pair in (out, list(out)):
        got = function(X, *args, return_indices=True, out=pair)
        assert got[0] is out[0]
        assert got[1] is out[1]
        assert (out[0].tobytes(), out[1].tobytes()) == (want.tobytes(), where.tobytes())


@pytest.mark.parametrize("view", ["negative", "transposed", "stepped", "misaligned", "packed"])
@pytest.mark.parametrize("op", OPS)
def test_any_writeable_view_will_do(op: str, view: str) -> None:
    """Results go where they are wanted, whatever the strides, and nowhere beside."""
    function = getattr(cenote, f"{op}_pool")
    want = function(X, 2)
    out = present(np.full_like(want, 77), view)
    assert function(X, 2, out=out) is out
    assert (out == want).all()


def test_nothing_beside_out_is_touched() -> None:
    wide = np.full((2, 3, 9, 12), 77, np.float32)
    out = wide[:, :, 1:-1:3, ::3]
    cenote.max_pool(X, 2, out=out[:, :, :, ::-1])
    assert np.count_nonzero(wide == 77) == wide.size - out.size
    assert (out[:, :, :, ::-1] == cenote.max_pool(X, 2)).all()


def refused(kind: type[Exception], words: tuple[str, ...], call: Any, *arrays: np.ndarray) -> None:
    before = [a.tobytes() for a in arrays]
    with pytest.raises(kind) as told:
        call()
    assert isinstance(told.value, CenoteError)
    assert [a.tobytes() for a in arrays] == before, "a failing call wrote something"
    text = str(told.value)
    assert text.startswith("max_pool: out"), text
    assert "; " in text
    assert all(word in text for word in words), text


@pytest.mark.parametrize("shape", [(2, 3, 3), (2, 3, 3, 5), (1, 3, 3, 4), (72,), (2, 3, 4, 3)])
def test_wrong_shape(shape: tuple[int, ...]) -> None:
    out = np.full(shape, 5, np.float32)
    refused(CenoteError, (str(shape), "(2, 3, 3, 4)"), lambda: cenote.max_pool(X, 2, out=out), out)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.complex64, ">f4", object])
def test_wrong_dtype(dtype: Any) -> None:
    out = np.full((2, 3, 3, 4), 5, dtype)
    refused(CenoteTypeError, ("float32",), lambda: cenote.max_pool(X, 2, out=out), out)


def test_read_only() -> None:
    out = np.full((2, 3, 3, 4), 5, np.float32)
    out.flags.writeable = False
    refused(CenoteError, ("read-only",), lambda: cenote.max_pool(X, 2, out=out), out)


def test_no_array() -> None:
    for out in ([[0.0]], 3, "out", np.float32(1), memoryview(b"abcd")):
        refused(CenoteTypeError, ("ndarray",), lambda out=out: cenote.max_pool(X, 2, out=out))


def test_masked() -> None:
    out = np.ma.masked_array(np.full((2, 3, 3, 4), 5, np.float32))
    refused(CenoteTypeError, ("mask",), lambda: cenote.max_pool(X, 2, out=out), out.data)


def test_overlapping_the_input() -> None:
    x = X.copy()
    for out in (x[:, :, :3, :4], x[:, :, -3:, -4:], x[:, :, :6:2, :8:2], x[:, :, 2::-1, :4]):
        refused(CenoteError, ("overlap",), lambda out=out: cenote.max_pool(x, 2, out=out), x)


def test_interleaved_with_the_input_but_not_overlapping() -> None:
    """Between the cells of the input there is room that is nobody else's."""
    both = np.zeros((9, 9, 2), np.float32)
    both[..., 0] = X[0, 0, :1, :1] + np.arange(81).reshape(9, 9)
    x, out = both[..., 0], both[:4, :4, 1]
    assert cenote.max_pool(x, 2, out=out) is out
    assert (out == cenote.max_pool(x.copy(), 2)).all()


def test_cells_of_out_that_share_memory() -> None:
    out = np.lib.stride_tricks.as_strided(np.zeros(4, np.float32), (2, 3, 3, 4), (0, 0, 0, 4))
    refused(CenoteError, ("share",), lambda: cenote.max_pool(X, 2, out=out), out)


def test_pairs() -> None:
    values, where = np.full((2, 3, 3, 4), 5, np.float32), np.full((2, 3, 3, 4), 5, np.int64)

    def call(out: Any) -> Any:
        return lambda: cenote.max_pool(X, 2, return_indices=True, out=out)

    refused(CenoteTypeError, ("pair",), call(values), values)
    refused(CenoteTypeError, ("pair",), call((values,)), values)
    refused(CenoteTypeError, ("pair",), call((values, where, where)), values, where)
    refused(CenoteTypeError, ("out[1]", "int64"), call((values, where.astype(np.int32))), values)
    refused(CenoteError, ("out[1]", "shape"), call((values, where[:1])), values, where)
    refused(CenoteTypeError, ("out[0]", "float32"), call((where, where.copy())), where)
    shared = np.full((2, 2, 3, 3, 4), 5, np.int64)
    refused(CenoteError, ("overlap",), call((shared[0].view(np.float32)[..., ::2], shared[0])), shared)
    with pytest.raises(CenoteTypeError):
        cenote.max_pool(X, 2, out=(values, where))  # a pair is for return_indices=True only


@pytest.mark.parametrize("keywords", [{"stride": 0}, {"padding": "middle"}, {"axes": 9}, {"dilation": 99}])
def test_a_bad_argument_leaves_out_alone(keywords: dict[str, Any]) -> None:
    out = np.full((2, 3, 3, 4), 5, np.float32)
    with pytest.raises(CenoteError):
        cenote.max_pool(X, 2, out=out, **keywords)
    assert (out == 5).all()


def test_out_of_another_class_is_written_and_returned() -> None:
    class Sub(np.ndarray):
        pass

    out = np.empty((2, 3, 3, 4), np.float32).view(Sub)
    assert cenote.max_pool(X, 2, out=out) is out
    assert (np.asarray(out) == cenote.max_pool(X, 2)).all()


def test_empty_results() -> None:
    out = np.empty((0, 3, 3, 4), np.float32)
    assert cenote.max_pool(X[:0], 2, out=out) is out


# ------------------------------------------------------------------------------------- unpooling and gradients

Y, WHERE = cenote.max_pool(X, 2, return_indices=True)


@pytest.mark.parametrize("view", ["plain", "negative", "transposed", "stepped", "misaligned"])
def test_unpooling_into_any_writeable_view(view: str) -> None:
    want = cenote.max_unpool(Y, WHERE, X.shape)
    out = np.full_like(want, 77)
    out = out if view == "plain" else present(out, view)
    assert cenote.max_unpool(Y, WHERE, X.shape, out=out) is out
    assert (out == want).all()
    assert np.count_nonzero(out) == Y.size


def test_unpooling_refuses_what_it_cannot_write() -> None:
    x = np.full(X.shape, 5, np.float32)
    locked = x.copy()
    locked.flags.writeable = False
    wrong = [x[:1], x.astype(np.float64), locked, x.tolist(), np.broadcast_to(np.float32(1), X.shape), WHERE]
    for out in wrong:
        with pytest.raises(CenoteError, match="max_unpool: out"):
            cenote.max_unpool(Y, WHERE, X.shape, out=out)  # type: ignore[arg-type]
    beside = np.full(X.shape, 5, np.float32)
    inside = beside[:, :, :3, :4]
    inside[...] = Y
    with pytest.raises(CenoteError, match="overlap"):
        cenote.max_unpool(inside, WHERE, X.shape, out=beside)
    assert (inside == Y).all()


def test_an_index_that_names_no_cell_leaves_out_alone() -> None:
    out = np.full(X.shape, 5, np.float32)
    bad = WHERE.copy()
    bad[-1, -1, -1, -1] = 63
    with pytest.raises(CenoteError, match="63 names no cell"):
        cenote.max_unpool(Y, bad, X.shape, out=out)
    assert (out == 5).all()


@pytest.mark.parametrize(("name", "args"), FORMS)
def test_gradients_into_out(name: str, args: tuple[Any, ...]) -> None:
    y, pullback = cenote.vjp(getattr(cenote, name), X, *args)
    dy = np.cos(y)
    want = pullback(dy)
    for out in (
        np.full_like(X, 77),
        present(np.full_like(X, 77), "transposed"),
        present(np.full_like(X, 7), "negative"),
    ):
        assert pullback(dy, out=out) is out
        assert (out == want).all()


def test_gradients_refuse_what_they_cannot_write() -> None:
    x = X.copy()
    y, pullback = cenote.vjp(cenote.max_pool, x, 2)
    dx = np.full(X.shape, 5, np.float32)
    locked = dx.copy()
    locked.flags.writeable = False
    for out in (dx[:1], dx.astype(np.float64), locked, dx.tolist(), np.broadcast_to(np.float32(1), X.shape)):
        with pytest.raises(CenoteError, match="pullback: out"):
            pullback(y, out=out)  # type: ignore[arg-type]
    dy = dx[:, :, :3, :4]
    with pytest.raises(CenoteError, match="pullback: out overlaps"):
        pullback(dy, out=dx)
    assert (dx == 5).all()
    assert pullback(y, out=x) is x  # the gradient of a maximum does not look at x again
    x = X.copy()
    y, pullback = cenote.vjp(cenote.lp_pool, x, 2)
    with pytest.raises(CenoteError, match="pullback: out overlaps"):
        pullback(y, out=x)
    assert x.tobytes() == X.tobytes()
