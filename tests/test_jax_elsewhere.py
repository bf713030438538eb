"""Platforms without a handler: what is lowered for them, what is refused and with which reason, and who explains it.

No such device is needed: JAX lowers for a platform that is not there, and what it would run there runs here as well.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenote
from jax_here import drawn, jax, marks, same_bytes, x64
from strategies import drawn_cases

jnp = jax.numpy
pytestmark = marks
PLATFORMS = ("cuda", "tpu")


def lowered(f: Any, x: Any, platform: str) -> str:
    return jax.jit(f).trace(x).lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("f", "dtype"),
    [
        (lambda x: cenote.jax.max_pool(x, 3, stride=2, padding=1), np.float32),
        (lambda x: cenote.jax.max_pool(x, 3, stride=2, padding="same", dilation=2), jnp.bfloat16),
        (lambda x: cenote.jax.min_pool(x, 2, ceil_mode=True), np.int8),
        (lambda x: cenote.jax.sum_pool(x, 2), np.int32),
        (lambda x: cenote.jax.global_max_pool(x), np.float16),
        (lambda x: cenote.jax.adaptive_max_pool(x, 2), np.float32),
        (lambda x: jax.vmap(lambda x: cenote.jax.flax.max_pool(x, (2, 2)))(x), np.float32),
    ],
)
def test_what_is_exact_is_a_reduce_window_there(platform: str, f: Any, dtype: Any) -> None:
    text = lowered(f, np.zeros((2, 8, 8, 4), dtype), platform)
    assert "reduce_window" in text
    assert "cenote_" not in text
    assert "cenote_" in lowered(f, np.zeros((2, 8, 8, 4), dtype), "cpu")


REFUSED = [
    (lambda x: cenote.jax.avg_pool(x, 2), "max_pool", "has no avg that is exact"),
    (lambda x: cenote.jax.lp_pool(x, 2), "lp_pool", "has no lp that is exact"),
    (lambda x: cenote.jax.sum_pool(x, 2), "sum_pool", "floats are added in another order"),
    (lambda x: cenote.jax.max_pool(x, 2, return_indices=True), "max_pool", "does not tell which tap won"),
    (lambda x: jax.grad(lambda x: cenote.jax.max_pool(x, 2).sum())(x), "max_pool", "does not tell which tap won"),
    (lambda x: jax.grad(lambda x: cenote.jax.flax.avg_pool(x, (2, 2)).sum())(x), "flax.avg_pool", "only the CPU"),
    (lambda x: cenote.jax.adaptive_max_pool(x, 3), "adaptive_max_pool", "its windows differ in size"),
]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(("f", "who", "reason"), REFUSED)
def test_what_is_not_is_refused_with_a_reason(platform: str, f: Any, who: str, reason: str) -> None:
    with pytest.raises(NotImplementedError) as caught:
        lowered(f, np.zeros((2, 8, 8, 4), np.float32), platform)
    said = str(caught.value)
    assert reason in said
    assert "only the CPU runs this call" in said
    assert "jax.default_device" in said


@pytest.mark.parametrize("op", ["max", "min", "sum"])
@drawn(0.25)
@given(data=st.data())
def test_drawn_cases_come_out_the_same_there(op: str, data: st.DataObject) -> None:
    """What would be lowered elsewhere, run here, is what NumPy's functions give; or it is refused."""
    types = ("int8", "uint16", "int32", "int64", "bool") if op == "sum" else ()
    case = data.draw(drawn_cases(op, types, plain=True).filter(lambda c: c.values != "denormal"))  # XLA: zero
    args, keywords = case.call
    x = np.ascontiguousarray(case.x)
    with x64():
        _, request, dropped = getattr(cenote.jax, case.function).cenote.ready(x, *args, **keywords)
        call = request.call(x.shape, x.dtype)
        reason = cenote.jax.elsewhere.refusal(call)
        if reason is not None:
            assert "differ in size" in reason
            return
        got = jax.jit(partial(cenote.jax.elsewhere.pool, request=request))(x)
        want = getattr(cenote, case.function)(x, *args, **keywords)
        if dropped:
            got = jnp.squeeze(got, dropped)
        same_bytes(got if op == "sum" else np.asarray(got) + np.zeros((), x.dtype), want + np.zeros((), want.dtype))


def test_explain() -> None:
    x = jnp.zeros((2, 8, 8), np.float32)
    here = cenote.jax.explain(cenote.jax.avg_pool, x, 2)
    assert (here.provider, here.refusals, here.output) == ("xla cpu handler", {}, "(2, 4, 4) float32")
    assert here.target == cenote.explain(cenote.avg_pool, np.zeros((2, 8, 8), np.float32), 2).target
    there = cenote.jax.explain(cenote.jax.max_pool, x, 2, platform="cuda")
    assert there.provider == "lax.reduce_window"
    assert there.refusals["xla cpu handler"] == "it runs on the CPU, not on cuda"
    assert "which tap won" in there.refusals["gradient"]
    nowhere = cenote.jax.explain(cenote.jax.flax.avg_pool, x, (2,), platform="tpu")
    assert nowhere.provider == "nobody"
    assert set(nowhere.refusals) == {"xla cpu handler", "lax.reduce_window", "gradient"}
    assert "provider" in str(nowhere)
    found = cenote.jax.explain(cenote.jax.global_max_pool, x, return_indices=True, platform="cuda")
    assert (found.provider, found.output) == ("nobody", "(2,) float32")
    traced = []
    jax.jit(lambda x: traced.append(cenote.jax.explain(cenote.jax.max_pool, x, 2)) or x)(x)
    assert traced[0].provider == "xla cpu handler"
    with pytest.raises(cenote.CenoteTypeError, match="explain: fn is one of the functions of cenote.jax"):
        cenote.jax.explain(cenote.max_pool, x, 2)
    assert cenote.jax.explain(cenote.jax.max_pool, x, 2, platform=jax.devices()[0].platform).provider == here.provider
    with pytest.raises(cenote.CenoteError, match="explain: platform is one of 'cpu', .* got 'gpuu'; write one of"):
        cenote.jax.explain(cenote.jax.max_pool, x, 2, platform="gpuu")
    for wrong in (3, ("cpu",), False):
        with pytest.raises(cenote.CenoteTypeError, match="explain: platform is a word"):
            cenote.jax.explain(cenote.jax.max_pool, x, 2, platform=wrong)
