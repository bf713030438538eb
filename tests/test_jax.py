"""cenote.jax says what cenote says, bit for bit: values, positions and gradients of every operator, form and dtype."""

from __future__ import annotations

import doctest
import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenote
from arrays import BFLOAT16, fill, values_for
from cases import OPERATORS, TYPES, Case
from cenote.catalogue import OPS
from jax_here import drawn, jax, marks, same_bytes, x64
from oracle import output_shape
from strategies import drawn_cases
from verdict import SELECTING, Outcome, differentiable, expect, genuine, incoming, judge

jnp = jax.numpy
pytestmark = marks


def outcome(case: Case, x: Any) -> Outcome:
    """The outcome of cenote.jax."""
    args, keywords = case.call
    function = getattr(cenote.jax, case.function)
    found = Outcome(np.asarray(function(x, *args, **keywords)))
    if case.op in SELECTING:
        found.pair = tuple(map(np.asarray, function(x, *args, **keywords, return_indices=True)))
    if differentiable(case):
        y, pullback = jax.vjp(lambda x: function(x, *args, **keywords), x)
        same_bytes(np.asarray(y) + 0, found.values + 0)  # either zero will do where no index is asked for
        found.dx = np.asarray(pullback(jnp.asarray(incoming(case, output_shape(case.shape, case.rules, case.axes))))[0])
    return found


@pytest.mark.parametrize("op", OPERATORS)
@drawn(0.6)  # each is compiled, three times where there is a gradient
@given(data=st.data())
def test_drawn_case(op: str, data: st.DataObject) -> None:
    case = data.draw(drawn_cases(op))
    with x64():
        ours, theirs = outcome(case, jnp.asarray(np.ascontiguousarray(case.x))), genuine(case)
        same_bytes(ours.values + 0, theirs.values + 0)
        if theirs.pair is not None:
            for got, want in zip(ours.pair, theirs.pair, strict=True):
                same_bytes(got, want)
        if theirs.dx is not None:
            same_bytes(ours.dx, theirs.dx)


@pytest.mark.parametrize("op", OPERATORS)
@drawn(0.05)
@given(data=st.data())
def test_drawn_case_by_the_oracle(op: str, data: st.DataObject) -> None:
    """A second judge, which shares no code with either."""
    case = data.draw(drawn_cases(op))
    with x64():
        judge(case, outcome(case, jnp.asarray(np.ascontiguousarray(case.x))), expect(case))


@pytest.mark.parametrize("op", OPERATORS)
def test_one_window_over_many_values(op: str) -> None:
    """Compiled once per dtype: every kind of value that can hurt, in many draws."""
    for dtype in TYPES[op]:
        options: dict[str, Any] = {"dtype": "float32"} if op == "avg" and dtype == "bool" else {}
        with x64():
            function = jax.jit(lambda x, o=options: getattr(cenote.jax, f"{op}_pool")(x, 3, stride=2, padding=1, **o))
            for values in values_for(dtype):
                for seed in range(4):
                    x = fill((3, 2, 7, 9), dtype, values, seed)
                    want = getattr(cenote, f"{op}_pool")(x, 3, stride=2, padding=1, **options)
                    same_bytes(np.asarray(function(x)) + 0, want + 0)


def test_every_function_is_there_with_the_signature_of_numpy() -> None:
    names = [op.function_name(form) for op in OPS.values() for form in ("sliding", "adaptive", "global")]
    assert set(names) < set(cenote.jax.__all__)
    for name in names:
        ours, theirs = inspect.signature(getattr(cenote.jax, name)), inspect.signature(getattr(cenote, name))
        assert [*ours.parameters, "out"] == [*theirs.parameters]
        assert all(ours.parameters[p] == theirs.parameters[p] for p in ours.parameters)
        assert getattr(cenote.jax, name).__doc__.startswith(OPS[name.split("_")[-2]].summary)


def test_what_their_docstrings_show_is_so() -> None:
    """Examples run; each argument, what comes back and what is raised are told."""
    for room in (cenote.jax, cenote.jax.flax):
        for name in (name for name in room.__all__ if name.endswith("_pool")):
            function = getattr(room, name)
            found = doctest.DocTestFinder().find(function, name, globs={})
            done = [doctest.DocTestRunner(verbose=False).run(one) for one in found]
            assert [(one.failed, one.attempted > 2) for one in done] == [(0, True)], name
            assert all(f"\n{parameter} : " in function.__doc__ for parameter in inspect.signature(function).parameters)
            for section in ("Returns", "Raises", "Notes"):
                assert f"\n{section}\n{'-' * len(section)}\n" in function.__doc__


def test_lists_numpy_arrays_and_scalars_of_numpy_are_arrays() -> None:
    assert cenote.jax.max_pool([[1, 5], [7, 2]], 2).tolist() == [[7]]
    assert cenote.jax.max_pool(np.array([1.5, 2.5]), (2,)).tolist() == [2.5]
    assert isinstance(cenote.jax.max_pool([[1, 5], [7, 2]], 2), jax.Array)


def test_what_says_itself_that_it_is_an_array_of_jax() -> None:
    """As flax.nnx.Param does: while it is traced, NumPy cannot see what it holds."""

    class Held:
        def __init__(self, value: Any) -> None:
            self.value = value

        def __jax_array__(self) -> Any:
            return self.value

    x = jnp.asarray([[1.0, 5], [7, 2]])
    assert cenote.jax.max_pool(Held(x), 2).tolist() == [[7]]
    assert jax.jit(lambda x: cenote.jax.max_pool(Held(x), 2))(x).tolist() == [[7]]
    assert jax.grad(lambda x: cenote.jax.max_pool(Held(x), 2).sum())(x).tolist() == [[0, 0], [1, 0]]
    with pytest.raises(cenote.CenoteTypeError, match="complex numbers have no"):
        cenote.jax.max_pool(Held(x.astype(np.complex64)), 2)


# Without x64, JAX's default, nothing has 64 bits.


def test_without_x64_results_have_32_bits() -> None:
    x = np.array([[1, 9, 2, 8], [3, 4, 5, 7]], np.int32)
    assert cenote.jax.sum_pool(x, 2).dtype == np.int32
    assert cenote.jax.sum_pool(x.astype(np.uint8), 2).dtype == np.uint32
    assert cenote.jax.lp_pool(x, 2).dtype == np.float32
    indices = cenote.jax.max_pool(x, 2, return_indices=True)[1]
    assert (indices.dtype, indices.tolist()) == (np.int32, [[1, 3]])
    with x64():
        assert cenote.jax.sum_pool(x, 2).dtype == np.int64
        assert cenote.jax.max_pool(x, 2, return_indices=True)[1].dtype == np.int64
        assert cenote.jax.lp_pool(x, 2).dtype == np.float64


def test_a_sum_of_32_bits_wraps_as_one_of_64_would_be_cut() -> None:
    x = np.array([2**31 - 1, 1, 5, 7], np.int32)
    assert cenote.jax.sum_pool(x, (2,)).tolist() == [-(2**31), 12]
    want = cenote.sum_pool(x, (2,)).astype(np.int32)
    assert cenote.jax.sum_pool(x, (2,)).tolist() == want.tolist()


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning")
def test_a_dtype_of_64_bits_that_is_asked_for_is_what_jax_makes_of_it() -> None:
    assert cenote.jax.avg_pool(np.ones(4, np.float32), (2,), dtype=np.float64).dtype == np.float32
    with x64():
        assert cenote.jax.avg_pool(np.ones(4, np.float32), (2,), dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize("shape", [(5, 64, 40, 40), (1, 1, 300, 700), (400, 500), (1, 3, 50, 60, 70), (7, 1, 90, 8)])
def test_indices_of_32_bits(shape: tuple[int, ...]) -> None:
    """The engines write 64; what is narrowed piece by piece is all of it, in its place."""
    x = fill(shape, "float32", "ties", 3)
    for axes in ((-2, -1), (0, 1)):
        got = cenote.jax.max_pool(x, 3, stride=1, padding=1, return_indices=True, axes=axes)
        want = cenote.max_pool(x, 3, stride=1, padding=1, return_indices=True, axes=axes)
        same_bytes(got[0], want[0])
        same_bytes(got[1], want[1].astype(np.int32))


def test_indices_that_32_bits_cannot_hold_are_refused() -> None:
    with pytest.raises(cenote.CenoteError, match="indices are int32; say jax.config.update"):
        jax.eval_shape(
            lambda x: cenote.jax.max_pool(x, 2, return_indices=True),
            jax.ShapeDtypeStruct((65536, 32768), np.int8),
        )


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_halves_are_added_in_float32_and_rounded_once(dtype: str) -> None:
    x = fill((2, 3, 9, 9), dtype, "random", 1)
    for name in ("avg_pool", "sum_pool", "lp_pool", "max_pool"):
        same_bytes(getattr(cenote.jax, name)(jnp.asarray(x), 3), getattr(cenote, name)(x, 3))
    assert cenote.jax.global_avg_pool(np.ones((64, 64), np.float16)) == 1
    assert cenote.jax.global_avg_pool(np.ones((64, 64), BFLOAT16)) == 1


@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (2, 0, 8, 8), (0, 0, 8, 8)])
@pytest.mark.parametrize("op", OPERATORS)
def test_empty_batches(op: str, shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.float32)
    function = getattr(cenote.jax, f"{op}_pool")
    assert function(x, 3, stride=2, padding=1).shape == (*shape[:2], 4, 4)
    dx = jax.grad(lambda x: function(x, 3, stride=2, padding=1).sum())(jnp.asarray(x))
    assert dx.shape == shape


def test_a_window_of_padding_alone() -> None:
    x = np.zeros((1, 1, 0, 3), np.float32)  # an axis without cells, and windows that find nothing
    want = cenote.max_pool(x, (2, 2), padding=2, return_indices=True)
    got = cenote.jax.max_pool(x, (2, 2), padding=2, return_indices=True)
    same_bytes(got[0], want[0])
    same_bytes(got[1], want[1].astype(np.int32))
    assert jax.grad(lambda x: cenote.jax.avg_pool(x, (2, 2), padding=2).sum())(jnp.asarray(x)).shape == x.shape


def test_more_taps_than_a_byte_can_number() -> None:
    x = fill((2, 40, 40), "float32", "random", 7)
    y, pullback = cenote.vjp(cenote.max_pool, x, 20, stride=3)
    got, back = jax.vjp(lambda x: cenote.jax.max_pool(x, 20, stride=3), jnp.asarray(x))
    same_bytes(got, y)
    same_bytes(back(jnp.asarray(y))[0], pullback(y))


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x: cenote.jax.max_pool(x, 0), cenote.CenoteError, "max_pool: size is at least 1"),
        (lambda x: cenote.jax.max_pool(x, 9), cenote.CenoteError, "max_pool: the output length of axis"),
        (lambda x: cenote.jax.max_pool(x, 2, padding=(1, 1, 1)), cenote.CenoteError, "max_pool: padding has 3"),
        (lambda x: cenote.jax.max_pool(x, 2, axes=7), cenote.CenoteIndexError, "max_pool: axis 7 is outside"),
        (lambda x: cenote.jax.max_pool(x), TypeError, "max_pool"),
        (lambda x: cenote.jax.max_pool(x, 2, out=x), TypeError, "out"),
        (lambda x: cenote.jax.max_pool(x.astype(np.complex64), 2), cenote.CenoteTypeError, "complex numbers have no"),
        (lambda x: cenote.jax.max_pool(np.ma.masked_array(x), 2), cenote.CenoteTypeError, "masked array"),
        (lambda x: cenote.jax.avg_pool(x > 0, 2), cenote.CenoteTypeError, "average of bool"),
        (lambda x: cenote.jax.max_pool(jax.random.key(0)[None], (1,)), cenote.CenoteTypeError, "cannot be pooled"),
        (lambda x: cenote.jax.max_pool(jnp.zeros((4, 4), jnp.float8_e4m3fn), 2), cenote.CenoteTypeError, "float8"),
        (lambda x: cenote.jax.max_pool("abc", 2), cenote.CenoteTypeError, "convert it to numbers"),
    ],
)
def test_errors_are_those_of_numpy(call: Any, error: type[Exception], said: str) -> None:
    x = np.zeros((4, 4), np.float32)
    with pytest.raises(error) as caught:
        call(x)
    assert said in str(caught.value)


def test_errors_come_while_a_function_is_traced() -> None:
    with pytest.raises(cenote.CenoteError, match="output length of axis 1 would be"):
        jax.jit(lambda x: cenote.jax.max_pool(x, (1, 9)))(np.zeros((4, 4), np.float32))


def test_a_result_beyond_memory_is_refused_before_its_tables_are_made() -> None:
    """A slip in padding; tables of this length would be a hundred gigabytes by themselves."""
    struct = jax.ShapeDtypeStruct((2, 8, 8), np.float32)
    for f in (cenote.jax.max_pool, lambda x, size, **words: cenote.jax.max_pool(x, size, return_indices=True, **words)):
        traced = jax.jit(lambda x, f=f: f(x, 2, padding=2**30)).trace(struct)
        with pytest.raises(cenote.CenoteMemoryError, match="max_pool: a result of shape .* more than there are"):
            traced.lower()
