"""Bad input gets a clear error: the function, the argument, what was received, and the way out. Nothing is lost."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import cenote
from cenote import CenoteError, CenoteIndexError, CenoteTypeError

pytestmark = pytest.mark.sanitize

X = np.arange(48, dtype=np.float32).reshape(1, 2, 4, 6)
ROW = np.arange(9.0)
OPS = ("max", "min", "avg", "sum", "lp")


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def refuse(kind: type[Exception], who: str, words: tuple[str, ...], function: Any, *args: Any, **keywords: Any) -> str:
    """The call must raise `kind` (and CenoteError), say `who` first, then every one of the words, then a way out."""
    with pytest.raises(kind) as told:
        function(*args, **keywords)
    assert isinstance(told.value, CenoteError)
    assert isinstance(told.value, ValueError)
    text = str(told.value)
    assert re.match(rf"{re.escape(who)}: .+; .+", text, re.DOTALL), f"not `function: rule, got; way out`: {text}"
    missing = [word for word in words if word.lower() not in text.lower()]
    assert not missing, f"{missing} missing in: {text}"
    assert "\n" not in text
    return text


# (error, words in the message, arguments after x, keywords): for every sliding function, on a 4-dimensional array.
GEOMETRY = [
    # size
    (CenoteError, ("size", "0"), (0,), {}),
    (CenoteError, ("size", "-2"), (-2,), {}),
    (CenoteError, ("size[1]", "0"), ((2, 0),), {}),
    (CenoteTypeError, ("size", "2.5"), (2.5,), {}),
    (CenoteTypeError, ("size", "2.0"), (2.0,), {}),
    (CenoteTypeError, ("size", "True"), (True,), {}),
    (CenoteTypeError, ("size", "None"), (None,), {}),
    (CenoteTypeError, ("size", "3x3"), ("3x3",), {}),
    (CenoteTypeError, ("size", "nan"), (math.nan,), {}),
    (CenoteError, ("size",), ((),), {}),
    (CenoteError, ("size", "5", "4"), ((1, 1, 1, 1, 1),), {}),
    (CenoteError, ("size", "9223372036854775808"), (2**63,), {}),
    (CenoteError, ("9223372036854775807",), (2**63 - 1,), {}),
    (CenoteError, ("padding", "size"), ((2, 2),), {"padding": (1, 1, 1)}),
    # stride
    (CenoteError, ("stride", "0"), (2,), {"stride": 0}),
    (CenoteError, ("stride", "-1"), (2,), {"stride": -1}),
    (CenoteTypeError, ("stride", "1.5"), (2,), {"stride": 1.5}),
    (CenoteTypeError, ("stride", "True"), (2,), {"stride": True}),
    (CenoteError, ("stride", "3"), (2,), {"stride": (1, 1, 1)}),
    (CenoteError, ("stride", "1 "), (2,), {"stride": (1,)}),
    (CenoteError, ("stride[0]", "0"), (2,), {"stride": (0, 1)}),
    # dilation
    (CenoteError, ("dilation", "0"), (2,), {"dilation": 0}),
    (CenoteTypeError, ("dilation", "1.0"), (2,), {"dilation": 1.0}),
    (CenoteError, ("dilation", "3"), (2,), {"dilation": (1, 2, 3)}),
    # padding: nesting decides, never length
    (CenoteError, ("padding", "-1"), (2,), {"padding": -1}),
    (CenoteTypeError, ("padding", "True"), (2,), {"padding": True}),
    (CenoteTypeError, ("padding", "0.5"), (2,), {"padding": 0.5}),
    (CenoteTypeError, ("padding", "None"), (2,), {"padding": None}),
    (CenoteError, ("padding", "middle", "same"), (2,), {"padding": "middle"}),
    (CenoteError, ("padding", "(1, 1, 2, 2)", "((1, 2), (1, 2))"), (2,), {"padding": (1, 1, 2, 2)}),
    (CenoteError, ("padding", "((1, 2),)", "((1, 2), (1, 2))"), (2,), {"padding": ((1, 2),)}),
    (CenoteError, ("padding[1]", "-1"), (2,), {"padding": (0, -1)}),
    (CenoteError, ("padding[0][1]", "-3"), (2,), {"padding": ((0, -3), 1)}),
    (CenoteTypeError, ("padding[0]", "1.0"), (2,), {"padding": (1.0, 1)}),
    (CenoteTypeError, ("padding[1]", "False"), (2,), {"padding": (1, False)}),
    (CenoteError, ("padding[0]", "(1, 2, 3)"), (2,), {"padding": ((1, 2, 3), 1)}),
    (CenoteTypeError, ("padding[0]", "nested"), (2,), {"padding": (((1, 2), 1), 1)}),
    (CenoteError, ("padding", "0 entries"), (2,), {"padding": ()}),
    # rounding
    (CenoteTypeError, ("ceil_mode", "1"), (2,), {"ceil_mode": 1}),
    (CenoteTypeError, ("ceil_mode", "yes"), (2,), {"ceil_mode": "yes"}),
    (CenoteError, ("same", "ceil_mode"), (2,), {"padding": "same", "ceil_mode": True}),
    (CenoteError, ("same_lower", "ceil_mode"), (2,), {"padding": "same_lower", "ceil_mode": True}),
    (CenoteError, ("valid", "ceil_mode"), (2,), {"padding": "valid", "ceil_mode": True}),
    # output below one: the axis and all of L, k, s, d, lo, hi
    (CenoteError, ("axis 2", "4", "5", "stride 3", "dilation 1", "padding 0"), (5,), {"stride": 3}),
    (
        CenoteError,
        ("axis 2", "length 4", "size 4", "dilation 2", "0 before and 1 after"),
        (4,),
        {"dilation": 2, "padding": ((0, 1), 9)},
    ),
    (CenoteError, ("axis 3", "length 6", "size 9"), ((2, 9),), {"stride": 1, "ceil_mode": True}),
    # axes
    (CenoteError, ("axes", "twice"), (2,), {"axes": (2, 2)}),
    (CenoteError, ("axes", "twice"), (2,), {"axes": (3, -1)}),
    (CenoteIndexError, ("4", "4 dimensions"), (2,), {"axes": (3, 4)}),
    (CenoteIndexError, ("-5",), (2,), {"axes": -5}),
    (CenoteTypeError, ("axes", "2.0"), (2,), {"axes": 2.0}),
    (CenoteTypeError, ("axes", "True"), (2,), {"axes": (True, 2)}),
    (CenoteError, ("axes",), (2,), {"axes": ()}),
    (CenoteError, ("HWC", "4"), (2,), {"axes": "HWC"}),
    (CenoteError, ("NCHX",), (2,), {"axes": "NCHX"}),
    (CenoteError, ("NCHH",), (2,), {"axes": "NCHH"}),
    (CenoteError, ("size", "2", "axes"), ((2, 2),), {"axes": 1}),
    (CenoteError, ("4", "3"), ((1, 1, 1, 1),), {"axes": (0, 1, 2, 3)}),
]


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize(("kind", "words", "args", "keywords"), GEOMETRY, ids=[f"{a}{k}" for _, _, a, k in GEOMETRY])
def test_geometry(
    op: str, kind: type[Exception], words: tuple[str, ...], args: tuple[Any, ...], keywords: dict[str, Any]
) -> None:
    function = getattr(cenote, f"{op}_pool")
    refuse(kind, f"{op}_pool", words, function, X, *args, **keywords)
    if "axes" not in keywords:
        refuse(kind, "output_shape", words, cenote.output_shape, X.shape, *args, **keywords)
    refuse(kind, f"{op}_pool", words, cenote.vjp, function, X, *args, **keywords)
    refuse(kind, f"{op}_pool", words, cenote.explain, function, X, *args, **keywords)


def test_one_pair_for_one_axis_says_how_to_write_it() -> None:
    refuse(CenoteError, "max_pool", ("padding", "(1, 2)", "((1, 2),)"), cenote.max_pool, ROW, (3,), padding=(1, 2))


def test_two_numbers_for_two_axes_are_one_each() -> None:
    assert cenote.max_pool(X, 3, padding=(1, 2), stride=1).shape == (1, 2, 4, 8)


@pytest.mark.parametrize("shape", [(5,), (1, 2, 3, 4, 5)])
@pytest.mark.parametrize("op", OPS)
def test_an_int_for_an_array_of_another_rank(op: str, shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.float32)
    for name, argument in ((f"{op}_pool", "size"), (f"adaptive_{op}_pool", "parts")):
        text = refuse(CenoteError, name, (argument, "tuple", "axes", str(len(shape))), getattr(cenote, name), x, 1)
        assert "entry" in text


ARRAYS = [
    (np.array([[1, 2], [3, None]], dtype=object), "object", "convert"),
    ([[1, 2], [3]], "array", "nested"),
    (np.array([["a", "b"], ["c", "d"]]), "<U1", "number"),
    (np.array([[b"a", b"b"]]), "|S1", "number"),
    (np.zeros((2, 2), "M8[s]"), "datetime64", "int64"),
    (np.zeros((2, 2), "m8[s]"), "timedelta64", "int64"),
    (np.zeros((2, 2), ">f4"), "big-endian", "astype"),
    (np.zeros((2, 2), ">i8"), "big-endian", "astype"),
    (np.ma.masked_array(np.zeros((2, 2)), np.eye(2)), "mask", "fill"),
    (np.ma.masked_array(np.zeros((2, 2))), "mask", "fill"),
    (np.zeros((2, 2), [("a", "f4")]), "a", "use"),
    (np.zeros((2, 2), np.longdouble), np.dtype(np.longdouble).name, "use"),
    (None, "object", "convert"),
    ("text", "<U4", "number"),
]


@pytest.mark.parametrize("form", ["sliding", "adaptive", "global"])
@pytest.mark.parametrize(("x", "word", "way"), ARRAYS, ids=[w for _, w, _ in ARRAYS])
@pytest.mark.parametrize("op", OPS)
def test_arrays_that_cannot_be_pooled(op: str, x: Any, word: str, way: str, form: str) -> None:
    name = f"{op}_pool" if form == "sliding" else f"{form}_{op}_pool"
    args = () if form == "global" else (2,)
    refuse(CenoteTypeError, name, ("x", word, way), getattr(cenote, name), x, *args)


def test_a_scalar_has_nothing_to_pool() -> None:
    refuse(CenoteError, "max_pool", ("x", "scalar"), cenote.max_pool, 3.0, 2)


@pytest.mark.parametrize("name", ["max_pool", "min_pool", "lp_pool", "adaptive_max_pool"])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_where_it_has_no_meaning(name: str, dtype: Any) -> None:
    refuse(CenoteTypeError, name, ("complex", "avg_pool"), getattr(cenote, name), np.zeros((4, 4), dtype), 2)


PARAMETERS = [
    ("avg", CenoteError, ("divisor", "0"), {"divisor": 0}),
    ("avg", CenoteError, ("divisor", "0.0"), {"divisor": 0.0}),
    ("avg", CenoteError, ("divisor", "nan"), {"divisor": math.nan}),
    ("avg", CenoteError, ("divisor", "inf"), {"divisor": math.inf}),
    ("avg", CenoteError, ("divisor", "outside", "inside"), {"divisor": "outside"}),
    ("avg", CenoteTypeError, ("divisor", "True"), {"divisor": True}),
    ("avg", CenoteTypeError, ("divisor", "None"), {"divisor": None}),
    ("avg", CenoteTypeError, ("divisor", "[2]"), {"divisor": [2]}),
    ("avg", CenoteTypeError, ("dtype", "hello"), {"dtype": "hello"}),
    ("avg", CenoteTypeError, ("dtype", "object"), {"dtype": object}),
    ("avg", CenoteTypeError, ("dtype", "int32"), {"dtype": np.int32}),
    ("sum", CenoteTypeError, ("dtype", ">f4"), {"dtype": ">f4"}),
    ("sum", CenoteTypeError, ("dtype", "<U0"), {"dtype": str}),
    ("lp", CenoteError, ("p", "0"), {"p": 0}),
    ("lp", CenoteError, ("p", "-1"), {"p": -1}),
    ("lp", CenoteError, ("p", "nan"), {"p": math.nan}),
    ("lp", CenoteError, ("p", "-inf"), {"p": -math.inf}),
    ("lp", CenoteTypeError, ("p", "two"), {"p": "two"}),
    ("lp", CenoteTypeError, ("p", "True"), {"p": True}),
    ("lp", CenoteTypeError, ("p", "2j"), {"p": 2j}),
    ("max", CenoteTypeError, ("return_indices", "1"), {"return_indices": 1}),
    ("min", CenoteTypeError, ("return_indices", "None"), {"return_indices": None}),
]


@pytest.mark.parametrize("form", ["", "adaptive_", "global_"])
@pytest.mark.parametrize(("op", "kind", "words", "keywords"), PARAMETERS, ids=[f"{o}{k}" for o, _, _, k in PARAMETERS])
def test_parameters(
    op: str, kind: type[Exception], words: tuple[str, ...], keywords: dict[str, Any], form: str
) -> None:
    name = f"{form}{op}_pool"
    refuse(kind, name, words, getattr(cenote, name), X, *(() if form == "global_" else (2,)), **keywords)


def test_bool_averages_need_a_type() -> None:
    x = np.ones((4, 4), bool)
    refuse(CenoteTypeError, "avg_pool", ("bool", "dtype="), cenote.avg_pool, x, 2)
    assert cenote.avg_pool(x, 2, dtype=np.float32).tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize(
    ("parts", "kind", "words"),
    [
        (0, CenoteError, ("parts", "0")),
        (-1, CenoteError, ("parts", "-1")),
        (2.0, CenoteTypeError, ("parts", "2.0")),
        (True, CenoteTypeError, ("parts", "True")),
        ((1, 2, 3, 4), CenoteError, ("4", "3")),
        ((), CenoteError, ("parts",)),
        ((2, "3"), CenoteTypeError, ("parts[1]", "'3'")),
        (2**63, CenoteError, ("parts", "9223372036854775808")),
    ],
    ids=str,
)
def test_parts(op: str, parts: Any, kind: type[Exception], words: tuple[str, ...]) -> None:
    name = f"adaptive_{op}_pool"
    refuse(kind, name, words, getattr(cenote, name), X, parts)


@pytest.mark.parametrize("op", OPS)
def test_global_arguments(op: str) -> None:
    name = f"global_{op}_pool"
    function = getattr(cenote, name)
    refuse(CenoteTypeError, name, ("keepdims", "1"), function, X, keepdims=1)
    refuse(CenoteIndexError, name, ("axis -2", "1"), function, ROW)
    refuse(CenoteError, name, ("axes",), function, X, axes=())
    refuse(CenoteTypeError, name, ("axes", "None"), function, X, axes=None)


@pytest.mark.parametrize("op", OPS)
def test_a_result_that_fits_nowhere(op: str) -> None:
    """Sizes near 2**63: an error at once, no attempt at the work and no crash."""
    name = f"{op}_pool"
    function = getattr(cenote, name)
    far = 2**62
    for keywords in (
        {"padding": far, "stride": 1},
        {"padding": 2**63 - 1},
        {"padding": ((2**63 - 1, 2**63 - 1), 0)},
        {"dilation": 2**63 - 1},
        {"dilation": far, "padding": far, "stride": 1},
        {"padding": 10**15, "stride": 1},
    ):
        with pytest.raises(CenoteError) as told:
            function(X, 2, **keywords)
        assert str(told.value).startswith(f"{name}: ")
    assert function(X, 2, stride=2**63 - 1).shape == (1, 2, 1, 1)


def test_a_hostile_argument_does_not_hide_the_error() -> None:
    with pytest.raises(CenoteTypeError, match="max_pool: size"):
        cenote.max_pool(X, Hostile())
    with pytest.raises(CenoteTypeError, match="max_pool: padding"):
        cenote.max_pool(X, 2, padding=Hostile())
    with pytest.raises(CenoteTypeError):
        cenote.max_pool(X, 2, out=Hostile())


def test_a_long_value_is_cut() -> None:
    text = refuse(CenoteError, "max_pool", ("padding", "10000"), cenote.max_pool, X, 2, padding=(1,) * 10000)
    assert len(text) < 500


def test_errors_have_the_bases_that_callers_catch() -> None:
    assert issubclass(CenoteError, ValueError)
    assert issubclass(CenoteTypeError, TypeError)
    assert issubclass(CenoteTypeError, CenoteError)
    assert issubclass(CenoteIndexError, IndexError)
    assert issubclass(CenoteIndexError, CenoteError)


@pytest.mark.parametrize(
    "function", [cenote.max_pool, cenote.avg_pool, cenote.adaptive_lp_pool, cenote.global_sum_pool]
)
def test_words_that_do_not_exist(function: Any) -> None:
    args = () if "global" in function.__name__ else (2,)
    with pytest.raises(TypeError, match="strides"):
        function(X, *args, strides=2)
    with pytest.raises(TypeError):
        function(X, *args, 1, 1)  # after x and size, keywords only
