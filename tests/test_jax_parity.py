"""Live against JAX and Flax on the CPU: cenote.jax and `lax.reduce_window`, cenote.jax.flax and `flax.linen`.

Everything that they can express gives the same values and gradients; where the two differ, and the contract says that
they do, the difference itself is asserted at the end.
"""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import cenote
import oracle
from arrays import fill
from jax_here import drawn, jax, marks, same_bytes

jnp, lax = jax.numpy, jax.lax
needs_flax = pytest.mark.skipif(importlib.util.find_spec("flax") is None, reason="Flax is not installed")
pytestmark = marks

FLOAT_VALUES = ("random", "ties", "nan", "zeros", "infinite", "equal", "descending")
MONOIDS = {"max": lax.max, "min": lax.min}


@st.composite
def geometries(draw: st.DrawFn, *, dilated: bool, same: bool = True) -> tuple[tuple[int, ...], dict[str, Any]]:
    """(lengths, keywords of reduce_window), every window with a tap."""
    rank = draw(st.sampled_from([1, 2, 3]))
    word = draw(st.sampled_from(["VALID", "SAME", None] if same else ["VALID", None]))
    lengths, size, stride, pads, dilation = [], [], [], [], []
    for _ in range(rank):
        n, k = draw(st.integers(1, {1: 40, 2: 13, 3: 6}[rank])), draw(st.integers(1, 4))
        d, s = draw(st.integers(1, 3)) if dilated else 1, draw(st.integers(1, 4))
        pad = (draw(st.integers(0, 4)), draw(st.integers(0, 4)))
        rule = oracle.Slide(k, s, {"VALID": (0, 0), "SAME": "same", None: pad}[word], d)
        assume(rule.outputs(n) >= 1)
        assume(all(b.taps for b in rule.bins(n)))
        for where, value in ((lengths, n), (size, k), (stride, s), (pads, pad), (dilation, d)):
            where.append(value)
    keywords = {"size": tuple(size), "stride": tuple(stride), "padding": word or tuple(pads)}
    if dilated:
        keywords["dilation"] = tuple(dilation)
    return tuple(lengths), keywords


def ours(op: str, keywords: dict[str, Any], **own: Any) -> Any:
    """The same windows over the axes before the last."""
    keywords = {**keywords, **own}
    size, padding = keywords.pop("size"), keywords.pop("padding")
    axes = tuple(range(-len(size) - 1, -1))
    padding = padding.lower() if isinstance(padding, str) else padding
    return lambda x: getattr(cenote.jax, f"{op}_pool")(x, size, padding=padding, axes=axes, **keywords)


def theirs(monoid: Any, init: Any, keywords: dict[str, Any]) -> Any:
    padding = keywords["padding"]
    padding = padding if isinstance(padding, str) else ((0, 0), *padding, (0, 0))
    over = [(1, *keywords.get(name, (1,) * len(keywords["size"])), 1) for name in ("size", "stride", "dilation")]
    return lambda x: lax.reduce_window(x, init, monoid, over[0], over[1], padding, window_dilation=over[2])


def with_gradient(f: Any) -> Any:
    """(x, g) -> values, gradient, compiled."""

    @jax.jit
    def both(x: Any, g: Any) -> Any:
        y, pullback = jax.vjp(f, x)
        return y, pullback(g.astype(y.dtype))[0]

    return both


def whole(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Gradients whose sums are exact in any order."""
    return np.random.default_rng(seed).integers(-9, 10, shape).astype(np.float32)


@pytest.mark.parametrize("op", ["max", "min"])
@drawn(0.1)  # times 7: each window is compiled once for all kinds of values
@given(
    case=geometries(dilated=False),
    dtype=st.sampled_from(["float32", "bfloat16", "float16"]),
    seed=st.integers(0, 999),
)
def test_values_and_gradients_of_maxima(op: str, case: Any, dtype: str, seed: int) -> None:
    lengths, keywords = case
    shape = (2, *lengths, 3)
    init = np.asarray(-np.inf if op == "max" else np.inf, fill((1,), dtype, "equal", 0).dtype)
    mine, lax_s = with_gradient(ours(op, keywords)), with_gradient(theirs(MONOIDS[op], init, keywords))
    for values in FLOAT_VALUES:
        x = fill(shape, dtype, values, seed)
        y = np.asarray(ours(op, keywords)(x))
        g = np.where(y == init, 0, whole(y.shape, seed))  # a gradient that XLA sends into the padding: see below
        (y, dx), (want, slope) = mine(x, g), lax_s(x, g)
        same_bytes(y + 0, want + 0)  # + 0: either zero will do
        if values != "nan":
            same_bytes(dx + 0, slope + 0)


@drawn(0.2)
@given(case=geometries(dilated=True), op=st.sampled_from(["max", "min"]), seed=st.integers(0, 999))
def test_values_of_dilated_maxima(case: Any, op: str, seed: int) -> None:
    lengths, keywords = case
    init = np.float32(-np.inf if op == "max" else np.inf)
    mine, lax_s = jax.jit(ours(op, keywords)), jax.jit(theirs(MONOIDS[op], init, keywords))
    for values in FLOAT_VALUES:
        x = fill((2, *lengths, 3), "float32", values, seed)
        same_bytes(mine(x) + 0, lax_s(x) + 0)


WHOLE = [
    (op, dtype)
    for op in ("max", "min", "sum")
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "bool")
    if (op, dtype) != ("sum", "bool")
]


@drawn(0.3)
@given(case=geometries(dilated=True), row=st.sampled_from(WHOLE), seed=st.integers(0, 999))
def test_whole_numbers(case: Any, row: tuple[str, str], seed: int) -> None:
    lengths, keywords = case
    op, dtype = row
    ends = (False, True) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    init = np.asarray({"max": ends[0], "min": ends[1], "sum": 0}[op], dtype)
    mine = jax.jit(ours(op, keywords, **({"dtype": dtype} if op == "sum" else {})))
    lax_s = jax.jit(theirs({**MONOIDS, "sum": lax.add}[op], init, keywords))
    for values in ("random", "ties") if dtype != "bool" else ("ties",):
        x = fill((2, *lengths, 2), dtype, values, seed)
        same_bytes(mine(x), lax_s(x))


def reach_of(x: np.ndarray, keywords: dict[str, Any], divisor: str | None) -> np.ndarray:
    """The sum of absolute values of every window, divided like the result."""
    op, own = ("sum", {}) if divisor is None else ("avg", {"divisor": divisor})
    padding = keywords["padding"]
    words = {
        "stride": keywords["stride"],
        "padding": padding.lower() if isinstance(padding, str) else padding,
        "dilation": keywords.get("dilation", 1),
        "axes": tuple(range(1, 1 + len(keywords["size"]))),
    }
    return getattr(cenote, f"{op}_pool")(np.abs(x).astype(np.float64), keywords["size"], **words, **own)


def close(got: Any, want: Any, reach: np.ndarray, taps: int) -> None:
    """Both added up `taps` numbers in an order of their own and divided once: each is off by at most
    (taps + 1) u sum|x| / divisor, so they differ by twice that; one more unit for the rounding of `reach` itself.
    Sums below the smallest normal number XLA takes for zero."""
    u = np.finfo(np.float32).eps / 2
    bound = (2 * (taps + 1) + 1) * u * reach + 2 * np.finfo(np.float32).tiny
    assert (np.abs(np.asarray(got, np.float64) - np.asarray(want, np.float64)) <= bound).all()


@drawn(0.15)
@given(case=geometries(dilated=True), seed=st.integers(0, 999))
def test_sums(case: Any, seed: int) -> None:
    lengths, keywords = case
    taps = math.prod(keywords["size"])
    mine, lax_s = with_gradient(ours("sum", keywords)), with_gradient(theirs(lax.add, np.float32(0), keywords))
    for values in ("random", "ties", "whole"):
        x = fill((2, *lengths, 3), "float32", values, seed)
        g = whole(jax.eval_shape(ours("sum", keywords), x).shape, seed)
        (y, dx), (want, slope) = mine(x, g), lax_s(x, g)
        close(y, want, reach_of(x, keywords, None), taps)
        same_bytes(dx + 0, slope + 0)  # sums of whole numbers
        if values == "whole":
            same_bytes(y + 0, want + 0)


# ------------------------------------------------------------------------------------------------------------- Flax


@needs_flax
@drawn(0.12)
@given(
    case=geometries(dilated=False),
    counted=st.booleans(),
    batch=st.sampled_from([(), (2,), (2, 1), (0,), (1, 2, 2)]),
    seed=st.integers(0, 999),
)
def test_flax(case: Any, counted: bool, batch: tuple[int, ...], seed: int) -> None:
    """Arguments in Flax's order and by Flax's names; values and gradients."""
    from flax import linen

    lengths, keywords = case
    shape = (*batch, *lengths, 3)
    arguments = (keywords["size"], keywords["stride"] if seed % 3 else None, keywords["padding"])
    taps = math.prod(keywords["size"])
    used = {**keywords, "stride": arguments[1] or (1,) * len(lengths)}
    assume(all(b.taps for b in _bins(lengths, used)))
    assume(len(batch) < 2 or isinstance(arguments[2], str))  # Flax cannot: see below
    want, got = (with_gradient(lambda x, m=m: m.max_pool(x, *arguments)) for m in (linen, cenote.jax.flax))
    for values in FLOAT_VALUES:
        x = fill(shape, "float32", values, seed)
        y = np.asarray(cenote.jax.flax.max_pool(x, *arguments))
        g = np.where(y == -np.inf, 0, whole(y.shape, seed))
        for i, (a, b) in enumerate(zip(got(x, g), want(x, g), strict=True)):
            if values != "nan" or i == 0:
                same_bytes(a + 0, b + 0)
    want, got = (
        with_gradient(lambda x, m=m: m.avg_pool(x, *arguments, count_include_pad=counted))
        for m in (linen, cenote.jax.flax)
    )
    for values in ("random", "whole", "equal"):
        x = fill(shape, "float32", values, seed)
        (y, dx), (theirs_y, slope) = got(x, g), want(x, g)
        flat = x.reshape(-1, *lengths, 3)
        divisor = "window" if counted else "inside"
        close(y.reshape(-1, *y.shape[-len(lengths) - 1 :]), theirs_y.reshape(-1, *y.shape[-len(lengths) - 1 :]),
              reach_of(flat, used, divisor), taps)  # fmt: skip
        # one division per window, exact sums of up to `taps` quotients in another order
        np.testing.assert_allclose(dx, slope, rtol=0, atol=9 * (taps + 1) * 2**-23)


def _bins(lengths: tuple[int, ...], keywords: dict[str, Any]) -> list[oracle.Bin]:
    word = keywords["padding"]
    found = []
    for i, n in enumerate(lengths):
        pad = {"VALID": (0, 0), "SAME": "same"}[word] if isinstance(word, str) else word[i]
        found += oracle.Slide(keywords["size"][i], keywords["stride"][i], pad).bins(n)
    return found


@needs_flax
def test_flax_by_name_and_what_it_lacks() -> None:
    from flax import linen

    x = jnp.asarray(fill((2, 9, 9, 3), "float32", "random", 1))
    words = {"window_shape": (3, 3), "strides": (2, 2), "padding": ((1, 1), (0, 1))}
    same_bytes(cenote.jax.flax.max_pool(inputs=x, **words), linen.max_pool(inputs=x, **words))
    same_bytes(-cenote.jax.flax.min_pool(-x, **words), linen.max_pool(x, **words))
    wide = lax.reduce_window(x, -np.inf, lax.max, (1, 3, 3, 1), (1, 1, 1, 1), "VALID", window_dilation=(1, 2, 2, 1))
    same_bytes(cenote.jax.flax.max_pool(x, (3, 3), window_dilation=(2, 2)), wide)
    got = cenote.jax.flax.lp_pool(x, (3, 3), (2, 2), p=3)
    same_bytes(got, cenote.lp_pool(np.asarray(x), 3, stride=2, p=3, axes="NHWC"))
    same_bytes(
        cenote.jax.flax.avg_pool(x, (3, 3), (2, 2), "SAME_LOWER", divisor="padded"),
        cenote.avg_pool(np.asarray(x), 3, stride=2, padding="same_lower", divisor="padded", axes="NHWC"),
    )
    y, at = cenote.jax.flax.max_pool(x, (2, 2), (2, 2), return_indices=True)
    assert at.shape == y.shape


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f, x: f.max_pool(x, 2), "flax.max_pool: window_shape is a tuple"),
        (lambda f, x: f.max_pool(x, (2, 2), 2), "flax.max_pool: strides is a tuple"),
        (lambda f, x: f.max_pool(x, (2, 2), (2,)), "flax.max_pool: strides has 1 entries"),
        (lambda f, x: f.max_pool(x, (2, 2), None, "FULL"), "flax.max_pool: padding is one of 'VALID', 'SAME'"),
        (lambda f, x: f.max_pool(x, (2, 2), None, 1), "flax.max_pool: padding is a word or a (low, high) pair"),
        (lambda f, x: f.max_pool(x, (2, 2), None, ((1, 1),)), "flax.max_pool: padding has 1 entries"),
        (lambda f, x: f.max_pool(x, (2, 2), None, ((1, 1, 1), (1, 1))), "flax.max_pool: padding[0] has 3 entries"),
        (lambda f, x: f.max_pool(x, (2, 2), None, ((-1, 1), (1, 1))), "padding[0][0] is at least 0"),
        (lambda f, x: f.max_pool(x, (2, 2, 2, 2)), "flax.max_pool: inputs has 4 dimensions"),
        (lambda f, x: f.avg_pool(x, (2, 2), count_include_pad=1), "count_include_pad"),
        (lambda f, x: f.avg_pool(x, (2, 2), count_include_pad=1, divisor=4), "count_include_pad"),
        (lambda f, x: f.avg_pool(x, (2, 2), divisor=0), "flax.avg_pool: divisor is a finite number other than 0"),
        (lambda f, x: f.avg_pool(x, (2, 2), divisor=False), "flax.avg_pool: divisor is a number, got False"),
        (lambda f, x: f.avg_pool(x, (2, 2), divisor=""), "flax.avg_pool: divisor '' is no divisor rule"),
        (lambda f, x: f.max_pool(x, (9, 9)), "flax.max_pool: the output length of axis 1 would be"),
    ],
)
def test_flax_refuses(call: Any, said: str) -> None:
    with pytest.raises(cenote.CenoteError) as caught:
        call(cenote.jax.flax, np.zeros((1, 4, 4, 2), np.float32))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: f.max_pool(), "flax.max_pool() missing a required argument: 'inputs'"),
        (lambda f: f.max_pool(np.ones((4, 1))), "flax.max_pool() missing a required argument: 'window_shape'"),
        (lambda f: f.avg_pool(np.ones((4, 1)), (2,), stride=2), "flax.avg_pool() got an unexpected keyword argument"),
        (lambda f: f.max_pool(np.ones((4, 1)), (2,), None, "SAME", True), "flax.max_pool() too many positional"),
    ],
)
def test_flax_says_whose_arguments_are_wrong(call: Any, said: str) -> None:
    with pytest.raises(TypeError) as caught:
        call(cenote.jax.flax)
    assert str(caught.value).startswith(said)


# ------------------------------------------------------------------------------------------------ known differences


@needs_flax
def test_difference_a_window_that_does_not_fit() -> None:
    from flax import linen

    x = np.ones((1, 4, 1), np.float32)
    assert linen.max_pool(x, (6,)).shape == (1, 0, 1)
    with pytest.raises(cenote.CenoteError, match="flax.max_pool: the output length of axis 1 would be -1"):
        cenote.jax.flax.max_pool(x, (6,))


def test_difference_the_gradient_of_a_window_with_nan() -> None:
    x = jnp.asarray([[[np.nan], [1.0], [np.nan], [2.0]]], np.float32)
    grads = [jax.grad(lambda x, f=f: f(x).sum())(x)[0, :, 0].tolist() for f in (
        ours("max", {"size": (4,), "padding": "VALID"}),
        theirs(lax.max, np.float32(-np.inf), {"size": (4,), "padding": "VALID"}),
    )]  # fmt: skip
    assert grads[0] == [0, 0, 1, 0]  # to the NaN that is the result
    assert grads[1] == [0, 0, 0, 1]  # to a number that comes later


def test_difference_the_gradient_of_minus_infinity_beside_padding() -> None:
    """XLA pads with -inf and sends the gradient to the first of equals, which is no cell here."""
    x = jnp.full((1, 1, 1), -np.inf)
    words = {"size": (2,), "stride": (1,), "padding": ((1, 0),)}
    assert jax.grad(lambda x: theirs(lax.max, np.float32(-np.inf), words)(x).sum())(x).item() == 0
    assert jax.grad(lambda x: ours("max", words)(x).sum())(x).item() == 1


def test_difference_a_dilated_maximum_has_a_gradient() -> None:
    x = jnp.asarray(fill((1, 9, 1), "float32", "random", 1))
    words = {"size": (2,), "padding": "VALID", "dilation": (2,)}
    with pytest.raises((TypeError, NotImplementedError)):
        jax.grad(lambda x: theirs(lax.max, np.float32(-np.inf), words)(x).sum())(x)
    assert jax.grad(lambda x: ours("max", words, stride=1)(x).sum())(x).sum() == 7


def test_difference_denormal_numbers() -> None:
    x = jnp.full((1, 4, 1), np.float32(1e-40))
    words = {"size": (2,), "stride": (2,), "padding": "VALID"}
    assert theirs(lax.add, np.float32(0), words)(x).tolist() == [[[0], [0]]]
    assert (np.asarray(ours("sum", words)(x)) == np.float32(1e-40) * 2).all()


@needs_flax
def test_difference_an_average_of_nothing() -> None:
    from flax import linen

    x = np.ones((1, 2, 1), np.float32)
    arguments = ((1,), (1,), ((1, 0),), False)
    assert np.isnan(linen.avg_pool(x, *arguments)[0, 0, 0])
    assert cenote.jax.flax.avg_pool(x, *arguments)[0, :, 0].tolist() == [0, 1, 1]


@needs_flax
def test_difference_whole_numbers() -> None:
    from flax import linen

    x = np.array([[[1], [2], [4]]], np.int32)
    theirs = linen.avg_pool(x, (3,))
    assert (theirs.dtype, round(theirs.item(), 3)) == (np.float32, 2.333)
    mine = cenote.jax.flax.avg_pool(x, (3,))
    assert (mine.dtype, mine.item()) == (np.int32, 2)  # 7 / 3, half to even
    same_bytes(cenote.jax.flax.avg_pool(x, (3,), dtype=np.float32), theirs)


@needs_flax
def test_difference_averages_of_halves() -> None:
    """Flax rounds the sum to 16 bits and divides there; here both are done in float32 and rounded once."""
    from flax import linen

    differs = 0
    for seed in range(20):
        x = fill((1, 49, 1), "bfloat16", "random", seed)
        once = (np.float32(x.astype(np.float64).sum()) / np.float32(49)).astype(x.dtype).item()
        assert cenote.jax.flax.avg_pool(x, (49,)).item() == once
        differs += linen.avg_pool(x, (49,)).item() != once
    assert differs


@needs_flax
def test_difference_pairs_of_padding_behind_more_than_one_batch_axis() -> None:
    from flax import linen

    x = np.ones((2, 3, 4, 4, 1), np.float32)
    arguments = ((2, 2), (1, 1), ((1, 0), (1, 0)))
    with pytest.raises(ValueError):
        linen.max_pool(x, *arguments)
    assert cenote.jax.flax.max_pool(x, *arguments).shape == x.shape
