"""The short way: a call seen before, word for word, goes straight to its plan; nothing else tells it from the first."""

from __future__ import annotations

import enum
import inspect
import math
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import cenote
from arrays import BFLOAT16, dtype_of, fill, present
from cenote import CenoteError
from cenote.native import NATIVE, _core
from fresh import python

pytestmark = pytest.mark.sanitize

OPS = ("max", "min", "avg", "sum", "lp")
X = np.random.default_rng(8).standard_normal((2, 3, 8, 10)).astype(np.float32)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    cenote.max_pool(X, 2)
    _core.forget_calls()
    yield
    _core.forget_calls()


def shortly(action: Callable[[], Any]) -> bool:
    """Did it take the short way?"""
    before = _core.short_ways()
    action()
    return _core.short_ways() > before


def outcome(action: Callable[[], Any]) -> Any:
    """All that a caller can see of a call."""
    try:
        answer = action()
    except Exception as error:
        return type(error), str(error)
    found = answer if isinstance(answer, tuple) else (answer,)
    return [(type(y), y.shape, y.dtype, y.strides, y.flags.writeable, y.tobytes()) for y in found]


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *((f"{op}_pool", (2,), {}) for op in OPS),
    *((f"adaptive_{op}_pool", (3,), {}) for op in OPS),
    *((f"global_{op}_pool", (), {}) for op in OPS),
    ("max_pool", ((3, 2),), {"stride": 1, "padding": "same"}),
    ("max_pool", ((3, 2),), {"stride": (2, 1), "padding": ((1, 0), 2), "dilation": (1, 2)}),
    ("max_pool", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}),
    ("min_pool", (2,), {"axes": "NHWC"}),
    ("min_pool", (2,), {"axes": (0, 2, 3), "return_indices": True}),
    ("max_pool", (2,), {"axes": 1, "return_indices": False}),
    ("adaptive_max_pool", ((2, None),), {"axes": (-1, 1), "return_indices": True}),
    ("global_max_pool", (), {"axes": 0, "keepdims": True, "return_indices": True}),
    ("global_min_pool", (), {"axes": (1, -1), "return_indices": True}),
    ("avg_pool", (3,), {"padding": 1, "divisor": "padded"}),
    ("avg_pool", (3,), {"padding": 1, "divisor": 4}),
    ("avg_pool", (3,), {"padding": 1, "divisor": 2.5, "dtype": np.float64}),
    ("sum_pool", (3,), {"dtype": np.dtype(np.float64)}),
    ("lp_pool", (2,), {"p": 3}),
    ("lp_pool", (2,), {"p": math.inf}),
]


@pytest.mark.parametrize("view", ["plain", "negative", "transposed", "stepped", "misaligned", "readonly"])
@pytest.mark.parametrize(("name", "args", "keywords"), CALLS, ids=str)
def test_the_second_time_is_short_and_the_same(
    name: str, args: tuple[Any, ...], keywords: dict[str, Any], view: str
) -> None:
    function = getattr(cenote, name)
    x = X.copy() if view in ("plain", "readonly") else present(X, view)
    x.flags.writeable = view != "readonly"
    first = outcome(lambda: function(x, *args, **keywords))
    assert isinstance(first, list), first
    again: list[Any] = []
    assert shortly(lambda: again.append(outcome(lambda: function(x, *args, **keywords))))
    assert again[0] == first


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float64", *((BFLOAT16,) if BFLOAT16 else ())])
def test_all_dtypes(dtype: str) -> None:
    x = fill((3, 6, 7), dtype, "ties", 3)
    first = outcome(lambda: cenote.max_pool(x, 3))
    assert shortly(lambda: cenote.max_pool(x, 3))
    assert outcome(lambda: cenote.max_pool(x, 3)) == first
    assert cenote.max_pool(x, 3).dtype == dtype_of(dtype)
    assert not shortly(lambda: cenote.max_pool(X[0], 3))  # the same words, another dtype


class Two(enum.IntEnum):
    TWO = 2


class Word(str):
    pass


LOOKALIKES: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    ({"stride": 1}, [{"stride": v} for v in (True, 1.0, np.int64(1), np.float32(1), "1", (1, 1), [1, 1], (True, 1))]),
    ({"stride": (1, 1)}, [{"stride": v} for v in ((1, True), (1.0, 1), (1, np.int8(1)), (1,), (1, 1, 1), ((1,), 1))]),
    ({"padding": 0}, [{"padding": v} for v in (False, 0.0, None, (0, 0), ((0, 0), 0), "valid", "VALID", np.False_)]),
    ({"padding": 1}, [{"padding": v} for v in (True, 1.0, (1, 1), ((1, 1), (1, 1)), (1, 1, 1, 1), ((1, 1),))]),
    ({"padding": "same"}, [{"padding": v} for v in ("SAME", "same_lower", Word("same"), b"same", "same ")]),
    ({"ceil_mode": False}, [{"ceil_mode": v} for v in (0, None, np.False_, 0.0, "")]),
    ({"ceil_mode": True}, [{"ceil_mode": v} for v in (1, 1.0, np.True_, "True")]),
    ({"axes": (2, 3)}, [{"axes": v} for v in ((3, 2), (-2, -1), (2, 3.0), (2, True), [2, 3], "NCHW", (2, 9))]),
    ({"axes": 1}, [{"axes": v} for v in (True, 1.0, -3, (1,), np.int32(1))]),
    ({"return_indices": True}, [{"return_indices": v} for v in (1, np.True_, None, False)]),
    ({"stride": 2}, [{"stride": v} for v in (Two.TWO, np.uint8(2), 2**63, -(2**70))]),
    ({}, [{"out": 0}, {"p": 2}, {"dtype": None}, {"return_indices": False}, {"size": 2}, {"unheard": 1}]),
]


@pytest.mark.parametrize(("known", "others"), LOOKALIKES, ids=lambda v: str(v) if isinstance(v, dict) else "")
def test_words_that_look_alike_are_told_apart(known: dict[str, Any], others: list[dict[str, Any]]) -> None:
    for keywords in others:

        def call(said: dict[str, Any] = keywords) -> Any:
            return outcome(lambda: cenote.max_pool(X, 2, **said))

        _core.forget_calls()
        cold = call()
        _core.forget_calls()
        for _ in range(2):
            outcome(lambda: cenote.max_pool(X, 2, **known))
        assert shortly(lambda: cenote.max_pool(X, 2, **known))
        assert call() == cold
        assert call() == cold


def test_sizes_that_look_alike() -> None:
    cenote.max_pool(X, 2)
    assert shortly(lambda: cenote.max_pool(X, 2))
    for size in (
        2.0,
        True,
        "2",
        None,
        (2,),
        (2, 2),
        [2, 2],
        np.int64(2),
        Two.TWO,
        cenote.Window.of(2, rank=2),
        (2, 2.0),
    ):
        _core.forget_calls()
        cold = outcome(lambda size=size: cenote.max_pool(X, size))  # type: ignore[misc]
        cenote.max_pool(X, 2)
        cenote.max_pool(X, (2, 2))
        assert outcome(lambda size=size: cenote.max_pool(X, size)) == cold  # type: ignore[misc]


def test_operators_and_forms_are_told_apart() -> None:
    found = set()
    for _ in range(2):
        for op in OPS:
            for form in ("", "adaptive_", "global_"):
                function = getattr(cenote, f"{form}{op}_pool")
                found.add((op, form, function(X, *(() if form == "global_" else (2,))).tobytes()))
    assert len(found) == 15


def test_arrays_that_look_alike() -> None:
    class Sub(np.ndarray):
        pass

    good = cenote.max_pool(X, 2)
    others = [
        X.view(Sub),
        X.tolist(),
        X.astype(">f4"),
        np.ma.masked_array(X, X > 1),
        X.astype(np.dtype(np.float32, metadata={"unit": "m"})),
        X.astype(object),
        X[0],
        X[:, :, :, :9],
        X[:0],
        np.float32(3),
        memoryview(X),
    ]
    for x in others:
        _core.forget_calls()
        cold = outcome(lambda x=x: cenote.max_pool(x, 2))  # type: ignore[misc]
        for _ in range(2):
            assert cenote.max_pool(X, 2).tobytes() == good.tobytes()
        assert outcome(lambda x=x: cenote.max_pool(x, 2)) == cold  # type: ignore[misc]
        assert outcome(lambda x=x: cenote.max_pool(x, 2)) == cold  # type: ignore[misc]


def test_out_is_judged_as_ever() -> None:
    shape = (2, 3, 4, 5)
    wide = np.zeros((2, 3, 8, 10), np.float32)
    locked = np.zeros(shape, np.float32)
    locked.flags.writeable = False
    x = X.copy()
    outs: list[Any] = [
        np.zeros(shape, np.float64),
        np.zeros(shape, ">f4"),
        np.zeros(shape[1:], np.float32),
        np.zeros((2, 3, 5, 4), np.float32),
        locked,
        np.broadcast_to(np.float32(0), shape),
        np.lib.stride_tricks.as_strided(np.zeros(9, np.float32), shape, (0, 0, 4, 4)),
        np.ma.zeros(shape, np.float32),
        x[:, :, :4, :5],
        x[:, :, ::2, ::2],
        (np.zeros(shape, np.float32), np.zeros(shape, np.int64)),
        [0],
        wide[:, :, ::2, ::2],
        wide[:, :, :4, 5:][..., ::-1],
        np.zeros((4, 5, 2, 3), np.float32).transpose(2, 3, 0, 1),
        np.zeros(shape, np.float32).view(type("Sub", (np.ndarray,), {})),
    ]

    def judged(out: Any, **keywords: Any) -> Any:
        try:
            return cenote.max_pool(x, 2, out=out, **keywords) is out, bytes(np.asarray(out))
        except CenoteError as error:
            return type(error), str(error)

    for out in outs:
        _core.forget_calls()
        cold = judged(out)
        cenote.max_pool(x, 2)
        assert shortly(lambda: cenote.max_pool(x, 2))
        for _ in range(2):
            assert judged(out) == cold
    for good in (np.zeros(shape, np.float32), wide[:, :, ::2, ::2], wide[:, :, :4, 5:][..., ::-1]):
        assert shortly(lambda good=good: cenote.max_pool(x, 2, out=good))  # type: ignore[misc]
        assert (good == cenote.max_pool(x, 2)).all()


def test_pairs_are_judged_as_ever() -> None:
    y, where = cenote.max_pool(X, 2, return_indices=True)
    out = np.zeros_like(y), np.zeros_like(where)
    assert shortly(lambda: cenote.max_pool(X, 2, return_indices=True, out=out))
    got = cenote.max_pool(X, 2, return_indices=True, out=out)
    assert got[0] is out[0]
    assert got[1] is out[1]
    assert (out[0].tobytes(), out[1].tobytes()) == (y.tobytes(), where.tobytes())
    shared = np.zeros((*y.shape, 3), np.int64)
    values = shared[..., 0].view(np.float32)[..., ::2] if shared.strides[-2] == 8 else out[0]
    for wrong in (y, (y,), (y, where, where), (where, y), (y, where.astype(np.int32)), (y, y), (values, where[:1])):
        with pytest.raises(CenoteError, match="out"):
            cenote.max_pool(X, 2, return_indices=True, out=wrong)  # type: ignore[call-overload]


def test_strides_of_x_are_no_part_of_it() -> None:
    cenote.avg_pool(X, 3)
    for x in (
        X.copy("F"),
        X[::-1],
        np.broadcast_to(X[:1], X.shape),
        np.lib.stride_tricks.as_strided(X, X.shape, (0,) * 4),
    ):
        want = cenote.avg_pool(x, [3, 3])  # a list is read the long way
        assert shortly(lambda x=x: cenote.avg_pool(x, 3))  # type: ignore[misc]
        assert cenote.avg_pool(x, 3).tobytes() == want.tobytes()


def test_the_number_of_threads_counts(eager: Callable[[], int]) -> None:
    for threads in (1, 3, 2):
        cenote.set_num_threads(threads)
        cenote.max_pool(X, 2)
        before = eager()
        assert shortly(lambda: cenote.max_pool(X, 2))
        assert eager() - before == threads - 1


def test_gradients_recognise_calls_too() -> None:
    for op in OPS:
        function = getattr(cenote, f"{op}_pool")
        answers = []
        for _ in range(3):
            y, pullback = cenote.vjp(function, X, 3, stride=2)
            answers.append((y.tobytes(), pullback(np.cos(y)).tobytes(), repr(pullback)))
        assert len(set(answers)) == 1
        assert shortly(lambda function=function: function(X, 3, stride=2))  # type: ignore[misc]
        with pytest.raises(CenoteError, match="only floats"):
            cenote.vjp(function, X.astype(np.int32), 3, stride=2)
    assert str(cenote.explain(cenote.max_pool, X, 3)) == str(cenote.explain(cenote.max_pool, X, 3))


def test_a_wrong_target_stays_wrong() -> None:
    code = """
import numpy as np, cenote
for _ in range(3):
    try:
        cenote.max_pool(np.zeros((4, 4)), 2)
    except cenote.CenoteError as error:
        print(error)
"""
    lines = python("import os; os.environ['CENOTE_TARGET'] = 'abacus'\n" + code).splitlines()
    assert len(lines) == 3
    assert all("'abacus' is not usable" in line for line in lines)


def test_failures_are_not_remembered() -> None:
    for _ in range(3):
        with pytest.raises(CenoteError):
            cenote.max_pool(X, 99)
        with pytest.raises(TypeError, match=r"max_pool\(\) got an unexpected keyword argument 'p'"):
            cenote.max_pool(X, 2, p=2)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match=r"max_pool\(\) missing 1 required positional argument: 'size'"):
            cenote.max_pool(X)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match=r"max_pool\(\) takes 2 positional arguments but 3 were given"):
            cenote.max_pool(X, 2, 2)  # type: ignore[call-overload]


def test_the_loop_it_is_measured_against() -> None:
    known = cenote.max_pool.cenote.prepare(X, 2)  # type: ignore[attr-defined]
    y = np.zeros(known.shape, np.float32)
    assert 0 < NATIVE.loop(known.call, X, y, 3) < 10
    assert y.tobytes() == cenote.max_pool(X, 2).tobytes()


def test_functions_are_functions() -> None:
    for name in ("max_pool", "adaptive_avg_pool", "global_sum_pool"):
        function = getattr(cenote, name)
        assert inspect.isfunction(function)
        assert pickle.loads(pickle.dumps(function)) is function
        assert list(inspect.signature(function).parameters)[-1] == "out"


def test_long_plans_are_not_kept() -> None:
    x = np.zeros(2**17 + 2)
    cenote.max_pool(x, (2,))
    assert not shortly(lambda: cenote.max_pool(x, (2,)))
    for n in range(12):  # more than there is room for: the first has to go
        y = x[: 2**17 - 2 * n]
        cenote.max_pool(y, (2,))
        assert shortly(lambda y=y: cenote.max_pool(y, (2,)))  # type: ignore[misc]
    assert not shortly(lambda: cenote.max_pool(x[: 2**17], (2,)))
    assert shortly(lambda: cenote.max_pool(y, (2,)))


@pytest.mark.skipif(not hasattr(sys, "getrefcount"), reason="this Python does not count references")
def test_what_is_remembered_is_bounded() -> None:
    import gc
    import resource

    def many(first: int) -> None:
        for n in range(first, first + 1500):
            x = np.zeros((2, n), np.uint8)
            cenote.max_pool(x, (1, 1))

    many(20)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        many(20)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # KiB
    assert not shortly(lambda: cenote.max_pool(np.zeros((2, 20), np.uint8), (1, 1)))
    assert shortly(lambda: cenote.max_pool(np.zeros((2, 1519), np.uint8), (1, 1)))
    x = np.zeros((2, 20), np.uint8)
    counts = sys.getrefcount(x), sys.getrefcount(x.dtype)
    for _ in range(50):
        cenote.max_pool(x, (1, 1))
        cenote.max_pool(x, (1, 1), out=np.zeros((2, 20), np.uint8))
    assert sys.getrefcount(x) == counts[0]
    assert abs(sys.getrefcount(x.dtype) - counts[1]) < 20
